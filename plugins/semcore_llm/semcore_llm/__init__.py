"""The language side of semcore: planners, and metrics of text and its meaning."""
