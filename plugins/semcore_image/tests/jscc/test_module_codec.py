"""Codecs of two modules of an author's own: symbols, weights of any origin, training over any
channel."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import nn

import semcore
from semcore import ComponentError, Picture, Received, Rng, RunError, Semantics, Symbols
from semcore.testing import conformance, run_laws
from semcore_channels.flat import AWGN
from semcore_image import DeepJSCC, ModuleCodec, PictureCodecRecipe, SamplePictures


@dataclass(frozen=True)
class Plain(ModuleCodec):
    """Convolutions that do not know the SNR, on pictures whose sides are multiples of 4.

    Fields:
        values: features per square of 4 x 4 pixels
    """

    stride: ClassVar[int] = 4
    names: ClassVar[dict[str, str | None]] = {
        "model.enc.": "encoder.1.",
        "model.dec.": "decoder.0.",
        "model.dec.unused": None,
    }

    values: int = 7

    def modules(self) -> tuple[nn.Module, nn.Module]:
        return (
            nn.Sequential(nn.PixelUnshuffle(4), nn.Conv2d(48, self.values, 1)),
            nn.Sequential(nn.Conv2d(self.values, 48, 1), nn.PixelShuffle(4)),
        )


class Adaptive(nn.Module):
    """A layer that is scaled by the SNR."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer
        self.seen: list[torch.Tensor] = []

    def forward(self, x: torch.Tensor, snr_db: torch.Tensor) -> torch.Tensor:
        self.seen.append(snr_db)
        return self.layer(x) * (1 + snr_db / 100)[:, None, None, None]


@dataclass(frozen=True)
class Knowing(Plain):
    """The same, and both halves know the SNR."""

    def modules(self) -> tuple[nn.Module, nn.Module]:
        encoder, decoder = super().modules()
        return Adaptive(encoder), Adaptive(decoder)


@dataclass(frozen=True)
class Jammed(semcore.ChannelModel):
    """A channel without a setting `snr_db`.

    Fields:
        clear_snr_db: Es/N0 without jamming, dB
    """

    clear_snr_db: float = 15.0

    def transmit(self, symbols: Symbols, rng: Rng) -> Received:
        jammed = rng.at("jammer").uniform(symbols) < 0.1
        noise_var = 10 ** (-self.clear_snr_db / 10) * (1 + 99 * jammed)
        return symbols.received(symbols.values + noise_var.sqrt() * rng.noise(symbols), noise_var)


test_laws_of_transports = conformance(Plain(weights="untrained"), Knowing(weights="untrained"))

PICTURES = [one.image for one in SamplePictures(limit=4).samples() if one.image is not None]


