"""A learned codec of an author's own: two modules and the settings that they are made from."""

from __future__ import annotations

import abc
import dataclasses
import functools
import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from semcore import ComponentError, RunError, file_digest, plain
from semcore.models import absent, fill_tensors, is_pickle, on_hub, read_checkpoint, weights_place
from semcore_image.jscc.learned import LearnedTransport
from semcore_image.models.digests import check_written, written

if TYPE_CHECKING:
    import torch
    from torch import nn

    from semcore_image.jscc.modules import ModuleNetwork

UNTRAINED = "untrained"
"""The weights of networks as they are made."""


@dataclass(frozen=True)
class ModuleCodec(LearnedTransport, abc.ABC):
    """Base of learned codecs: a subclass makes an encoder and a decoder, and has their settings.

    The encoder maps pictures, float32 0..1 (B, 3, H, W), to real features (B, ...) of any shape
    that follows from H and W. They are taken in pairs as complex symbols and scaled to unit average
    power; half the number of features is the number of channel uses. The decoder gets features of
    that shape, after the linear MMSE estimate of each symbol, and makes pictures (B, 3, H, W). A
    `forward` with a parameter `snr_db` gets the SNR, dB, float32 (B,): the encoder that of the
    channel, as far as both ends know it, the decoder that of the received symbols.

    The recipe `picture-codec` trains it over any channel.

    Fields:
        weights: folder written by the recipe, or its name on the hub (`user/name`,
            `user/name@revision`); a file of tensors of another program; `untrained`: the networks
            as they are made, for tests; null: those that its package ships, or none yet, for
            training
        allow_pickle: whether `weights` may be a pickle (.pth, .pt, .ckpt), which PyTorch then reads
            with a warning
    """

    loopback_sdr_db: ClassVar[float] = float("-inf")
    test_settings: ClassVar[tuple[Mapping[str, Any], ...]] = ({"weights": UNTRAINED},)
    stride: ClassVar[int] = 1
    """Sides of the pictures that the modules see are multiples of it; others are padded by
    replication, and cropped after decoding."""
    shipped: ClassVar[str] = ""
    """Folder of weights that a package ships: `weights/NAME` beside the module of the class."""
    names: ClassVar[Mapping[str, str | None]] = {}
    """Beginning of a tensor's name in another program's checkpoint -> its name here, `encoder.` or
    `decoder.` and the name in that module; None: such tensors are left out."""

    weights: str | None = None
    allow_pickle: bool = False

    @abc.abstractmethod
    def modules(self) -> tuple[nn.Module, nn.Module]:
        """A new encoder and a new decoder, from the settings alone."""

    def loss(self, pictures: torch.Tensor, decoded: torch.Tensor) -> torch.Tensor:
        """What training makes small, a scalar; the mean squared error unless overridden.

        Args:
            pictures: float32 0..1 (B, 3, H, W)
            decoded: float32 (B, 3, H, W), around 0..1
        """
        return (decoded - pictures).square().mean()

    def check(self) -> None:
        name = f"{type(self).__name__}.weights"
        if self.weights in (None, UNTRAINED) or on_hub(str(self.weights)):
            return
        place = Path(str(self.weights)).expanduser()
        if not place.is_file():
            check_written(self, "weights", self.weights)
        elif is_pickle(place) and not self.allow_pickle:
            raise ComponentError(
                f"{name}: {place} is a pickle, which can run any code when it is opened: where you "
                "trust it, convert it to safetensors, or set allow_pickle: true"
            )
        elif not is_pickle(place) and place.suffix != ".safetensors":
            raise ComponentError(f"{name}: {place} is neither a folder nor a .safetensors file")

    @property
    def source(self) -> str | None:
        """`weights`, or the folder that its package ships; None: none."""
        if self.weights is not None or not self.shipped:
            return self.weights
        return str(Path(inspect.getfile(type(self))).resolve().parent / "weights" / self.shipped)

    def missing(self) -> str:
        if self.source is None:
            return (
                f"weights: {type(self).__name__} has none: train it (`semcore train picture-codec "
                "transport.use=...`), and name the folder that this writes"
            )
        reason = "" if self.source == UNTRAINED else absent(self.source)
        return f"weights: {reason}" if reason else ""

    def identity(self) -> Any:
        """The digest of the weights."""
        if self.source is None or self.source == UNTRAINED:
            return None
        place = Path(self.source).expanduser()
        return file_digest(place)[:12] if place.is_file() else written(self.source)

    def design(self) -> dict[str, Any]:
        """The settings that the networks are made from, as config.json holds them."""
        own = {field.name for field in dataclasses.fields(ModuleCodec)}
        return {
            field.name: plain(getattr(self, field.name))
            for field in dataclasses.fields(self)
            if field.name not in own
        }

    def made(self, seed: int = 0) -> ModuleNetwork:
        """New networks, whose first weights are drawn by `seed`."""
        import torch

        from semcore_image.jscc.modules import ModuleNetwork

        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)  # restored at the end of the block
            encoder, decoder = self.modules()
        return ModuleNetwork(encoder, decoder, self.stride, type(self).__name__)

    @functools.cached_property
    def network(self) -> ModuleNetwork:
        """Both modules with their weights, in inference mode; loaded on first use.

        Raises:
            RunError: there are no weights, or they are not on this machine
            ComponentError: they were trained with other settings
        """
        if self.source is None:
            raise RunError(self.missing())
        network = self.made()
        if self.source != UNTRAINED:
            self._fill(network, weights_place(self.source))
        return network.float().eval().requires_grad_(False)

    def _fill(self, network: ModuleNetwork, place: Path) -> None:
        if place.is_file():
            held = read_checkpoint(place, self.names, self.allow_pickle)
            fill_tensors(network, held, place, "`names` in the class says what is called what")
            return
        from semcore_image.models.weights import load_config

        config, name = load_config(str(place)), type(self).__name__
        settings = config.get("settings")
        if not isinstance(settings, Mapping):
            raise RunError(f"{place / 'config.json'} was not written by the recipe picture-codec")
        for field, value in self.design().items():
            if field in settings and settings[field] != value:
                raise ComponentError(
                    f"{name}.{field} is {value}, and the weights {self.source} were trained with "
                    f"{settings[field]}: set {field} to that, or name other weights"
                )
        file = place / "model.safetensors"
        fill_tensors(network, read_checkpoint(file), file, f"{name} made other networks then")
