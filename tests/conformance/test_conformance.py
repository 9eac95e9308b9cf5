"""Every component of every installed package keeps the laws of its interface."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from typing import Any

import numpy as np
import pytest

from semcore import KnowledgeBase
from semcore.entrypoints import naming
from semcore.testing import run_laws
from semcore.testing.build import build
from semcore.testing.examples import picture, samples
from semcore.testing.trial import attempt


def clip() -> str:
    """A temporary folder with a short video with sound, named as in the GRID corpus."""
    import av

    folder = tempfile.mkdtemp(prefix="semcore-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with av.open(f"{folder}/bbaf2n.mp4", "w") as out:
        video, sound = out.add_stream("mpeg4", rate=25), out.add_stream("aac", rate=16000)
        video.width, video.height, sound.layout = 64, 48, "mono"
        for step in range(8):
            out.mux(video.encode(av.VideoFrame.from_ndarray(picture(48, 64, step), format="rgb24")))
        tone = np.sin(np.arange(5120) / 9)[None].astype(np.float32)
        frame = av.AudioFrame.from_ndarray(tone, format="fltp", layout="mono")
        frame.sample_rate = 16000
        out.mux(sound.encode(frame))
        for stream in (video, sound):
            out.mux(stream.encode(None))
    return folder


CLIP = clip()
SETTINGS: dict[tuple[str, str], dict[str, Any]] = {
    ("source", "av-clips"): {"path": CLIP, "face": False, "size": [32, 32]},
    ("source", "grid"): {"path": CLIP, "face": False, "size": [32, 32]},
    ("source", "lrs2"): {"path": "lrs2"},
    ("source", "voxceleb"): {"path": "voxceleb"},
    ("transport", "ldpc"): {"codec": {"use": "png"}},
    **{("recipe", name): {"data": "{folder}"} for name in naming.names("recipe")},
    **{
        ("recipe", name): {"data": "{folder}", "channel": {"use": "awgn"}}
        for name in (
            "class-diffusion",
            "deepjscc",
            "deepsc-s",
            "deepwive",
            "lamosc",
            "multisem",
            "temporal-motion",
            "witt",
        )
    },
    ("recipe", "temporal"): {"of": "text", "channel": {"use": "awgn"}},
    ("recipe", "fastspeech"): {},
    ("recipe", "scene-judge"): {"epochs": 1, "steps": 1, "batch_size": 2},
    ("metric", "csim-arcface"): {"weights": "arcface.safetensors"},
    ("metric", "lse-c"): {"weights": "syncnet.safetensors"},
    ("metric", "lse-d"): {"weights": "syncnet.safetensors"},
    ("planner", "llm"): {"base_url": "http://127.0.0.1:9/v1", "model": "none", "retries": 0},
}
"""Settings to try besides those in the class, for example with another package's parts."""

WITHOUT_USE = {
    "is-a-frozen-dataclass", "has-explicit-signatures", "documents-every-field",
    "units-stand-in-names", "refuses-bad-values", "is-built-again-from-its-settings",
}  # fmt: skip
"""Laws that look at the class and its settings alone."""

REAL = {
    ("encoder", "llava-caption"), ("encoder", "whisper"), ("generator", "stable-diffusion"),
    ("generator", "hifi-gan"), ("generator", "fastspeech2"), ("generator", "real3d-portrait"),
    ("metric", "csim-arcface"), ("source", "stl10"), ("planner", "llm-local"), ("metric", "lpips"),
    ("metric", "lse-c"), ("metric", "lse-d"), ("source", "lrs2"), ("source", "voxceleb"),
    ("metric", "pyiqa"), ("codec", "compressai"),
}  # fmt: skip
"""Models, data and libraries that are not here; the tests of the plugins try them on tiny ones."""

REGISTERED = [
    (kind, name)
    for kind in naming.KINDS
    for name in dict.fromkeys(e.name for e in naming.installed(kind))
]

HEAVY = {
    ("executor", "processes"), ("generator", "mini-diffusion"), ("generator", "lip-voice"),
    ("generator", "class-diffusion"), ("generator", "fastspeech"), ("source", "talking-samples"),
    ("codec", "hevc"), ("encoder", "multisem"), ("transport", "temporal-motion"),
    ("transport", "dct"), ("selector", "clip-score"), ("source", "samples"),
    ("transport", "lamosc"), ("encoder", "speech"), ("transport", "separation"),
    ("metric", "clip-image"), ("planner", "llm"), ("selector", "genie"), ("selector", "sequential"),
    ("selector", "simultaneous"), ("transport", "witt"), ("encoder", "mini-caption"),
    ("channel", "cdl"), ("channel", "umi"), ("channel", "rma"), ("generator", "fastspeech2"),
    ("generator", "stable-diffusion"), ("codec", "compressai"), ("metric", "speech-wer"),
    ("transport", "temporal-phones"), ("transport", "temporal-durations"),
    ("encoder", "moonshine"),
}  # fmt: skip
"""Components whose laws take long: `make test-slow` tries them."""


@pytest.mark.parametrize(
    ("kind", "name"),
    [pytest.param(*one, marks=pytest.mark.slow if one in HEAVY else ()) for one in REGISTERED],
    ids=lambda part: part,
)
def test_a_registered_component_keeps_its_laws(kind: str, name: str) -> None:
    if (kind, name) == ("executor", "ray"):
        pytest.skip("tests/runs/test_ray.py tries it on a cluster")
    if (kind, name) == ("recipe", "picture-codec"):
        pytest.skip("it needs a codec of an author: tests/jscc/test_module_codec.py of image")
    task = {"kind": kind, "name": name, "file": "", "settings": SETTINGS.get((kind, name), {})}
    verdicts = {one["law"]: one for one in attempt(task) if "result" in one}
    broken = [one for one in verdicts.values() if one["result"] in ("broken", "not tried")]
    assert not broken, "\n".join(f"{one['law']}: {one['message']}" for one in broken)
    held = {law for law, one in verdicts.items() if one["result"] == "holds"}
    if kind == "recipe" or (kind, name) in REAL:
        assert held >= WITHOUT_USE
    else:
        assert "gives-the-same-for-the-same" in held, verdicts["gives-the-same-for-the-same"][
            "message"
        ]


def test_the_decoder_of_pictures_keeps_its_laws_for_what_the_encoder_sends() -> None:
    coded = build("encoder", {"use": "bitstream", "codec": "jpeg"}).encode(
        samples(), KnowledgeBase()
    )  # type: ignore[attr-defined]
    verdicts = run_laws(build("generator", {"use": "bitstream", "codec": "jpeg"}), batch=coded)
    assert not [f"{one.law.name}: {one.message}" for one in verdicts if one.result == "broken"]