def batch(pictures: list[np.ndarray]) -> list[Semantics]:
    return [
        Semantics(str(index), {"picture": Picture(pixels)}) for index, pixels in enumerate(pictures)
    ]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve pictures, which are the validation, too."""
    folder = tmp_path_factory.mktemp("pictures")
    for split in ("train", "test"):
        (folder / split / "all").mkdir(parents=True)
        for number, one in enumerate(SamplePictures(limit=12).samples()):
            assert one.image is not None
            Image.fromarray(one.image).save(folder / split / "all" / f"{number}.png")
    return folder


@pytest.mark.parametrize(("size", "uses"), [((32, 32), 224), ((30, 37), 280), ((5, 9), 21)])
def test_features_become_symbols_of_unit_power_that_the_ledger_counts(
    size: tuple[int, int], uses: int
) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (*size, 3), np.uint8)
    codec = Plain(weights="untrained")
    symbols = codec.send(batch([pixels]), Rng(1))
    assert symbols.layout.lengths == (uses,)  # 7 values per square, half of them, rounded up
    torch.testing.assert_close(symbols.values.abs().square().mean(), torch.tensor(1.0))
    arrived = codec.receive(AWGN(snr_db=10.0).transmit(symbols, Rng(1)))[0]
    assert arrived.streams["picture"].pixels.shape == pixels.shape  # type: ignore[attr-defined]


def test_the_receiver_gets_the_mmse_estimate_of_the_features_in_their_shape() -> None:
    codec, images = Plain(weights="untrained"), torch.rand(2, 3, 16, 16)
    sent = codec.encoder(images)
    features = codec.network.encoder(images)
    rms = torch.view_as_complex(features.reshape(2, -1, 2)).abs().square().mean(1).sqrt()
    wanted = codec.network.decoder(features / rms[:, None, None, None] / 1.25)
    torch.testing.assert_close(codec.decoder(sent, 0.25, (16, 16)), wanted)


def test_modules_that_ask_for_the_snr_get_it() -> None:
    codec = Knowing(weights="untrained", snr_db=7.0)
    sent = codec.encoder(torch.rand(2, 3, 8, 8))
    codec.decoder(sent, 0.1, (8, 8))
    codec.encoder(torch.rand(2, 3, 8, 8), torch.tensor([1.0, 2.0]))
    encoder, decoder = codec.network.encoder, codec.network.decoder
    assert isinstance(encoder, Adaptive) and isinstance(decoder, Adaptive)
    assert encoder.seen[1].tolist() == [7, 7] and encoder.seen[2].tolist() == [1, 2]
    torch.testing.assert_close(decoder.seen[0], torch.full((2,), 10.0))


def test_a_shipped_codec_has_callable_halves_too() -> None:
    codec, images = DeepJSCC(snr_db=10.0), torch.rand(2, 3, 32, 32, requires_grad=True)
    y, noise_var = AWGN(snr_db=10.0)(codec.encoder(images), Rng(1))
    decoded = codec.decoder(y, noise_var, (32, 32))
    decoded.square().mean().backward()
    assert decoded.shape == images.shape and images.grad is not None and images.grad.abs().sum() > 0


# ---------------------------------------------------------------------------- what authors do wrong


def made(encoder: nn.Module, decoder: nn.Module) -> ModuleCodec:
    @dataclass(frozen=True)
    class Wrong(ModuleCodec):
        def modules(self) -> tuple[nn.Module, nn.Module]:
            return encoder, decoder

    return Wrong(weights="untrained")


class Call(nn.Module):
    """A function as a module."""

    def __init__(self, function: Any) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: torch.Tensor) -> Any:
        return self.function(x)


@pytest.mark.parametrize(
    ("encoder", "decoder", "said"),
    [
        (lambda x: x + 0j, lambda x: x, "real features .* not complex"),
        (lambda x: [x], lambda x: x, "real features .* not list"),
        (lambda x: x.mean(), lambda x: x, "real features"),
        (lambda x: x[:0], lambda x: x, "first dimension is the batch"),
        (lambda x: x.reshape(7, 7), lambda x: x, "fails on a picture of 32x32 pixels: .*shape"),
        (lambda x: x[:, :, ::2], lambda x: x, r"pictures \[1, 3, 32, 32\] are needed.*`stride`"),
        (lambda x: x, lambda x: x.repeat(1, 1, 2, 2), r"made \[1, 3, 64, 64\] of features"),
        (lambda x: x, lambda x: x[:, 0], r"made \[1, 32, 32\] of features"),
        (lambda x: x[:, : 1 + int(x.max() > 0)], lambda x: x, "must follow from the size alone"),
    ],
)
def test_modules_that_break_the_agreement_are_refused(
    encoder: Any, decoder: Any, said: str
) -> None:
    codec = made(Call(encoder), Call(decoder))
    with pytest.raises(ComponentError, match=f"Wrong: .*{said}"):
        codec.receive(AWGN().transmit(codec.send(batch(PICTURES[:1]), Rng(1)), Rng(1)))


def test_a_codec_without_weights_is_refused_before_a_run() -> None:
    assert "train it (`semcore train picture-codec" in Plain().missing()
    with pytest.raises(RunError, match="weights: Plain has none"):
        Plain().send(batch(PICTURES), Rng(1))


# ----------------------------------------------------------------------------------- training, use


def test_a_codec_is_trained_over_a_channel_without_an_snr_and_used(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = PictureCodecRecipe(
        str(pictures),
        Jammed(),
        transport=Knowing(),
        batch_size=8,
        epochs=40,
        learning_rate=2e-2,
        device="cpu",
    )
    recipe.train(tmp_path / "out")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("epoch 1/40  loss ") and " psnr " in lines[0] and "to go" in lines[0]
    assert len(lines) == 40 and "to go" not in lines[-1]
    curve = (tmp_path / "out" / "validation.csv").read_text().splitlines()
    assert curve[0] == "epoch,seconds,loss,psnr" and len(curve) == 41
    assert float(curve[-1].split(",")[-1]) > float(curve[1].split(",")[-1]) + 1
    assert (tmp_path / "out" / "validation.png").read_bytes().startswith(b"\x89PNG")
    card = (tmp_path / "out" / "README.md").read_text()
    assert "over the channel as it is, dB" in card and "| 224 (7/96) |" in card
    used = Knowing(weights=str(tmp_path / "out"))
    symbols = used.send(batch(PICTURES), Rng(1))
    arrived = used.receive(Jammed().transmit(symbols, Rng(1)))
    untrained = Knowing(weights="untrained")
    before = untrained.receive(Jammed().transmit(untrained.send(batch(PICTURES), Rng(1)), Rng(1)))
    assert error(arrived) < error(before) / 3


def error(arrived: list[Semantics]) -> float:
    """Mean squared error of the pictures."""
    pixels = [one.streams["picture"].pixels for one in arrived]  # type: ignore[attr-defined]
    return float(np.mean((np.stack(pixels).astype(float) - np.stack(PICTURES)) ** 2))


def test_weights_of_other_settings_are_refused(pictures: Path, tmp_path: Path) -> None:
    recipe = PictureCodecRecipe(
        str(pictures), AWGN(), transport=Plain(values=6), batch_size=8, epochs=1
    )
    recipe.train(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["settings"] == {"values": 6}
    assert Plain(values=6, weights=str(tmp_path)).network.uses((32, 32)) == 192
    with pytest.raises(ComponentError, match="values is 7, and the weights .* were trained with 6"):
        _ = Plain(weights=str(tmp_path)).network
    with pytest.raises(RunError, match="lacks the tensors|unknown tensors"):
        _ = Knowing(values=6, weights=str(tmp_path)).network
    again = dataclasses.replace(recipe, transport=Plain(values=6, weights=str(tmp_path)))
    torch.testing.assert_close(
        again.fresh().state_dict(), again.transport.network.state_dict(), rtol=0, atol=0
    )


# ---------------------------------------------------------------------------- weights of elsewhere


def foreign() -> tuple[dict[str, torch.Tensor], Plain]:
    """Tensors under the names of another program, and the codec that they belong to."""
    made = Plain().made(seed=5)
    held = {
        "model.enc.weight": made.encoder[1].weight,  # type: ignore[index]
        "model.enc.bias": made.encoder[1].bias,  # type: ignore[index]
        "model.dec.weight": made.decoder[0].weight,  # type: ignore[index]
        "model.dec.bias": made.decoder[0].bias,  # type: ignore[index]
        "model.dec.unused": torch.zeros(3),
    }
    return {name: value.detach().clone() for name, value in held.items()}, Plain()


def test_tensors_of_another_program_are_read_by_the_names_of_the_class(tmp_path: Path) -> None:
    held, _ = foreign()
    save_file(held, tmp_path / "paper.safetensors")
    codec = Plain(weights=str(tmp_path / "paper.safetensors"))
    torch.testing.assert_close(
        codec.network.state_dict(), Plain().made(seed=5).state_dict(), rtol=0, atol=0
    )
    assert codec.identity() and codec.missing() == ""
    save_file({**held, "model.more": torch.zeros(1)}, tmp_path / "more.safetensors")
    with pytest.raises(RunError, match="unknown tensors model.more .*`names` in the class"):
        _ = Plain(weights=str(tmp_path / "more.safetensors")).network


def test_a_pickle_is_opened_only_where_it_is_allowed_and_never_silently(tmp_path: Path) -> None:
    held, _ = foreign()
    file = tmp_path / "paper.pth"
    torch.save({"state_dict": held}, file)
    with pytest.raises(ComponentError, match=r"paper\.pth is a pickle.*allow_pickle: true"):
        Plain(weights=str(file))
    codec = Plain(weights=str(file), allow_pickle=True)
    with pytest.warns(UserWarning, match="is a pickle, and is opened because `allow_pickle`"):
        found = codec.network.state_dict()
    torch.testing.assert_close(found, Plain().made(seed=5).state_dict(), rtol=0, atol=0)


class Bomb:
    """Runs code when it is unpickled."""

    def __reduce__(self) -> Any:
        return Path.touch, (Path("exploded"),)


def test_a_pickle_with_code_is_not_run_even_where_pickles_are_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"state_dict": Bomb()}, tmp_path / "bomb.pth")
    codec = Plain(weights=str(tmp_path / "bomb.pth"), allow_pickle=True)
    with pytest.warns(UserWarning), pytest.raises(RunError, match="cannot be read as tensors"):
        _ = codec.network
    assert not (tmp_path / "exploded").exists()


def test_weights_by_their_name_on_the_hub(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the hub's client leaves them on this machine; the network is not asked."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    codec = Plain(weights="anna/my-codec@v1")
    assert "hf download anna/my-codec --revision v1" in codec.missing()
    with pytest.raises(RunError, match="hf download anna/my-codec"):
        _ = codec.network
    place = tmp_path / "cache" / "models--anna--my-codec"
    PictureCodecRecipe(str(pictures), AWGN(), transport=Plain(), batch_size=8, epochs=1).train(
        place / "snapshots" / ("a" * 40)
    )
    (place / "refs").mkdir()
    (place / "refs" / "v1").write_text("a" * 40)
    assert codec.missing() == "" and codec.identity()
    found = Plain(weights="anna/my-codec@v1").network.state_dict()
    local = Plain(weights=str(place / "snapshots" / ("a" * 40))).network.state_dict()
    torch.testing.assert_close(found, local, rtol=0, atol=0)
    deepjscc = DeepJSCC(weights="anna/other")
    assert deepjscc.missing().startswith("weights: there is no folder anna/other in ")


def test_its_recipe_keeps_the_laws_of_recipes(tmp_path: Path) -> None:
    recipe = PictureCodecRecipe(data=str(tmp_path), channel=AWGN(), transport=Plain())
    verdicts = run_laws(recipe)
    assert not [one for one in verdicts if one.result == "broken"]
    assert {one.law.name for one in verdicts if one.result == "holds"} >= {
        "is-a-frozen-dataclass",
        "documents-every-field",
        "units-stand-in-names",
    }
