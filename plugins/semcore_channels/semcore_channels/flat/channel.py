"""The base class of flat channels: one complex gain per symbol, and noise."""

from __future__ import annotations

import abc
import math
from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Gt, Le

from semcore import ChannelModel, ComponentError
from semcore_channels.budget import Term
from semcore_channels.snr import Decibels

Power = Annotated[float, Ge(-200), Le(200)]


@dataclass(frozen=True)
class FlatChannel(ChannelModel, abc.ABC):
    """A flat channel, y = h x + n, with n circular complex Gaussian of variance N0 and E|h|^2 = 1.

    Symbols have unit average power, so `snr_db` is Es/N0 per complex symbol before fading:
    N0 = 10^(-snr_db/10). A link budget may replace it (with `snr_db: null`): transmit power P, path
    loss L(d) = sqrt(d^-alpha) in amplitude and noise power N give the SNR P d^-alpha / N (MMSemCom,
    section VI-B: 20 dBm, alpha = 2, 50 to 200 m; N is not stated there).

    Fields:
        snr_db: Es/N0 per complex symbol before fading, dB, -50..100; null if a power is given
        tx_power_dbm: transmit power, dBm, in place of an SNR
        distance_m: distance of the receiver, m, for `tx_power_dbm`
        path_loss_exponent: alpha, for `tx_power_dbm`
        noise_power_dbm: noise power at the receiver, dBm, for `tx_power_dbm`
    """

    snr_db: Decibels | None = 10.0
    tx_power_dbm: Power | None = None
    distance_m: Annotated[float, Gt(0), Le(1e9)] = 100.0
    path_loss_exponent: Annotated[float, Ge(0), Le(10)] = 2.0
    noise_power_dbm: Power | None = None

    def check(self) -> None:
        name = type(self).__name__
        if (self.snr_db is None) == (self.tx_power_dbm is None):
            both = "and has neither"
            if self.snr_db is not None:
                both = "not both: write `snr_db: null`"
            raise ComponentError(
                f"{name} needs one reading of the SNR, snr_db or tx_power_dbm, {both}"
            )
        if (self.tx_power_dbm is None) != (self.noise_power_dbm is None):
            raise ComponentError(
                f"{name}.noise_power_dbm goes with tx_power_dbm: "
                "the SNR is one over the other, less path loss"
            )

    @property
    def path_loss_db(self) -> float:
        """10 alpha log10(d)."""
        return 10 * self.path_loss_exponent * math.log10(self.distance_m)

    def nominal_snr_db(self) -> float:
        """Es/N0 before fading, dB, from `snr_db` or from the link budget."""
        if self.snr_db is not None:
            return self.snr_db
        assert self.tx_power_dbm is not None and self.noise_power_dbm is not None
        return self.tx_power_dbm - self.path_loss_db - self.noise_power_dbm

    def mean_snr_db(self) -> float:
        return self.nominal_snr_db()

    def budget(self) -> list[Term]:
        """The terms of the SNR, in order; the last one is the SNR."""
        if self.tx_power_dbm is None or self.noise_power_dbm is None:
            return [Term("SNR", self.nominal_snr_db(), "dB", "snr_db as given")]
        way = f"{self.distance_m:g} m, exponent {self.path_loss_exponent:g}"
        return [
            Term("transmit power", self.tx_power_dbm, "dBm"),
            Term("path loss", -self.path_loss_db, "dB", way),
            Term("noise", self.noise_power_dbm, "dBm"),
            Term("SNR", self.nominal_snr_db(), "dB", "before fading"),
        ]
