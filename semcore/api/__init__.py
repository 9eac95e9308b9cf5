"""semcore from Python: run a pipeline, read its results.

`semcore.run`, `semcore.read`, `semcore.Experiment` and `semcore.Results` are defined here.
"""
