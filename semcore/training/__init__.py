"""What recipes share: the training loop, checkpoints, model cards."""

from semcore.training.batches import Batches, DrawnBatches, RowBatches
from semcore.training.loop import (
    asked,
    at_snr,
    at_snrs,
    by_row,
    command_of,
    descend,
    drawn_db,
    has_snr,
    measured_at,
    move_average,
    one_cycle,
    run_epochs,
    set_rate,
    symbols_of,
    warming,
    write_model,
)
from semcore.training.network import Step, Training, at_place
from semcore.training.resume import claim
from semcore.training.settings import NetworkRecipe
from semcore.training.watch import on_epoch

__all__ = [
    "Batches",
    "DrawnBatches",
    "NetworkRecipe",
    "RowBatches",
    "Step",
    "Training",
    "asked",
    "at_place",
    "at_snr",
    "at_snrs",
    "by_row",
    "claim",
    "command_of",
    "descend",
    "drawn_db",
    "has_snr",
    "measured_at",
    "move_average",
    "on_epoch",
    "one_cycle",
    "run_epochs",
    "set_rate",
    "symbols_of",
    "warming",
    "write_model",
]
