"""Recipes on anybody's pictures: what they take, what their cards say, and that what they wrote can
be used."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from semcore import ComponentError, KnowledgeBase, Rng, RunError, Sample, Semantics, Text
from semcore.commands import main
from semcore_channels.flat import AWGN
from semcore_image.captioning.mini import MiniCaptionEncoder
from semcore_image.generation.mini import MiniDiffusionGenerator
from semcore_image.jscc.transport import DeepJSCC
from semcore_image.mmsemcom import networks
from semcore_image.mmsemcom.encoder import MultiSemEncoder
from semcore_image.mmsemcom.generator import ClassDiffusionGenerator
from semcore_image.models.clip import MiniClipModel
from semcore_image.selection.clip_score import ClipScoreSelector
from semcore_image.training import class_diffusion, multisem
from semcore_image.training import mini_diffusion as diffusion
from semcore_image.training.class_diffusion import ClassDiffusionRecipe
from semcore_image.training.data import load_split
from semcore_image.training.mini_caption import MiniCaptionRecipe
from semcore_image.training.mini_classifier import MiniClassifierRecipe
from semcore_image.training.mini_clip import MiniClipRecipe
from semcore_image.training.mini_diffusion import MiniDiffusionRecipe
from semcore_image.training.mini_vae import MiniVaeRecipe
from semcore_image.training.multisem import MultiSemRecipe
from semcore_image.vocabulary import CLASSES

KB = KnowledgeBase()
OWN = ("boats", "fire trucks", "ravens")
PIXELS = np.random.default_rng(5).integers(0, 256, (40, 50, 3), np.uint8)


def fill(
    folder: Path, names: tuple[str, ...] = ("boats", "fire_trucks", "Ravens"), count: int = 5
) -> Path:
    rng = np.random.default_rng(1)
    for name in names:
        (folder / name).mkdir(parents=True)
        for number in range(count):
            size = (int(rng.integers(20, 60)), int(rng.integers(20, 60)), 3)
            Image.fromarray(rng.integers(0, 256, size, np.uint8)).save(
                folder / name / f"{number}.png"
            )
    return folder


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of classes that nobody else has, of pictures of any size."""
    return fill(tmp_path_factory.mktemp("own"))


# ------------------------------------------------------------------------------------ training data


def test_any_folder_of_classes_is_training_data(own: Path) -> None:
    train, test = load_split(own, "train"), load_split(own, "test")
    assert (
        train.classes == test.classes == ("ravens", "boats", "fire trucks")
    )  # as the names of their folders sort
    assert train.images.shape == (12, 3, 32, 32) and len(test) == 3
    assert train.labels.tolist() == [0] * 4 + [1] * 4 + [2] * 4 and test.labels.tolist() == [
        0,
        1,
        2,
    ]
    assert load_split(own, "train", 48).images.shape[2:] == (48, 48)


@pytest.mark.parametrize("test", ["test", "val", "validation"])
def test_splits_are_taken_as_they_are(tmp_path: Path, test: str) -> None:
    fill(tmp_path / "train", ("a", "b"))
    fill(tmp_path / test, ("b",), 2)
    assert len(load_split(tmp_path, "train")) == 10
    assert load_split(tmp_path, "test").labels.tolist() == [1, 1]


def test_pictures_alone_are_one_class(tmp_path: Path) -> None:
    fill(tmp_path, ("things",))
    split = load_split(tmp_path / "things", "train")
    assert split.classes == ("things",) and len(split) == 4


