"""What recipes share: the training loop, checkpoints, model cards."""

from semcore.training.loop import (
    asked,
    at_snr,
    at_snrs,
    by_row,
    command_of,
    descend,
    drawn_db,
    measured_at,
    move_average,
    one_cycle,
    run_epochs,
    set_rate,
    symbols_of,
    train_network,
    warming,
    write_model,
)
from semcore.training.resume import claim
from semcore.training.watch import on_epoch

__all__ = [
    "asked",
    "at_snr",
    "at_snrs",
    "by_row",
    "claim",
    "command_of",
    "descend",
    "drawn_db",
    "measured_at",
    "move_average",
    "on_epoch",
    "one_cycle",
    "run_epochs",
    "set_rate",
    "symbols_of",
    "train_network",
    "warming",
    "write_model",
]
