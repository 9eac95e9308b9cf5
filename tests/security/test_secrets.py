"""Secrets are named, not written: refusals show none, and what a component leaks is not stored."""

from __future__ import annotations

import base64
import html
import json
import os
import pickle
import subprocess
import sys
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import semcore
from semcore import Secret
from semcore.component.base import Component
from semcore.component.digest import digest
from semcore.config.configuration import load
from semcore.entrypoints import naming
from semcore.errors import ComponentError, ConfigError
from semcore.runs.packing import unpack
from semcore.wording import redaction
from semcore.wording.redaction import redact

from ..support.pipelines import BENCH, SUPPORT

NAME = "SEMCORE_CANARY"
CANARIES = {
    "plain": "sk-canary-0123456789abcdef",
    "awkward": 'sk "can\\ary" <a&b>\'ü/%+=?\t0123456789abcdef',
    "lines": "-----BEGIN KEY-----\nMIIcanary0123456789abcdefABCDEF\nMIIcanary9876543210fedcba\n"
    "-----END KEY-----\n",
}
LITERAL = "sk-live-literal-0123456789"
PIPELINE = f"""semcore: 1
name: leaks
description: "a pipeline whose author wrote %s here"
plugins: [{BENCH}, {SUPPORT / "leaky.py"}]
source: {{use: leaky, limit: 2}}
encoder: {{use: leaky, key: env:{NAME}}}
transport: {{use: leaky}}
channel: {{use: leaky, snr_db: 40}}
generator: {{use: leaky}}
metrics: [grey-error, leaky]
sweep:
  generator.fail: [false, true]
"""


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test knows the secrets of another, and none outside this file the leaky components."""
    monkeypatch.setattr(naming, "_local", dict(naming._local))
    monkeypatch.setattr(redaction, "_forms_of", {})
    monkeypatch.setattr(redaction, "_refused", set())
    monkeypatch.delenv(NAME, raising=False)


@pytest.fixture
def pipeline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A pipeline whose every component gives its key away."""
    path = tmp_path / "leaks.yaml"
    path.write_text(PIPELINE % "nothing")
    monkeypatch.setenv(NAME, CANARIES["plain"])
    return path


def told(path: Path, *overrides: str) -> str:
    """Every problem of a pipeline, as the user reads them."""
    with pytest.raises(ConfigError) as caught:
        load(path, overrides)
    return str(caught.value)


def semcore_(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, **environment}
    environment.pop("PYTHONUNBUFFERED", None)  # what is printed must arrive from buffers too
    return subprocess.run(
        [sys.executable, "-m", "semcore", *arguments],
        cwd=cwd,
        env=environment,
        capture_output=True,
        timeout=900,
    )


# --------------------------------------------------------------------------------------- the canary


def written(canary: str) -> Iterator[str]:
    """The canary, and each of its lines, as they may stand in a file of any format."""
    for part in (canary.strip(), *[line for line in canary.splitlines() if "canary" in line]):
        yield from (
            part,
            json.dumps(part)[1:-1],
            json.dumps(part, ensure_ascii=False)[1:-1],
            repr(part)[1:-1],
        )
        yield from (html.escape(part), urllib.parse.quote(part), urllib.parse.quote_plus(part))
        yield from (
            base64.b64encode(part.encode()).decode().rstrip("="),
            json.dumps(repr(part)[1:-1])[1:-1],
        )