def test_what_is_wrong_with_training_data_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="there is no folder"):
        load_split(tmp_path / "nowhere", "train")
    with pytest.raises(RunError, match="holds no pictures in train/<class>/ or <class>/"):
        load_split(tmp_path, "train")
    (fill(tmp_path / "a", ("x", "y")) / "z").mkdir()
    with pytest.raises(RunError, match="the class folder .*z holds no pictures"):
        load_split(tmp_path / "a", "train")
    (fill(tmp_path / "b", ("x",)) / "x" / "0.png").write_bytes(b"no picture")
    with pytest.raises(RunError, match=r"0\.png cannot be read"):
        load_split(tmp_path / "b", "train")
    fill(tmp_path / "c" / "train", ("x",)), fill(tmp_path / "c" / "test", ("strange",))
    with pytest.raises(RunError, match="strange is a class that .* does not have"):
        load_split(tmp_path / "c", "test")
    with pytest.raises(RunError, match="leaves no picture for the test"):
        load_split(fill(tmp_path / "d", ("x",), 1), "test")


# ------------------------------------------------------------------------------ by the command line


def test_weights_are_found_by_the_path_that_train_printed(
    own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = [
        f"data={own}",
        "channel.use=awgn",
        "epochs=1",
        "batch_size=8",
        "width=8",
        "blocks=1",
        "cbr=1/6",
    ]
    assert _exit("train", "deepjscc", *settings) == 0
    printed = capsys.readouterr().out.splitlines()[-1].removeprefix("Weights and card: ")
    assert not Path(printed).is_absolute()
    for place in (printed, str(Path(printed).absolute()), f"./{printed}"):
        network = DeepJSCC(cbr="1/6", weights=place).network  # type: ignore[arg-type]
        assert network.latent == 16
    card = (Path(printed) / "README.md").read_text()
    assert (
        "Training data: 12 pictures of 3 classes (ravens, boats, fire trucks) of the folder own"
        in card
    )


def _exit(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    return int(ended.value.code or 0)


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_of_a_recipe_lists_its_fields(flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert _exit("train", "multisem", flag) == 0
    told = capsys.readouterr().out
    for name in ("data", "backbone_weights", "photographs", "size", "snr_db"):
        assert f"  {name}  " in told
    assert _exit("train", flag) == 0 and "RECIPE" in capsys.readouterr().out
    assert _exit("train", "multisemm", flag) != 0 and "multisem" in capsys.readouterr().err
    assert _exit("train") != 0 and "mini-clip" in capsys.readouterr().err


@pytest.mark.parametrize(
    "made",
    [
        lambda place: DeepJSCC(weights=place),
        lambda place: MiniCaptionEncoder(weights=place),
        lambda place: MiniDiffusionGenerator(weights=place),
        lambda place: ClipScoreSelector(weights=place),
        lambda place: MultiSemEncoder(features=place),
        lambda place: ClassDiffusionGenerator(weights=place),
    ],
)
def test_a_folder_without_weights_is_refused_before_work_starts(made: Any, tmp_path: Path) -> None:
    with pytest.raises(ComponentError, match=r"(weights|features): there is no folder .*nowhere"):
        made(str(tmp_path / "nowhere"))
    with pytest.raises(ComponentError, match=r"(weights|features): .* holds no config\.json"):
        made(str(tmp_path))


# ------------------------------------------------------------------------- what was trained is used


@pytest.mark.slow
def test_mini_models_of_ones_own_are_used(
    own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few: dict[str, Any] = {"data": str(own), "epochs": 1, "batch_size": 6, "threads": 1}
    MiniClipRecipe(**few, text_batch_size=6).train(tmp_path / "clip")
    MiniCaptionRecipe(**few).train(tmp_path / "caption")
    real = diffusion.MiniDiffusion.sample
    monkeypatch.setattr(
        diffusion.MiniDiffusion,
        "sample",
        lambda *given, **more: real(*given, **{**more, "steps": 1}),
    )
    MiniVaeRecipe(**few).train(tmp_path / "vae")
    MiniDiffusionRecipe(**few, vae=str(tmp_path / "vae")).train(tmp_path / "diffusion")
    own_vae, used = (
        load_file(tmp_path / name / "model.safetensors") for name in ("vae", "diffusion/vae")
    )
    assert own_vae.keys() == used.keys() and all(
        torch.equal(own_vae[name], used[name]) for name in used
    )
    MiniClassifierRecipe(data=str(own), stages=(1,), batch_size=6, threads=1).train(
        tmp_path / "classifier"
    )

    clip = MiniClipModel(str(tmp_path / "clip"))
    assert clip.digest != MiniClipModel().digest
    assert not np.allclose(clip.images([PIXELS]), MiniClipModel().images([PIXELS]))
    encoder = MiniCaptionEncoder(weights=str(tmp_path / "caption"))
    words = (encoder.encode([Sample("a", image=PIXELS)], KB)[0].text("caption") or "").split()
    known = {"a", "an", "on", "background", *" ".join(OWN).split()} | set(
        encoder._net.decoder.vocabulary
    )
    assert (
        set(words) <= known and "trucks" in encoder._net.decoder.index and "airplane" not in known
    )
    assert encoder.identity() != MiniCaptionEncoder().identity()
    generator = MiniDiffusionGenerator(weights=str(tmp_path / "diffusion"), steps=1)
    batch = [Semantics("a", {"caption": Text("a fire trucks")})]
    mine, shipped = (
        one.generate(batch, KB, Rng(1))[0].samples[0].image
        for one in (generator, MiniDiffusionGenerator(steps=1))
    )
    assert mine is not None and shipped is not None and not np.array_equal(mine, shipped)
    for name in ("clip", "caption", "diffusion", "classifier"):
        assert json.loads((tmp_path / name / "config.json").read_text())["classes"] == [
            "ravens",
            "boats",
            "fire trucks",
        ]
        assert "of 3 classes" in (tmp_path / name / "README.md").read_text()


def test_weights_of_another_model_than_mini_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ComponentError, match="weights only apply to model mini"):
        ClipScoreSelector(model="ViT-B-32", weights=str(tmp_path))


# ----------------------------------------------------------------------------------------- MMSemCom


SEEN: list[tuple[int, ...]] = []
"""Sizes of pictures that a network was shown."""


@pytest.fixture(scope="module")
def trained(own: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """multisem at 48 pixels, and class-diffusion, both of the folder's own classes."""
    folder, channel, maps = (
        tmp_path_factory.mktemp("trained"),
        AWGN(snr_db=10.0),
        networks.MultiSem.maps,
    )

    def look(self: Any, images: torch.Tensor) -> torch.Tensor:
        SEEN.append(tuple(images.shape[2:]))
        return maps(self, images)

    common: dict[str, Any] = {"data": str(own), "channel": channel, "epochs": 1, "batch_size": 8}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(networks.MultiSem, "maps", look)
        patch.setattr(
            class_diffusion, "evaluate", functools.partial(class_diffusion.evaluate, count=1)
        )
        MultiSemRecipe(**common, drawings=1, size=48).train(folder / "multisem")
        ClassDiffusionRecipe(**common, drawings=1, passes_at_once=1).train(
            folder / "class-diffusion"
        )
    return folder


@pytest.mark.slow
def test_multisem_is_trained_at_its_size(trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert set(SEEN) == {(48, 48)}
    config = json.loads((trained / "multisem" / "config.json").read_text())
    assert config["size"] == [48, 48] and config["positions"] == 6
    assert MultiSemEncoder(features=str(trained / "multisem")).network.size == (48, 48)


@pytest.mark.slow
def test_cards_say_on_what_was_measured(trained: Path) -> None:
    cards = {
        name: (trained / name / "README.md").read_text() for name in ("multisem", "class-diffusion")
    }
    assert (
        "## Measured on training pictures" in cards["class-diffusion"]
        and "unseen" not in cards["class-diffusion"]
    )
    assert "## Measured on unseen pictures" in cards["multisem"] and "48×48" in cards["multisem"]
    for card in cards.values():
        assert (
            "Training data: 12 pictures of 3 classes (ravens, boats, fire trucks) of the folder own"
            in card
        )


@pytest.mark.slow
def test_own_classes_are_sent_and_drawn(trained: Path) -> None:
    settings = {"features": str(trained / "multisem")}
    sent = MultiSemEncoder(**settings).encode([Sample("a", image=PIXELS)], KB)
    assert MultiSemEncoder(**settings).lists[0] == ("a ravens", "a boats", "a fire trucks")
    generator = ClassDiffusionGenerator(
        weights=str(trained / "class-diffusion"), candidates=2, steps=1, **settings
    )
    images = generator.generate(sent, KB, Rng(1))[0].samples
    assert len(images) == 2 and generator.class_of(sent[0]) in (0, 1, 2)


@pytest.mark.parametrize(
    "lists",
    [
        (("a cat", "a dog"),),
        (("ravens", "boats"),),
        (("boats", "ravens", "fire trucks"),),
        (("a raven", "boats", "fire trucks"),),
        ((*(f"a {name}" for name in CLASSES),),),
    ],
)
def test_prompts_of_other_classes_than_the_weights_know_are_refused(
    trained: Path, lists: Any
) -> None:
    with pytest.raises(
        ComponentError, match=r"prompts.* know 3 classes \(ravens, boats, fire trucks\)"
    ):
        MultiSemEncoder(features=str(trained / "multisem"), prompts=lists)
    if len(lists[0]) == 3:
        with pytest.raises(ComponentError, match="know 10 classes"):
            MultiSemEncoder(prompts=lists)


def test_a_generator_of_other_classes_than_the_features_is_refused(trained: Path) -> None:
    with pytest.raises(ComponentError, match=r"have 3 classes .*features 10 \(airplane"):
        ClassDiffusionGenerator(weights=str(trained / "class-diffusion"))
    with pytest.raises(ComponentError, match="have 10 classes .*features 3"):
        ClassDiffusionGenerator(features=str(trained / "multisem"))
    good = (("ravens!", "some boats", "three fire trucks"), ("red", "blue"))
    assert MultiSemEncoder(features=str(trained / "multisem"), prompts=good).lists == good
    assert MultiSemEncoder(prompts=(tuple(f"my {name}" for name in CLASSES),))


def test_weights_that_do_not_fit_the_backbone_are_refused_and_not_ignored(tmp_path: Path) -> None:
    front = networks.TimmBackbone("resnet10t")
    held = front.net.state_dict()
    save_file(
        {**held, "fc.weight": torch.zeros(10, 512), "fc.bias": torch.zeros(10)},
        tmp_path / "whole.safetensors",
    )
    first = next(
        name for name, value in held.items() if value.is_floating_point() and value.ndim == 4
    )
    changed = {name: value.clone() for name, value in held.items()}
    changed[first] += 1
    save_file(changed, tmp_path / "changed.safetensors")
    multisem.fill_backbone(front, str(tmp_path / "whole.safetensors"))
    multisem.fill_backbone(front, str(tmp_path / "changed.safetensors"))
    assert torch.equal(
        front.net.state_dict()[first], load_file(tmp_path / "changed.safetensors")[first]
    )
    del changed[first]
    save_file(changed, tmp_path / "less.safetensors")
    save_file({**held, "more.weight": torch.zeros(1)}, tmp_path / "more.safetensors")
    save_file({"x": torch.zeros(1)}, tmp_path / "other.safetensors")
    (tmp_path / "text.safetensors").write_text("weights")
    for name in ("less", "more", "other", "text", "nothing"):
        with pytest.raises(RunError, match=f"{name}.safetensors"):
            multisem.fill_backbone(front, str(tmp_path / f"{name}.safetensors"))
    with pytest.raises(ComponentError, match="backbone_weights"):
        MultiSemRecipe(
            data="x", channel=AWGN(snr_db=1.0), backbone_weights=str(tmp_path / "whole.safetensors")
        )
