"""A run as one self-contained page."""

from semcore.report.page import write_cell, write_report

__all__ = ["write_cell", "write_report"]
