"""A run as one self-contained page."""

from semcore.render.page.page import write_cell, write_report

__all__ = ["write_cell", "write_report"]
