"""Learned codecs as transports: pictures to symbols, over any channel."""

from __future__ import annotations

import abc
import functools
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np
from annotated_types import Ge, Le
from pydantic import BeforeValidator

from semcore import ComponentError, KnowledgeBase, Sample, SemanticEncoder, Text
from semcore_image.captioning.mini import MiniCaptionEncoder
from semcore_image.jscc.learned import LearnedTransport
from semcore_image.models.digests import check_written, mini_digest, not_here, written

if TYPE_CHECKING:
    import torch

    from semcore_image.jscc.network import JsccNetwork


def ratio(value: object) -> object:
    """Convert a fraction such as `1/12` to a float; other values are returned as they are."""
    try:
        return float(Fraction(value)) if isinstance(value, str) else value
    except (ValueError, ZeroDivisionError) as error:
        raise ValueError("must be a number or a fraction such as 1/12") from error


Ratio = Annotated[float, BeforeValidator(ratio), Ge(1 / 1000), Le(10)]


@dataclass(frozen=True)
class LearnedCodec(LearnedTransport, abc.ABC):
    """Encoder and decoder networks, trained jointly through a noisy channel.

    A picture becomes H W 3 x CBR complex symbols of unit power. There are no bits, header or CRC;
    quality degrades gracefully with the SNR, and every channel use is `data`. One network serves
    all SNRs: the encoder gets the mean SNR of the channel, which both ends know (or `snr_db`), the
    decoder the noise variance after equalisation of each symbol.

    Fields:
        cbr: complex symbols per source value, as a number or as a fraction such as 1/12; must match
            the weights
        weights: folder written by the recipe, or its name on the hub (`user/name`,
            `user/name@revision`); null: the shipped weights
    """

    loopback_sdr_db: ClassVar[float] = 6.0
    shipped: ClassVar[dict[float, str]] = {}
    """Names of the shipped weights by CBR."""

    cbr: Ratio = 0.083333
    weights: str | None = None

    @property
    @abc.abstractmethod
    def build(self) -> Any:
        """The class of the network; its arguments are those of config.json."""

    def check(self) -> None:
        check_written(self, "weights", self.weights)
        if self.weights is None and self._shipped() is None:
            name = type(self).__name__
            known = ", ".join(str(Fraction(cbr).limit_denominator(1000)) for cbr in self.shipped)
            raise ComponentError(
                f"{name}.cbr: weights are only shipped for {known}; train others (`semcore train "
                f"{name.lower()}`) and set `weights` to their folder"
            )

    def _shipped(self) -> str | None:
        return next(
            (name for cbr, name in self.shipped.items() if abs(cbr - self.cbr) < 1e-4), None
        )

    def missing(self) -> str:
        return not_here("weights", self.weights)

    def identity(self) -> Any:
        """The digest of the weights."""
        return mini_digest(self._shipped() or "") if self.weights is None else written(self.weights)

    @functools.cached_property
    def network(self) -> JsccNetwork:
        """The network; its weights are loaded on first use."""
        from semcore_image.models.weights import fill, folder_of

        network = (
            fill(self.build, folder_of(self.weights) if self.weights else self._shipped() or "")
            .eval()
            .requires_grad_(False)
        )
        found = network.latent / (6 * network.stride**2)
        if abs(found - self.cbr) > 1e-4:
            raise ComponentError(
                f"{type(self).__name__}.cbr is {self.cbr:g}, and the weights {self.weights} were "
                f"trained for {found:g}"
            )
        return network


@dataclass(frozen=True)
class DeepJSCC(LearnedCodec):
    """Deep joint source-channel coding by convolutions, one network for all SNRs.

    Pictures are coded in 4 x 4 patches; ten residual blocks, each modulated by the SNR (FiLM, in
    place of ADJSCC's attention features), replace the five convolutions of the paper. Weights for
    CBR 1/6 and 1/12 are shipped, trained on CIFAR-10 over AWGN; their cards give the PSNR.
    """

    reference: ClassVar[str] = (
        "E. Bourtsoulatze et al., IEEE Trans. Cogn. Commun. Netw. 5(3), 2019; SNR-adaptive as J. "
        "Xu et al., 2022"
    )
    cites: ClassVar[tuple[str, ...]] = (
        "bourtsoulatze2019deep",
        "xu2022wireless",
        "krizhevsky2009learning",
    )
    test_settings = ({}, {"cbr": "1/6", "snr_db": 5.0})
    shipped: ClassVar[dict[float, str]] = {1 / 6: "deepjscc-6", 1 / 12: "deepjscc-12"}

    @property
    def build(self) -> Any:
        from semcore_image.jscc.deepjscc import DeepJscc

        return DeepJscc


@dataclass(frozen=True)
class WITT(LearnedCodec):
    """WITT, the wireless image transmission transformer: Swin blocks with channel modulation.

    Two stages of Swin blocks and, at both ends, a channel modulation network: eight fully connected
    layers with seven SNR modulations in between, whose output scales the features. Small weights
    for CBR 1/12 are shipped, trained on CIFAR-10 over AWGN (see their card); the recipe `witt`
    trains others.
    """

    reference: ClassVar[str] = (
        "K. Yang et al., WITT: a wireless image transmission transformer, ICASSP 2023"
    )
    cites: ClassVar[tuple[str, ...]] = ("yang2023witt", "krizhevsky2009learning")
    shipped: ClassVar[dict[float, str]] = {1 / 12: "witt-12"}

    def libraries(self) -> Mapping[str, str]:
        return {"timm": "semcore-image[models]"}

    @property
    def build(self) -> Any:
        from semcore_image.jscc.witt import Witt

        return Witt


@dataclass(frozen=True)
class LaMoSC(LearnedCodec):
    """LaMoSC: the picture is fused with the embedding of its caption before joint coding.

    The caption itself is not sent. Small weights for CBR 1/12 are shipped, trained on CIFAR-10 over
    AWGN (see their card); the recipe `lamosc` trains others.

    Fields:
        captioner: captioning encoder; null: mini-caption
    """

    reference: ClassVar[str] = "Y. Zhao et al., LaMoSC, IEEE Trans. Cogn. Commun. Netw., 2024"
    cites: ClassVar[tuple[str, ...]] = ("zhao2024lamosc", "krizhevsky2009learning")
    shipped: ClassVar[dict[float, str]] = {1 / 12: "lamosc-12"}

    captioner: SemanticEncoder | None = None

    @property
    def build(self) -> Any:
        from semcore_image.jscc.lamosc import Lamosc

        return Lamosc

    def embed(self, pixels: np.ndarray) -> torch.Tensor:
        from semcore_image.models.weights import load_mini

        encoder = self.captioner or MiniCaptionEncoder()
        semantics = encoder.encode([Sample("picture", image=pixels)], KnowledgeBase())[0]
        texts = [one.value for one in semantics.streams.values() if isinstance(one, Text)]
        return load_mini("mini-clip").encode_text([" ".join(texts)])