@pytest.mark.parametrize(
    ("kind", "jobs"),
    [(kind, jobs) for kind in CANARIES for jobs in ("1", "2")],
)
@pytest.mark.default_cases(1)
def test_a_canary_that_is_told_everywhere_is_written_nowhere(
    tmp_path: Path, kind: str, jobs: str
) -> None:
    canary = CANARIES[kind]
    (tmp_path / "leaks.yaml").write_text(PIPELINE % json.dumps(canary)[1:-1])
    done = semcore_("run", "leaks.yaml", "--jobs", jobs, cwd=tmp_path, **{NAME: canary})
    assert done.returncode == 1, done.stderr.decode()
    run = tmp_path / "runs" / "leaks"
    files = {path.relative_to(run): path.read_bytes() for path in run.rglob("*") if path.is_file()}
    files |= {Path("stdout"): done.stdout, Path("stderr"): done.stderr}
    for path, data in files.items():
        for form in written(canary):
            assert form.encode() not in data, f"{path} holds {form!r}"
            assert form not in str(path)

    # It was told in all of these places, or the test would see nothing.
    masks = {path.name: data.count(f"[env:{NAME}]".encode()) for path, data in files.items()}
    for name, count in {
        "items.jsonl": 2,
        "result.json": 3,
        "failure.json": 3,
        "report.html": 3,
        "stdout": 1,
    }.items():
        assert masks[name] >= count, f"{name} has lost what was told there"
    assert b"log: the key is [env:" in done.stderr and b"warning: the key is [env:" in done.stderr
    assert (
        b"err: the key is [env:" in done.stderr
        and b"Bearer [env:" in done.stderr
        and b"out: the key" in done.stdout
    )
    assert f"wrote [env:{NAME}] here".encode() in files[Path("pipeline.yaml")] or kind != "plain"
    assert any(path.name.startswith("000-look-[env:") for path in files)
    assert b"env:" in files[Path("run.json")] or kind != "plain"


@pytest.mark.slow
def test_what_holds_a_secret_is_made_again_and_not_kept(tmp_path: Path, pipeline: Path) -> None:
    """A cache without the secret would give the next run something other than the first."""
    one = semcore_(
        "run", "leaks.yaml", "generator.fail=false", "--no-report", "--out", "a", cwd=tmp_path
    )
    assert one.returncode == 0, one.stderr.decode()
    for path in (tmp_path / "a" / "cache").rglob("*.npz"):
        unpack(path.read_bytes())
    result = next((tmp_path / "a").glob("cells/*/result.json"))
    before = result.read_bytes()
    result.unlink()
    again = semcore_(
        "run", "leaks.yaml", "generator.fail=false", "--no-report", "--out", "a", cwd=tmp_path
    )
    assert again.returncode == 0 and result.read_bytes() == before


ENCODINGS = {
    "quote": urllib.parse.quote,
    "whole": lambda text: urllib.parse.quote(text, safe=""),
    "plus": urllib.parse.quote_plus,
    "lower": lambda text: (
        urllib.parse.quote(text, safe="")
        .replace("%2F", "%2f")
        .replace("%2B", "%2b")
        .replace("%3D", "%3d")
    ),
    "address": lambda text: urllib.parse.quote(text, safe=":/?#[]@!$&'()*+,;="),
    "query": lambda text: urllib.parse.urlencode({"key": text}),
    "slashes alone": lambda text: text.replace("/", "%2F"),
    "all": lambda text: "".join(f"%{byte:02x}" for byte in text.encode()),
    "twice": lambda text: urllib.parse.quote(urllib.parse.quote(text)),
    "three times": lambda text: urllib.parse.quote(
        urllib.parse.quote(urllib.parse.quote(text, safe=""))
    ),
    "in JSON": lambda text: json.dumps(f"https://host/?key={urllib.parse.quote(text)}&more=1"),
}


@pytest.mark.parametrize("way", ENCODINGS)
@pytest.mark.parametrize("key", ["sk/canary+0123/456789==", "a/b c%d?e&f=ü", "plain-0123456789"])
def test_a_key_is_found_in_any_percent_encoding(key: str, way: str) -> None:
    redaction.learn(key, "[it]")
    form = ENCODINGS[way](key)
    for text in (f"before {form} between {form} after", f"http://{form}/{form}", form):
        told = redact(text)
        assert (
            "[it]" in told
            and form not in told
            and key not in urllib.parse.unquote(urllib.parse.unquote(told))
        )
        assert (
            text == form or told.startswith(text[:6]) and (" after" in told) == (" after" in text)
        )
        assert redact(text.encode()) == told.encode()


