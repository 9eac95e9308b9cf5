"""From the results of runs to numbers: rows, means with intervals, charts, comparisons. Draws nothing."""
