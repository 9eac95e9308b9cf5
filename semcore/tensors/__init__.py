"""Channels on plain tensors, and the device that networks are on."""

from semcore.tensors.channels import OnTensors, at_snr, own_snr, symbols_of
from semcore.tensors.devices import (
    DEVICE,
    device,
    moved_to,
    named_device,
    on_device,
    placed,
    resolved,
    using,
    wrong_device,
)

__all__ = [
    "DEVICE",
    "OnTensors",
    "at_snr",
    "device",
    "moved_to",
    "named_device",
    "on_device",
    "own_snr",
    "placed",
    "resolved",
    "symbols_of",
    "using",
    "wrong_device",
]