def test_what_is_encoded_and_no_key_stays_as_it_is() -> None:
    redaction.learn("sk/canary+0123", "[it]")
    for text in (
        "%",
        "100%",
        "%2",
        "%zz",
        "%2Fcanary%2B0123",
        "sk%2Fcanary%2B012",
        "%25" * 50,
        "\ud800%2F",
        "x" * 1000 + "%20",
    ):
        assert redact(text) == text
        data = text.encode("utf-8", "surrogatepass")
        assert redact(data) == data
    noise = bytes(range(256)) * 40 + b"%2F"
    assert redact(noise) == noise


# ---------------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    "line",
    [
        f"encoder: {{use: leaky, key: {LITERAL}}}",
        f"encoder: {{use: leaky, key: '{LITERAL}'}}",
        f"encoder: {{use: leaky, key: env:{LITERAL}}}",
        f"encoder: {{use: leaky, key: [{LITERAL}]}}",
        f"encoder: {{use: leaky, key: {{a: {LITERAL}}}}}",
        f"encoder: {{colour: red, use: leaky, key: {LITERAL}, size: 3}}",
        f"encoder: {{use: leaky, kye: {LITERAL}}}",
        f"encoder: {{use: leeky, key: {LITERAL}}}",
        f"encoder: {{use: leeky, api_key: '{LITERAL}', size: 3}}",
        f"encoder: {{use: leaky, key: {LITERAL}",
        f"encoder: {{use: leaky, key: {LITERAL * 5}, colour: red}}",
        f"encoder:\n  use: leaky\n  key: {LITERAL}",
        f"encoder: {{use: leaky, key: env:{NAME}}}\nmetrics: [{{use: leaky, others: [{LITERAL}]}}]",
        f"encoder: {{use: leaky, key: env:{NAME}}}\nmetrics: [{{use: leaky, others: {LITERAL}}}]",
    ],
)
def test_a_literal_is_refused_and_not_shown(pipeline: Path, line: str) -> None:
    lines = [
        one
        for one in pipeline.read_text().splitlines()
        if not one.startswith(("encoder", "metrics"))
    ]
    pipeline.write_text("\n".join([*lines, line, ""]))
    message = told(pipeline)
    assert not any(part in message for part in ("sk-live", "0123456789"))
    assert "leaks.yaml:" in message


