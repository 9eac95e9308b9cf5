"""Every component that an installed package registers keeps the laws of its interface; none escapes this table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from semcore import KnowledgeBase, Semantics, registry
from semcore.config.build import Builder
from semcore.errors import Problem
from semcore.testing import laws, run_laws
from semcore.testing.examples import picture, samples


@dataclass(frozen=True)
class Example:
    """Settings that a component is tried with.

    Fields:
        settings: its fields where the defaults do not do; `{folder}` is replaced by a folder of pictures
        weights: the shipped model that it needs
        codec: a registered codec whose bytes are what a generator receives
        elsewhere: why only the laws of its class are tried here, and where the others are
    """

    settings: dict[str, Any] = field(default_factory=dict)
    weights: str = ""
    codec: str = ""
    elsewhere: str = ""


REAL = "a model of gigabytes; plugins/semcore_image/tests/test_real_models.py tries the rest on a tiny one"
RECIPE = Example({"data": "{folder}"}, elsewhere="it is put to use by training")
"""Stands for every recipe."""

EXAMPLES: dict[str, dict[str, Example]] = {
    "encoder": {
        "bitstream": Example({"codec": {"use": "jpeg"}}),
        "llava-caption": Example(elsewhere=REAL),
        "mini-caption": Example(weights="mini-caption"),
    },
    "transport": {
        "analog": Example(),
        "ldpc": Example({"codec": {"use": "png"}}),
    },
    "channel": {
        "awgn": Example(),
        "rayleigh": Example(),
        "uma": Example({"snr_db": 5.0}),
    },
    "generator": {
        "bitstream": Example({"codec": {"use": "jpeg"}}, codec="jpeg"),
        "mini-diffusion": Example({"candidates": 2, "steps": 2}, weights="mini-diffusion"),
        "stable-diffusion": Example(elsewhere=REAL),
    },
    "selector": {
        "clip-score": Example(weights="mini-clip"),
        "first": Example(),
    },
    "kb": {
        "always": Example(),
        "psnr": Example(),
        "static": Example(),
    },
    "planner": {
        "fixed": Example({"overrides": {"workflow": "a2v"}}),
        "lookup": Example({"table": [{"below": 0.0, "set": {"workflow": "a2v"}}]}),
    },
    "source": {
        "cifar10": Example({"path": "{folder}"}),
        "image-folder": Example({"path": "{folder}"}),
        "samples": Example(),
        "sequences": Example({"path": "{folder}/test"}),
    },
    "executor": {
        "processes": Example({"jobs": 2}),
        "ray": Example(elsewhere="tests/test_ray.py tries the rest on a cluster"),
    },
    "codec": {name: Example() for name in ("hevc", "jpeg", "png", "raw", "webp")},
    "metric": {
        **{
            name: Example()
            for name in (
                "ber", "bler", "bleu", "cbr", "channel-uses", "char-accuracy", "compression-ratio", "data-rate",
                "net-rate", "payload-bits", "psnr", "ssim",
            )
        },
        "class-accuracy": Example(weights="mini-classifier"),
        "clip-image": Example(weights="mini-clip"),
        "clip-score": Example(weights="mini-clip"),
        "semantic-entropy": Example({"knowledge": "{folder}/captions.txt"}),
    },
}  # fmt: skip

WITHOUT_USE = {
    "is-a-frozen-dataclass", "has-explicit-signatures", "documents-every-field", "units-stand-in-names",
    "refuses-bad-values", "is-built-again-from-its-settings",
}  # fmt: skip
"""Laws that look at the class and its settings alone."""

REGISTERED = [(kind, name) for kind in registry.KINDS for name in dict.fromkeys(e.name for e in registry.installed(kind))]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures in the layout of a data set (split/class/picture), and a file of captions."""
    root = tmp_path_factory.mktemp("pictures")
    for index, name in enumerate(["bird", "ship", "truck"]):
        (root / "test" / name).mkdir(parents=True)
        for number in range(2):
            Image.fromarray(picture(32, 32, 2 * index + number)).save(root / "test" / name / f"{number}.png")
    (root / "captions.txt").write_text("a brown bird on a green background\na red truck\na blue ship\n")
    return root


def build(kind: str, name: str, example: Example, folder: Path) -> Any:
    """The component, built from plain settings as a pipeline file would."""
    settings = {
        key: value.replace("{folder}", str(folder)) if isinstance(value, str) else value
        for key, value in example.settings.items()
    }
    builder = Builder(lambda path, message, hint="", at_key=False: Problem(message, hint=hint))
    component = builder.component(kind, {"use": name, **settings}, ())
    assert not builder.problems, "\n".join(map(str, builder.problems))
    return component


def coded(codec: Any) -> Sequence[Semantics]:
    """What the encoder of a conventional link sends of some samples."""
    from semcore_image.bitstream import BitstreamEncoder

    return BitstreamEncoder(codec).encode(samples(), KnowledgeBase())


@pytest.mark.parametrize(("kind", "name"), REGISTERED, ids=lambda part: part)
def test_a_registered_component_keeps_its_laws(kind: str, name: str, folder: Path) -> None:
    example = RECIPE if kind == "recipe" else EXAMPLES[kind].get(name)
    assert example is not None, f"add {kind} {name!r} to EXAMPLES, so that its laws are tried"
    component = build(kind, name, example, folder)
    if example.elsewhere:
        for law in laws(component):
            if law.name in WITHOUT_USE:
                law.check()
        return
    if example.weights and not shipped(example.weights):
        pytest.skip(f"{example.weights} is not shipped: semcore train {example.weights}")
    batch = coded(component.codec) if example.codec else ()
    broken = [one for one in run_laws(component, batch=batch) if one.result == "broken"]
    assert not broken, "\n".join(f"{one.law.name}: {one.message}" for one in broken)


def shipped(model: str) -> bool:
    """Whether the weights of a mini model are there."""
    from semcore.cli.train import shipped_models

    return any(folder.name == model and (folder / "model.safetensors").is_file() for folder in shipped_models())


def test_the_table_holds_no_component_that_does_not_exist() -> None:
    unknown = {(kind, name) for kind, examples in EXAMPLES.items() for name in examples} - set(REGISTERED)
    assert not unknown, f"take {sorted(unknown)} out of EXAMPLES, or install the package that brings them"
