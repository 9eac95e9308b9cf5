"""From the results of runs to numbers: rows, means with intervals, charts, tables, comparisons.

Nothing here draws. `read_rows` is where commands and notebooks begin.
"""

from semcore.analysis.aggregate import Summary
from semcore.analysis.chart import Chart, Line, Point
from semcore.analysis.rows import Row, read_rows
from semcore.analysis.table import Table
from semcore.runs.results import read_run

__all__ = ["Chart", "Line", "Point", "Row", "Summary", "Table", "read_rows", "read_run"]
