"""What people write to serve a model of scikit-learn: FastAPI, one route, a checked record or a list of records.

`MODEL` names the file that serving.py wrote. Records become one array, with no frame of pandas in between, and the route is
a coroutine, for the model answers faster than a thread is handed the work.
"""

import os
import pickle

import numpy as np
from fastapi import FastAPI
from pydantic import create_model

with open(os.environ["MODEL"], "rb") as file:
    saved = pickle.load(file)
MODEL, COLUMNS = saved["model"], saved["columns"]
CLASSES = [str(name) for name in MODEL.classes_]

Record = create_model("Record", **{name: (float, ...) for name in COLUMNS})
app = FastAPI()


def answered(records):
    rows = np.array([[getattr(record, name) for name in COLUMNS] for record in records])
    shares = MODEL.predict_proba(rows)
    best = shares.argmax(axis=1)
    return [
        {"prediction": int(CLASSES[place]), "probabilities": dict(zip(CLASSES, of.tolist()))}
        for place, of in zip(best, shares)
    ]


@app.get("/healthz")
async def healthz():
    return "ok"


@app.post("/predict")
async def predict(records: Record | list[Record]):
    if isinstance(records, list):
        return answered(records)
    return answered([records])[0]
