"""`semcore conform`: the laws without pytest, on packages and files, whatever they do."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import semcore
from semcore.errors import RunError
from semcore.testing import run_laws
from semcore.testing.recipe import LAWS

HEAD = """
from dataclasses import dataclass
import semcore
"""

GOOD = (
    HEAD
    + '''
@dataclass(frozen=True)
class First(semcore.Selector):
    """Keeps the first.

    Fields:
        weight: it has no effect
    """

    order_matters = True
    test_settings = ({"weight": 2.0}, {"weight": 3.0})
    weight: float

    def select(self, candidates, batch, kb):
        return [some.samples[0] for some in candidates]
'''
)

BAD = (
    HEAD
    + '''
@semcore.register("selector", "exits")
@dataclass(frozen=True)
class Exits(semcore.Selector):
    """Calls sys.exit."""

    def select(self, candidates, batch, kb):
        import sys
        sys.exit(0)

@semcore.register("selector", "dies")
@dataclass(frozen=True)
class Dies(semcore.Selector):
    """Dies."""

    def select(self, candidates, batch, kb):
        import os
        os._exit(0)

@semcore.register("selector", "asks")
@dataclass(frozen=True)
class Asks(semcore.Selector):
    """Needs a setting.

    Fields:
        path: of something
    """

    path: str

    def select(self, candidates, batch, kb):
        return [some.samples[0] for some in candidates]

@semcore.register("selector", "refuses")
@dataclass(frozen=True)
class Refuses(semcore.Selector):
    """Cannot be made."""

    def check(self):
        raise ZeroDivisionError("no")

    def select(self, candidates, batch, kb):
        return []
'''
)


HANGS = (
    HEAD
    + '''
import time

@semcore.register("selector", "hangs")
@dataclass(frozen=True)
class Hangs(semcore.Selector):
    """Hangs."""

    def select(self, candidates, batch, kb):
        while True: time.sleep(1)
'''
)


def sections(text: str) -> dict[str, str]:
    """Component -> the lines below it."""
    parts = re.split(r"^(?=\w+ [\w-]+(?:  \(.*\))?\n  )", text, flags=re.MULTILINE)
    return {part.split("\n")[0]: part.partition("\n")[2] for part in parts[1:]}


@pytest.mark.slow
def test_a_good_package_conforms(site: Any) -> None:
    site.install("my-plug", "[semcore.selector]\nmine = plug:First\n", {"plug": GOOD})
    done = site("conform", "My_Plug")
    assert done.returncode == 0 and done.stderr == ""
    assert re.match(
        r"my-plug 1.5: fine, 1 component, import \d+\.\d s\n\nselector mine\n  holds ", done.stdout
    )
    assert list(sections(done.stdout)) == ["selector mine", "selector mine  (weight: 3.0)"]
    assert (
        "\n  not applicable  chooses-by-content-and-not-by-place " in done.stdout
        and "  it says itself that" in done.stdout
    )
    assert done.stdout.endswith(" held, 0 broken, 2 not applicable\n")
    by_module = site("conform", "plug", "--component", "mine", "--set", "weight=5")
    assert by_module.returncode == 0 and list(sections(by_module.stdout)) == ["selector mine"]
    wrong = site("conform", "plug", "--component", "selector:mine", "--set", "weight=heavy")
    assert wrong.returncode == 1 and re.search(
        r"  broken          can-be-made .* weight must be a number", wrong.stdout
    )


@pytest.mark.slow
def test_a_broken_component_never_stops_the_others(site: Any) -> None:
    (site.folder / "bad.py").write_text(BAD)
    done = site("conform", "bad.py")
    assert done.returncode == 1 and done.stderr == ""
    found = sections(done.stdout)
    assert list(found) == [f"selector {name}" for name in ("asks", "dies", "exits", "refuses")]
    assert found["selector asks"].startswith(
        "  not tried       can-be-made                                 it needs path: --set "
        "path=..., or name `test_settings`"
    )
    assert re.search(
        r"  broken  +survives-pickling  +it ends the process with code 0; the laws below",
        found["selector dies"],
    )
    assert "gives-the-same" not in found["selector dies"]
    assert re.search(
        r"  broken  +chooses-one-of-the-candidates  +SystemExit", found["selector exits"]
    )
    assert re.search(r"  broken  +can-be-made  +.*ZeroDivisionError: no", found["selector refuses"])
    assert done.stdout.endswith("; 1 component not tried\n")
    alone = site("conform", "bad.py", "--component", "selector:asks", "--set", "path=x")
    assert (
        "can-be-made" in alone.stdout
        and "not tried" not in alone.stdout
        and "selector dies" not in alone.stdout
    )


@pytest.mark.slow
def test_a_component_that_hangs_is_stopped(site: Any) -> None:
    (site.folder / "hangs.py").write_text(HANGS)
    done = site("conform", "hangs.py", "--timeout", "60")
    assert done.returncode == 1
    assert re.search(
        r"  broken  +[\w-]+  +it takes more than 60 s( \(\w+.py, line \d+\))?(; it says .+)?; the "
        r"laws below",
        done.stdout,
    )


@pytest.mark.slow
def test_what_cannot_be_loaded_is_told_and_the_rest_is_tried(site: Any) -> None:
    points = (
        "[semcore.selector]\nmine = plug:First\ngone = plug:Gone\n[semcore.hooks]\ndeaf = deaf\n"
    )
    site.install("half", points, {"plug": GOOD, "deaf": ""})
    done = site("conform", "half")
    assert done.returncode == 1
    assert done.stdout.startswith(
        "half 1.5: 2 faults\n  selector 'gone' is not there: plug has no 'Gone'\n"
    )
    assert "  hook plugin 'deaf' has no hook" in done.stdout and "selector mine" in sections(
        done.stdout
    )


NOTHING = [
    ("gone.py", None, "there is no file 'gone.py'"),
    (
        "empty.py",
        "",
        "empty.py registers no component: put @semcore.register(KIND, NAME) above a class",
    ),
    (
        "dies.py",
        "import os; os._exit(4)",
        "dies.py cannot be imported: it ends the process with code 4",
    ),
    ("raises.py", "raise ValueError('so')", "raises.py cannot be imported: ValueError: so"),
    ("folder", "", "folder is a folder, and not installed; pip install -e folder"),
    ("nothing", None, "no installed package 'nothing' brings anything to semcore"),
]


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        pytest.param(
            *one, marks=() if one[0] in ("gone.py", "dies.py", "nothing") else pytest.mark.slow
        )
        for one in NOTHING
    ],
)
@pytest.mark.default_cases(1)
def test_what_there_is_nothing_to_try_in_is_told(
    site: Any, file: str, text: str | None, message: str
) -> None:
    if text is not None and file.endswith(".py"):
        (site.folder / file).write_text(text)
    elif text is not None:
        (site.folder / file).mkdir()
    told = site("conform", file)
    assert (
        told.returncode == 2
        and message in told.stderr
        and "Traceback" not in told.stderr
        and not told.stdout
    )


def test_a_component_and_settings_are_checked(site: Any) -> None:
    site.install("my-plug", "[semcore.selector]\nmine = plug:First\n", {"plug": GOOD})
    told = site("conform", "my-plug", "--component", "codec:mine")
    assert (
        told.returncode == 2
        and told.stderr
        == "error: my-plug brings no component 'codec:mine'; it brings selector:mine\n"
    )
    assert (
        "--set belongs to one component" in site("conform", "my-plug", "--set", "weight=1").stderr
    )
    assert site("conform", "my-plug", "--component", "mine", "--set", "weight").returncode == 2


# --------------------------------------------------------------------------- laws that came with it


@pytest.fixture
def recipe() -> Any:
    """A recipe class whose training writes `files`, with other weights each time if `restless`."""

    @dataclass(frozen=True)
    class Made(semcore.Recipe):
        """Trains nothing."""

        def train(self, out: Path) -> None:
            for name, data in type(self).files.items():  # type: ignore[attr-defined]
                (out / name).write_bytes(data)
            if type(self).restless and (out / "again").exists():  # type: ignore[attr-defined]
                (out / "model.safetensors").write_bytes(b"other")
            (out / "again").touch()

    header = b'{"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}'
    weights = len(header).to_bytes(8, "little") + header + bytes(4)
    Made.files = {"config.json": b"{}", "model.safetensors": weights, "README.md": b"# Made\n"}  # type: ignore[attr-defined]
    Made.restless = False  # type: ignore[attr-defined]
    Made.test_settings = ({},)
    return Made


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, ""),
        ({"config.json": b"[]"}, "config.json is not a mapping"),
        ({"config.json": b"{"}, "config.json is not JSON"),
        ({"README.md": b" \n"}, "its model card is empty"),
        ({"model.safetensors": b"\x80\x04"}, "the header of model.safetensors is not JSON"),
        ({"model.safetensors": b"\2" + bytes(7) + b"{}"}, "model.safetensors holds no weights"),
        (
            {"checkpoint.pt": b"x"},
            "it writes checkpoint.pt: weights and checkpoints are safetensors",
        ),
    ],
)
def test_a_recipe_writes_what_can_be_shipped(
    recipe: Any, files: dict[str, bytes], message: str
) -> None:
    recipe.files = {**recipe.files, **files}
    verdicts = {one.law.name: one for one in run_laws(recipe())}
    wrote = verdicts["writes-weights-and-a-card"]
    assert wrote.result == ("broken" if message else "holds") and message in wrote.message
    assert verdicts["goes-on-where-it-stopped"].result == "holds"


def test_a_recipe_that_starts_anew_or_forgets_a_file_is_found_out(recipe: Any) -> None:
    recipe.restless = True
    assert {one.law.name: one.result for one in run_laws(recipe())}[
        "goes-on-where-it-stopped"
    ] == "broken"
    recipe.files = {"README.md": b"x"}
    told = {one.law.name: one for one in run_laws(recipe())}["writes-weights-and-a-card"]
    assert (
        told.result == "broken" and told.message == "it writes no config.json, but README.md, again"
    )
    recipe.test_settings = ()
    told = {one.law.name: one for one in run_laws(recipe())}
    assert all(told[law.__name__.replace("_", "-")].result == "not applicable" for law in LAWS)


@dataclass(frozen=True)
class Absent(semcore.Selector):
    """Its weights are not here."""

    def select(self, candidates: Any, batch: Any, kb: Any) -> Any:
        raise RunError("the model is not on this machine")


@dataclass(frozen=True)
class Moody(semcore.Selector):
    """Stops where nothing arrived."""

    def select(self, candidates: Any, batch: Any, kb: Any) -> Any:
        if not all(one.streams for one in batch):
            raise RunError("nothing arrived")
        return [min(some.samples, key=lambda one: one.image.tobytes()) for some in candidates]


def test_what_cannot_run_here_is_not_applicable_and_what_raises_now_and_then_is_broken() -> None:
    absent = {one.law.name: one for one in run_laws(Absent())}
    assert absent["is-a-frozen-dataclass"].result == "holds"
    assert (
        absent["chooses-one-of-the-candidates"].result
        == absent["survives-pickling"].result
        == "not applicable"
    )
    assert absent["chooses-one-of-the-candidates"].message == "the model is not on this machine"
    moody = {one.law.name: one for one in run_laws(Moody())}
    assert moody["gives-the-same-for-the-same"].result == "holds"
    assert moody["chooses-one-of-the-candidates"].result == "broken"