def test_a_literal_is_refused_as_written_here(
    pipeline: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(pipeline.parent)
    text = pipeline.read_text().replace(f"key: env:{NAME}", f"key: {LITERAL}, colour: red")
    pipeline.write_text(text)
    assert told(Path("leaks.yaml")) == (
        "leaks.yaml:6:28: error: encoder 'leaky': key must be written env:NAME, with the secret "
        "itself in the environment "
        "variable NAME\n"
        "      encoder: {use: leaky, key: **************************, colour: red}\n"
        "                                 ^\n"
        "leaks.yaml:6:56: error: encoder 'leaky' has no setting 'colour'\n"
        "      encoder: {use: leaky, key: **************************, colour: red}\n"
        "                                                             ^\n"
        "    hint: known here: key"
    )


@pytest.mark.parametrize("literal", [LITERAL, "abc", "7", "12345678", "env:a-b", f"[{LITERAL}]"])
@pytest.mark.default_cases(2)
def test_a_literal_on_the_command_line_is_refused_and_not_shown(
    tmp_path: Path, pipeline: Path, literal: str
) -> None:
    done = semcore_("run", "leaks.yaml", f"encoder.key={literal}", cwd=tmp_path)
    assert done.returncode == 2 and done.stdout == b"" and not (tmp_path / "runs").exists()
    place, _, message = done.stderr.decode().partition(": error: ")
    assert place == "encoder.key=" + "*" * len(literal) or literal.startswith(("[", "env:"))
    assert message.startswith("encoder 'leaky': key must be written env:NAME")
    assert (
        literal not in message.replace("env:NAME", "")
        and literal.strip("[]") not in place.partition("=")[2]
    )


def test_what_is_not_set_is_told_by_check(
    tmp_path: Path, pipeline: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(NAME)
    message = told(Path("leaks.yaml"), "encoder.key=env:SEMCORE_OTHER")
    assert message.startswith(
        "leaks.yaml:5:9: error: source 'leaky': key is in the environment variable SEMCORE_CANARY, "
        "which is not set\n"
    )
    assert "    hint: set it before the command: export SEMCORE_CANARY=...\n" in message
    assert (
        "encoder.key=env:SEMCORE_OTHER: error: encoder 'leaky': key is in the environment variable "
        "SEMCORE_OTHER" in message
    )


# ----------------------------------------------------------------------------------------- the type


@dataclass(frozen=True)
class Keyed(Component):
    """Has a key."""

    key: Secret | None = None


def test_nothing_but_the_name_is_in_a_component(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, CANARIES["plain"])
    made = Keyed(key=f"env:{NAME}")  # type: ignore[arg-type]
    assert made == Keyed(key=Secret(NAME)) and made.settings() == {"key": f"env:{NAME}"}
    assert made.key is not None and made.key.reveal() == CANARIES["plain"]
    stored, before = pickle.dumps(made), digest(made.key)
    for shown in (
        repr(made),
        str(made.key),
        f"{made.key}",
        repr(vars(made)),
        stored.decode("latin-1"),
    ):
        assert NAME in shown and "canary-" not in shown
    monkeypatch.setenv(NAME, "another-key-0123456789")
    assert digest(made.key) == before and made.key.reveal() == "another-key-0123456789"
    assert redact("another-key-0123456789") == f"[env:{NAME}]" == redact(CANARIES["plain"])


def test_whoever_reads_a_pickle_redacts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, CANARIES["plain"])
    stored = pickle.dumps(Keyed(key=Secret(NAME)))
    redaction._forms_of.clear()
    pickle.loads(stored)
    assert redact(CANARIES["plain"]) == f"[env:{NAME}]"


@pytest.mark.parametrize("wrong", [LITERAL, "", "a b", "1A", 3, None, f"env:{NAME}"])
def test_a_secret_takes_a_name_alone(wrong: Any) -> None:
    with pytest.raises(ComponentError, match="takes the name of an environment variable") as caught:
        Secret(wrong)
    assert LITERAL not in str(caught.value)


@pytest.mark.parametrize("wrong", [LITERAL, 123456789, [LITERAL], {"a": LITERAL}])
def test_a_component_shows_nothing_of_what_it_refuses(wrong: Any) -> None:
    with pytest.raises(ComponentError, match="Keyed.key must be written env:NAME") as caught:
        Keyed(key=wrong)
    assert LITERAL not in str(caught.value) and "123456789" not in str(caught.value)


def test_a_secret_that_is_not_set_cannot_be_revealed() -> None:
    assert not Secret(NAME).is_set
    with pytest.raises(ComponentError, match=f"the environment variable {NAME} is not set"):
        Secret(NAME).reveal()


@pytest.mark.parametrize("value", ["", "x", "none", "EMPTY", "12345678"])
def test_what_is_too_short_to_be_a_secret_spoils_no_text(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(NAME, value)
    Secret(NAME)
    assert redact('{"x": none, "EMPTY": 0.12345678}') == '{"x": none, "EMPTY": 0.12345678}'


def test_a_secret_is_public_and_described() -> None:
    from pydantic import TypeAdapter

    from semcore.config.fields import type_name

    assert semcore.Secret is Secret and type_name(Secret | None) == "a secret (env:NAME) | null"
    assert TypeAdapter(Secret).json_schema() == {
        "type": "string",
        "pattern": "^env:[A-Za-z_][A-Za-z0-9_]*$",
    }
