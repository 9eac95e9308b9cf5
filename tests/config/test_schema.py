"""The schema of pipelines: what the check passes it passes, and faults of form it finds."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from semcore.cli import main
from semcore.component.base import field_types
from semcore.config import document as yaml
from semcore.config.configuration import TOP
from semcore.config.json_schema import ELSEWHERE, MEANING, pipeline_schema
from semcore.config.local_files import register_files
from semcore.entrypoints import naming
from semcore.errors import ConfigError
from semcore.plugins import registry

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "plugins").glob("*/README.md")),
]
BLOCK = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BEYOND = {
    "channel_cannot_serve", "channel_cannot_serve_any", "check_of_component", "features_over_bits",
    "generator_uses_no_stream", "kb_without_transport", "override_of_use", "overrides_deep_inside",
    "overrides_faulty", "overrides_of_workflows", "plan_leads_nowhere", "plan_without_transport",
    "planner_leaves_the_space", "planner_plans_faulty", "planner_table_falls", "plugin_file_faulty",
    "plugin_file_is_no_python", "plugin_file_name_impossible",
    "plugin_file_registers_no_component", "segment_leads_nowhere", "stream_without_transport",
    "sweep_and_segments", "sweep_of_a_stream_misspelt", "sweep_too_large",
    "sweep_typos_deep_inside", "sweep_value_wrong",
    "transport_carries_other", "transport_for_no_stream", "transport_for_pictures_without_codec",
    "unit_in_sweep", "workflow_not_chosen",
}  # fmt: skip
"""Faults of meaning, between parts, or of the command line: checked, but beyond a schema."""


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    """The schema with the components of the test bench."""
    document = yaml.read(ROOT / "tests" / "support" / "pipeline.yaml")
    assert not register_files(document.values, document)
    return Draft202012Validator(pipeline_schema(pytest.fail))


def faults(validator: Draft202012Validator, text: str) -> list[str]:
    return [
        f"{error.json_path}: {error.message}"
        for error in validator.iter_errors(yaml.parse(text).values)
    ]


def test_the_schema_is_one(validator: Draft202012Validator) -> None:
    Draft202012Validator.check_schema(validator.schema)
    assert list(validator.schema["properties"]) == list(TOP) and set(TOP) == set(MEANING)
    for target in re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(validator.schema)):
        here = validator.schema
        for part in target.split("/"):
            here = here[part]


@pytest.mark.parametrize(
    "path", sorted((ROOT / "examples").glob("*.yaml")), ids=lambda path: path.stem
)
def test_examples_fit(validator: Draft202012Validator, path: Path) -> None:
    assert faults(validator, path.read_text()) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_pipelines_of_the_docs_fit(
    validator: Draft202012Validator, page: Path, tmp_path: Path
) -> None:
    for text in BLOCK.findall(page.read_text(encoding="utf-8")):
        installed = re.search("(use:|transport:) *(jammed|my-codec)", text)  # by the reader
        if "semcore: 1" in text and "plugins:" not in text and not installed:
            assert faults(validator, text) == []


def structural() -> Iterator[Path]:
    for path in sorted((ROOT / "tests" / "config" / "errors").glob("*.yaml")):
        try:
            yaml.read(path)
        except ConfigError:
            continue  # no YAML at all
        yield path


@pytest.mark.parametrize("path", list(structural()), ids=lambda path: path.stem)
def test_faults_of_form_do_not_fit(validator: Draft202012Validator, path: Path) -> None:
    assert bool(faults(validator, path.read_text())) == (path.stem not in BEYOND)


INSTALLED = [
    entry for kind in naming.KINDS if kind not in ELSEWHERE for entry in naming.installed(kind)
]


@pytest.mark.parametrize("entry", INSTALLED, ids=lambda entry: f"{entry.kind}:{entry.name}")
def test_every_component_has_its_fields_with_words_and_defaults(
    validator: Draft202012Validator, entry: Any
) -> None:
    made = validator.schema["$defs"][f"{entry.kind}.{entry.name}"]
    cls = registry.load(entry.kind, entry.name)
    assert (
        list(made["properties"]) == ["use", *field_types(cls)]
        and made["additionalProperties"] is False
    )
    for name, field in made["properties"].items():
        assert field["description"], name
        assert name == "use" or name in made["required"] or "default" in field


BASE = """
semcore: 1
source: {use: samples}
encoder: {use: mini-caption}
transport: {use: ldpc, rate: 1/2}
channel: CHANNEL
generator: {use: mini-diffusion}
"""


@pytest.mark.parametrize(
    "channel, place",
    [
        ("awgn", ""), ("{use: awgn}", ""), ("{use: awgn, snr_db: 5}", ""),
        ("{use: uma, block_snr_db: 3, snr_db: null}", ""),
        ("{use: uma, snr_db: 3, speed_kmh: [30, 60]}", ""), ("awg", "$.channel"),
        ("{snr_db: 5}", "$.channel"), ("{use: awgn, snr_bd: 5}", "$.channel"),
        ("{use: awgn, snr_db: loud}", "$.channel.snr_db"),
        ("{use: awgn, snr_db: 101}", "$.channel.snr_db"),
        ("{use: uma, csi: guessed}", "$.channel.csi"),
        ("{use: uma, subcarriers: 12.5}", "$.channel.subcarriers"),
        ("{use: uma, speed_kmh: [30]}", "$.channel.speed_kmh"),
        ("{use: ldpc}", "$.channel.use"), ("[awgn]", "$.channel"), ("null", "$.channel"),
    ],
)  # fmt: skip
def test_a_fault_is_found_at_its_place(
    validator: Draft202012Validator, channel: str, place: str
) -> None:
    assert [one.partition(": ")[0] for one in faults(validator, BASE.replace("CHANNEL", channel))][
        :1
    ] == [place] * bool(place)


@pytest.mark.parametrize(
    "more, fits",
    [
        ("metrics: [psnr, {use: clip-score, against: source}]", True), ("metrics: [psnrr]", False),
        ("metrics:", True), ("selector:", True), ("selector: {use: clip-score}", True),
        ("selector: {use: psnr}", False),
        ("sweep: {channel.snr_db: 0:20:5, workflow: [a], encoder: [{use: x}]}", True),
        ("sweep: {chanel.snr_db: [1]}", False), ("sweep: {channel.snr_db: 3}", False),
        ("sweep: {channel.snr_db: []}", False), ("colour: red", False),
        ("workflows: {a: {channel: {use: rayleigh}}}", True),
        ("workflows: {a: {channel: {use: rayleig}}}", False),
        ("workflows: {a: {seed: 1}}", False), ("seed: -1", False), ("name: a/b", False),
        ("hooks: [mlflow]", True), ("kb: {use: psnr, threshold_db: 14}", True),
        ("kb: {use: psnr, threshold_db: -1}", False),
        ("planner: {use: lookup, table: [{below: 5, set: {workflow: a}}]}", True),
        ("planner: {use: fixed}", False),
        ("scenario: {task: t, segments: [{channel.snr_db: 3}]}", True),
        ("scenario: {tsk: t}", False),
    ],
)  # fmt: skip
def test_the_rest_of_a_file(validator: Draft202012Validator, more: str, fits: bool) -> None:
    assert (faults(validator, BASE.replace("CHANNEL", "awgn") + more) == []) == fits


@pytest.mark.parametrize(
    "codec, fits",
    [("{use: jpeg, quality: 60}", True), ("{quality: 5}", True), ("jpeg", True),
     ("{use: jpeg, quality: 101}", False), ("{colour: 5}", False), ("{use: jpg}", False),
     ("null", False)],
)  # fmt: skip
def test_nested_components_are_those_of_their_kind(
    validator: Draft202012Validator, codec: str, fits: bool
) -> None:
    text = BASE.replace("CHANNEL", "awgn").replace(
        "{use: mini-caption}", f"{{use: brightness, codec: {codec}}}"
    )
    if "{quality: 5}" not in codec and "colour" not in codec:
        text = text.replace("brightness", "bitstream")
    assert (faults(validator, text) == []) == fits


# ----------------------------------------------------------------------------------------- the verb


def test_the_verb_writes_it_and_knows_the_files_beside_a_pipeline(
    tmp_path: Path, capsys: Any
) -> None:
    (tmp_path / "mine.py").write_text(
        "import semcore\nfrom dataclasses import dataclass\n\n\n"
        "@semcore.register('channel', 'mine-alone')\n"
        "@dataclass(frozen=True)\nclass Mine(semcore.ChannelModel):\n    '''Mine.'''\n\n"
        "    def transmit(self, symbols, rng):\n        raise NotImplementedError\n"
    )
    (tmp_path / "p.yaml").write_text(
        BASE.replace("CHANNEL", "mine-alone") + "plugins: [./mine.py]\n"
    )
    with pytest.raises(SystemExit) as caught:
        main(["schema", str(tmp_path / "p.yaml"), "--out", str(tmp_path / "s.json")])
    assert not caught.value.code
    made = Draft202012Validator(json.loads((tmp_path / "s.json").read_text()))
    assert faults(made, (tmp_path / "p.yaml").read_text()) == []
    (tmp_path / "mine.py").unlink()
    with pytest.raises(SystemExit) as caught:
        main(["schema", str(tmp_path / "p.yaml")])
    assert caught.value.code == 2 and "there is no file './mine.py'" in capsys.readouterr().err


def test_a_plugin_that_cannot_be_imported_is_left_out_with_a_word(
    monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    broken = naming.PluginEntry("channel", "broken", "no_such_module:X", "broken-package", "1")
    names, find = naming.names, naming.find
    monkeypatch.setattr(
        naming, "names", lambda kind: [*names(kind), *["broken"] * (kind == "channel")]
    )
    monkeypatch.setattr(
        naming, "find", lambda kind, name: broken if name == "broken" else find(kind, name)
    )
    with pytest.raises(SystemExit) as caught:
        main(["schema"])
    out, err = capsys.readouterr()
    assert (
        not caught.value.code
        and "broken-package 1 cannot be imported" in err
        and err.startswith("note: left out: ")
    )
    assert "awgn" in out and "channel.broken" not in json.loads(out)["$defs"]
