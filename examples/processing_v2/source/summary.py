"""Runs in the second job, from a directory of sources with requirements: `tabulate` draws the table."""

from pathlib import Path

import pandas as pd
from tabulate import tabulate

BASE = Path("/opt/ml/processing")
rows = pd.concat(pd.read_csv(path) for path in sorted((BASE / "input/rows").glob("*.csv")))
table = tabulate(rows.describe().round(2), headers="keys", tablefmt="github")
(BASE / "output/summary.md").write_text(table)
print(table)
