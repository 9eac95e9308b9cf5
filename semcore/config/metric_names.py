"""The names of metrics in results; equal ones are distinguished by their settings."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from semcore.entrypoints.naming import name_of
from semcore.interfaces import Metric


def metric_names(metrics: Sequence[Metric]) -> list[str]:
    """The registered names of metrics and nested ones; equal ones with their settings."""
    names = [_called(metric) for metric in metrics]
    shown = []
    for name, metric in zip(names, metrics, strict=True):
        twins = [
            other.settings()
            for other_name, other in zip(names, metrics, strict=True)
            if other_name == name
        ]
        differing = [
            f"{key}={value}"
            for key, value in metric.settings().items()
            if any(t[key] != value for t in twins)
        ]
        shown.append(f"{name} ({', '.join(differing)})" if differing else name)
    return shown


def _called(metric: Metric) -> str:
    inside = [getattr(metric, field.name) for field in dataclasses.fields(metric)]
    return "-".join(
        [name_of(type(metric)), *(_called(one) for one in inside if isinstance(one, Metric))]
    )
