"""Large CSV files with a signal that is known: 30 columns, 22 of numbers and 8 of categories, and a class to predict.

Equal arguments give equal files. Rows are made and written in blocks, so this needs little memory whatever their number is.
"""

import numpy as np
import pandas as pd

NUMBERS = 22
CATEGORIES = 8
TARGET = "outcome"
# Rows that are made at once.
BLOCK = 50_000
# Every third column of numbers has so many holes.
MISSING = 0.02
# How many values the columns of categories have, in turn.
VALUES = [3, 5, 8, 12, 20, 30, 40, 50]


def block(generator, rows):
    """Some rows, and the share of them that the best of all rules would get right."""
    numbers = generator.normal(size=(rows, NUMBERS))
    # Columns are not independent of each other in any data that is real.
    numbers[:, 10] = 0.8 * numbers[:, 0] + 0.6 * numbers[:, 10]
    numbers[:, 11] = np.exp(numbers[:, 11])
    codes = np.column_stack([generator.integers(0, count, size=rows) for count in VALUES])
    score = (
        1.2 * numbers[:, 0] - 0.8 * numbers[:, 1] + 1.5 * np.sin(2 * numbers[:, 2]) + 0.9 * numbers[:, 3] * numbers[:, 4]
        + np.where(numbers[:, 5] > 0.5, 1.0, -0.5) + 0.7 * (codes[:, 1] - 2) + 1.1 * np.cos(codes[:, 5])
        + 0.8 * (codes[:, 0] == 1) * numbers[:, 6] - 0.3 * numbers[:, 10]
    )
    share = 1 / (1 + np.exp(-score))
    outcome = generator.random(rows) < share
    frame = pd.DataFrame({f"n{place:02}": numbers[:, place].round(4) for place in range(NUMBERS)})
    for place in range(0, NUMBERS, 3):
        frame.loc[generator.random(rows) < MISSING, f"n{place:02}"] = np.nan
    for place in range(CATEGORIES):
        names = np.array([f"v{code}" for code in range(VALUES[place])])
        frame[f"c{place}"] = names[codes[:, place]]
    frame[TARGET] = np.where(outcome, "yes", "no")
    return frame, np.maximum(share, 1 - share).sum()


def bytes_a_row():
    frame, _ = block(np.random.default_rng(0), 1_000)
    return len(frame.to_csv(index=False, header=False)) / 1_000


def write(folder, files, rows):
    """`files` files of so many rows each; gives bytes in all, and the accuracy of the best of all rules."""
    generator = np.random.default_rng(7)
    size, right = 0, 0.0
    for number in range(files):
        path = folder / f"part-{number:03}.csv"
        for begin in range(0, rows, BLOCK):
            frame, of_best = block(generator, min(BLOCK, rows - begin))
            frame.to_csv(path, index=False, header=begin == 0, mode="w" if begin == 0 else "a")
            right += of_best
        size += path.stat().st_size
    return size, right / (files * rows)


def read(folder):
    kinds = {f"c{place}": "category" for place in range(CATEGORIES)}
    frames = [pd.read_csv(path, dtype=kinds) for path in sorted(folder.glob("*.csv"))]
    return frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True)
