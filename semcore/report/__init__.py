"""A run as one self-contained page."""

from semcore.report.page import write_report

__all__ = ["write_report"]
