"""Every component that an installed package registers keeps the laws of its interface; none escapes this table."""

from __future__ import annotations

from typing import Any

import pytest

from semcore import KnowledgeBase, registry
from semcore.testing import run_laws
from semcore.testing.build import build
from semcore.testing.examples import samples
from semcore.testing.trial import attempt

SETTINGS: dict[tuple[str, str], dict[str, Any]] = {
    ("transport", "ldpc"): {"codec": {"use": "png"}},
    **{("recipe", name): {"data": "{folder}"} for name in registry.names("recipe")},
    **{
        ("recipe", name): {"data": "{folder}", "channel": {"use": "awgn"}}
        for name in ("class-diffusion", "deepjscc", "lamosc", "multisem", "witt")
    },
}
"""Settings that a component is tried with here beside those in its class: what another package brings, for example."""

WITHOUT_USE = {
    "is-a-frozen-dataclass", "has-explicit-signatures", "documents-every-field", "units-stand-in-names",
    "refuses-bad-values", "is-built-again-from-its-settings",
}  # fmt: skip
"""Laws that look at the class and its settings alone."""

REAL = {
    ("encoder", "llava-caption"), ("generator", "stable-diffusion"), ("source", "stl10"), ("metric", "lpips"),
}  # fmt: skip
"""Models and data that are not shipped; the tests of semcore_image try them on tiny ones."""

REGISTERED = [(kind, name) for kind in registry.KINDS for name in dict.fromkeys(e.name for e in registry.installed(kind))]


@pytest.mark.parametrize(("kind", "name"), REGISTERED, ids=lambda part: part)
def test_a_registered_component_keeps_its_laws(kind: str, name: str) -> None:
    if (kind, name) == ("executor", "ray"):
        pytest.skip("tests/test_ray.py tries it on a cluster")
    task = {"kind": kind, "name": name, "file": "", "settings": SETTINGS.get((kind, name), {})}
    verdicts = {one["law"]: one for one in attempt(task) if "result" in one}
    broken = [one for one in verdicts.values() if one["result"] in ("broken", "not tried")]
    assert not broken, "\n".join(f"{one['law']}: {one['message']}" for one in broken)
    held = {law for law, one in verdicts.items() if one["result"] == "holds"}
    if kind == "recipe" or (kind, name) in REAL:
        assert held >= WITHOUT_USE
    else:
        assert "gives-the-same-for-the-same" in held, verdicts["gives-the-same-for-the-same"]["message"]


def test_the_decoder_of_pictures_keeps_its_laws_for_what_the_encoder_sends() -> None:
    coded = build("encoder", {"use": "bitstream", "codec": "jpeg"}).encode(samples(), KnowledgeBase())  # type: ignore[attr-defined]
    verdicts = run_laws(build("generator", {"use": "bitstream", "codec": "jpeg"}), batch=coded)
    assert not [f"{one.law.name}: {one.message}" for one in verdicts if one.result == "broken"]
