"""From the results of runs to numbers: rows, means with intervals, charts, tables, comparisons.

Nothing here draws.
"""
