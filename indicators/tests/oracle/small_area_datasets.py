"""Writes small_area_datasets.json: the direct estimates on which area-level models are compared with other programs.

python3 small_area_datasets.py milk.csv > small_area_datasets.json

milk.csv holds the columns yi, SD and MajorArea of the data set milk in R's package sae 1.3: average expenditure on fresh
milk in 43 areas of the United States in 1989, as in Arora & Lahiri (1997, Statistica Sinica 7, 1053-1063) and You & Chapman
(2006, Survey Methodology 32, 97-103). The other data sets are invented.
"""

import csv
import json
import random
import sys


def milk(path):
    rows = list(csv.DictReader(open(path)))
    major = [int(row["MajorArea"]) for row in rows]
    return {
        "name": "milk",
        "y": [float(row["yi"]) for row in rows],
        "psi": [float(row["SD"]) ** 2 for row in rows],
        "x": [[1] + [int(area == level) for level in (2, 3, 4)] for area in major],
    }


def invented(name, areas, between, seed, new):
    """Shares of communes that depend on two covariates; the last ones are not surveyed."""
    draw = random.Random(seed)
    x = [[1, round(draw.random(), 3), round(draw.gauss(0, 1), 3)] for _ in range(areas + new)]
    psi = [round(0.25 / draw.randint(12, 160) * draw.uniform(1, 2.5), 6) for _ in range(areas)]
    truth = [0.45 + 0.3 * row[1] - 0.04 * row[2] for row in x]
    y = [round(truth[i] + draw.gauss(0, between) + draw.gauss(0, psi[i] ** 0.5), 6) for i in range(areas)]
    return {"name": name, "y": y, "psi": psi, "x": x[:areas], "new": x[areas:]}


milk_data = milk(sys.argv[1])
alone = dict(milk_data, name="milk, intercept alone", x=[[1] for _ in milk_data["y"]])
print(
    json.dumps(
        [
            milk_data,
            alone,
            invented("communes", 46, 0.07, 394, 11),
            invented("few areas", 9, 0.1, 82, 3),
            invented("unequal", 172, 0.03, 2022, 5),
            invented("alike", 40, 0.0, 5, 2),
        ]
    )
)
