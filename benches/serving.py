"""What benches/serving.sh needs besides a shell: bodies of requests, the peer's model, whether both agree, and a table.

    serving.py bodies DATA TARGET FOLDER        records and batches as lines of JSON
    serving.py model DATA TARGET CARD FILE      scikit-learn's model like the one that CARD (model.json) describes
    serving.py agree FOLDER OURS THEIRS         the share of records to which two servers give the same prediction
    serving.py table RESULTS                    Markdown
"""

import json
import pickle
import statistics
import sys
import urllib.request
from pathlib import Path

import pandas as pd

import peers

# Bodies that take turns, so that nobody answers one from memory.
RECORDS = 256
BATCHES = 16
# Records of a batch.
BATCH = 100


def main():
    match sys.argv[1:]:
        case ["bodies", data, target, folder]:
            write_bodies(read(data).drop(columns=[target]), Path(folder))
        case ["model", data, target, card, file]:
            write_model(read(data), target, json.loads(Path(card).read_text()), file)
        case ["agree", folder, ours, theirs]:
            print(f"{100 * agreement(Path(folder), ours, theirs):.1f} %")
        case ["table", results]:
            tell([json.loads(line) for line in Path(results).read_text().splitlines()])
        case _:
            sys.exit(__doc__)


def read(folder):
    return pd.concat([pd.read_csv(file) for file in sorted(Path(folder).glob("*.csv"))], ignore_index=True)


def write_bodies(columns, folder):
    records = columns.sample(RECORDS, random_state=1).to_dict("records")
    singles = [json.dumps(record) for record in records]
    (folder / "single.txt").write_text("".join(f"{line}\n" for line in singles))
    batches = columns.sample(BATCHES * BATCH, random_state=2, replace=True).to_dict("records")
    lines = [json.dumps(batches[begin:begin + BATCH]) for begin in range(0, len(batches), BATCH)]
    (folder / "batch.txt").write_text("".join(f"{line}\n" for line in lines))


def write_model(frame, target, card, file):
    columns = frame.drop(columns=[target])
    gaps = bool(columns.isna().any(axis=None))
    model, columns_of = peers.same(card["learner"], columns, gaps, card["task"], card["seed"])
    model.fit(columns_of(columns), frame[target])
    with open(file, "wb") as out:
        pickle.dump({"model": model, "columns": list(columns)}, out)


def agreement(folder, ours, theirs):
    records = [json.loads(line) for line in (folder / "single.txt").read_text().splitlines()]
    answers = [ask(address, records) for address in (ours, theirs)]
    same = [one["prediction"] == other["prediction"] for one, other in zip(*answers, strict=True)]
    return statistics.mean(same)


def ask(address, records):
    request = urllib.request.Request(
        f"{address}/predict", json.dumps(records).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def tell(results):
    print("| model | request | connections | server | requests/s | p50 | p99 | failed | trainyard / this, requests/s "
          "| p99 |\n|---|---|---|---|---|---|---|---|---|---|")
    ours = {place(result): result for result in results if result["server"] == "trainyard"}
    best = {}
    for result in results:
        beside = ours[place(result)]
        rate = beside["rate"] / result["rate"]
        late = beside["p99"] / result["p99"]
        ratios = "| |" if result is beside else f"| {rate:.1f} | {late:.2f} |"
        if result is not beside:
            best[place(result)] = min(rate, best.get(place(result), rate))
        print(f"| {result['model']} | {result['shape']} | {result['connections']} | {result['server']} "
              f"| {grouped(result['rate'])} | {shown(result['p50'])} | {shown(result['p99'])} | {result['failed']} "
              f"{ratios}")
    if best:
        print(f"\nrequests a second beside the better of the peers: {min(best.values()):.1f} times at the least, "
              f"{statistics.geometric_mean(best.values()):.1f} in the geometric mean of {len(best)} cases")


def place(result):
    return result["model"], result["shape"], result["connections"]


def grouped(number):
    return f"{number:,.0f}".replace(",", " ")


def shown(microseconds):
    return f"{microseconds / 1000:.2f} ms"


if __name__ == "__main__":
    main()
