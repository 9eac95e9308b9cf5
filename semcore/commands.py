"""What a plugin's own commands are built from: options of the command line, tables, files."""

from semcore.children import Limits, attempt
from semcore.cli import cli, main
from semcore.cli.run import OVERRIDES, PIPELINE
from semcore.cli.select import Place
from semcore.config.build import component
from semcore.config.configuration import load
from semcore.render.columns import columns, console
from semcore.runs.sources import load as load_samples
from semcore.storage import write_output

__all__ = [
    "Limits",
    "OVERRIDES",
    "PIPELINE",
    "Place",
    "attempt",
    "cli",
    "columns",
    "component",
    "console",
    "load",
    "load_samples",
    "main",
    "write_output",
]
