"""What one would write by hand: two tables, joined on id, compared slice by slice.

For all examples and for every value of every label column: both means, the paired difference with its 95 % interval,
and McNemar's exact test. Usage: compare_tables.py BASE.csv HEAD.csv
"""

import sys

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar


def row(name, base, head):
    n = len(base)
    delta = head - base
    half = stats.t.ppf(0.975, n - 1) * delta.std(ddof=1) / np.sqrt(n)
    passed, passes = base == 1, head == 1
    table = [
        [(passed & passes).sum(), (passed & ~passes).sum()],
        [(~passed & passes).sum(), (~passed & ~passes).sum()],
    ]
    mean = delta.mean()
    return name, n, base.mean(), head.mean(), mean, mean - half, mean + half, mcnemar(table, exact=True).pvalue


def main(base_path, head_path):
    base = pd.read_csv(base_path)
    head = pd.read_csv(head_path, usecols=["id", "trial", "score"])
    both = base.merge(head, on=["id", "trial"], suffixes=("_base", "_head"), validate="one_to_one")
    rows = [row("overall", both.score_base, both.score_head)]
    for key in [name for name in both.columns if name.startswith("label")]:
        for value, cell in both.groupby(key, sort=True):
            rows.append(row(f"{key}={value}", cell.score_base, cell.score_head))
    columns = ["slice", "n", "baseline", "head", "delta", "low", "high", "p"]
    print(pd.DataFrame(rows, columns=columns).to_string(index=False))
    fell = both[(both.score_base == 1) & (both.score_head == 0)]
    print(f"{len(fell)} passed before and fail now, e.g. {', '.join(fell.id.head(5))}")


main(*sys.argv[1:])
