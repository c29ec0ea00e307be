"""Ratios and standard errors by the Python package svy, and how long they take.

    python estimates.py FOLDER ROWS PART...

Reads and prints what estimates.R beside it does. All indicators of a part go into one call, which is what svy recommends
for several ratios of one design.
"""

import os
import sys
import time

import numpy
import polars
import svy

folder, rows, parts = sys.argv[1], int(sys.argv[2]), [part.split(":") for part in sys.argv[3:]]
codes = ["commune", "hamlet", "household", "district"]
largest = max(int(part[1]) for part in parts)
names = ["weights", "hamlets", "households"]
names += [f"{kind}{number}" for number in range(largest) for kind in ("counted", "asked")]


def column(name):
    values = numpy.fromfile(os.path.join(folder, name), dtype="<f8", count=rows)
    return values.astype(numpy.int64) if name in codes else values


persons = polars.DataFrame({name: column(name) for name in codes + names})


def timed(name, work):
    processor, start = time.process_time(), time.perf_counter()
    result = work()
    seconds = min(time.process_time() - processor, time.perf_counter() - start)
    print(f"seconds {name} {seconds:.17g}", flush=True)
    return result


design = svy.Design(
    stratum="commune",
    psu="hamlet",
    ssu="household",
    wgt="weights",
    pop_size=svy.PopSize(psu="hamlets", ssu="households"),
)
sample = timed("design", lambda: svy.Sample(data=persons, design=design))
for unit, count in parts:
    numbers = range(int(count))
    by = None if unit == "province" else unit
    estimates = timed(
        f"{unit}:{count}",
        lambda: sample.estimation.ratio(
            [f"counted{number}" for number in numbers], [f"asked{number}" for number in numbers], by=by
        ),
    )
    for number, estimate in zip(numbers, estimates):
        for row in estimate.to_polars().iter_rows(named=True):
            domain = row[by] if by else 0
            print(f"estimate {unit}:{count} {number} {domain} {row['est']:.17g} {row['se']:.17g}")
