"""References: every key has a complete entry, every entry is used, nothing is dropped silently."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from semcore.analysis.rows import read_rows
from semcore.cli import main
from semcore.entrypoints import naming
from semcore.plugins import packages, registry
from semcore.render.bibliography import OURS, bibliography, entries_of, parse, used

from ..support.written_runs import Writer

INSTALLED = [entry for kind in naming.KINDS for entry in naming.installed(kind)]
PACKAGES = sorted({entry.target.split(".")[0] for entry in INSTALLED})
ENTRIES = [(package, key) for package in PACKAGES for key in entries_of(package)]


def fields(entry: str) -> dict[str, str]:
    return {
        name.lower(): value
        for name, value in re.findall(r"^\s+(\w+)\s*=\s*\{(.*)\},?$", entry, re.MULTILINE)
    }


@pytest.mark.parametrize("entry", INSTALLED, ids=lambda entry: f"{entry.kind}:{entry.name}")
def test_every_key_of_a_component_leads_to_an_entry(entry: naming.PluginEntry) -> None:
    cls = registry.load(entry.kind, entry.name)
    assert packages.cites(entry) == cls.cites  # as read from the source, without importing it
    known = {**entries_of(OURS), **entries_of(entry.target.split(".")[0])}
    assert [key for key in cls.cites if key not in known] == []
    assert bool(cls.cites) >= bool(cls.reference)  # who names a source can be cited


@pytest.mark.parametrize("package, key", ENTRIES)
def test_every_entry_is_whole_and_used(package: str, key: str) -> None:
    entry = entries_of(package)[key]
    found = fields(entry)
    assert {"author", "title", "year"} <= found.keys() and all(found.values())
    assert re.fullmatch(r"19\d\d|20\d\d", found["year"])
    assert (
        re.match(r"@[a-z]+\{[a-z0-9]+,\n", entry)
        and entry.count("{") == entry.count("}")
        and entry.isascii()
    )
    assert all(
        " and " in part or "," in part or part.startswith("{")
        for part in found["author"].split(" and ")
    )
    cited = {one for other in INSTALLED for one in registry.load(other.kind, other.name).cites}
    assert key in cited or key == OURS
    elsewhere = [other for other in PACKAGES if other != package and key in entries_of(other)]
    assert not elsewhere


@pytest.fixture
def mixed(write_run: Writer) -> Path:
    """A run of components of three packages, one inside another, one that nobody brings."""
    config = {
        "source": {"use": "cifar10"},
        "channel": {"use": "uma", "block_snr_db": 3},
        "encoder": {"use": "bitstream", "codec": {"use": "jpeg"}},
        "metrics": [{"use": "ssim"}, {"use": "bleu"}],
        "transport": {"picture": {"use": "ldpc", "codec": None}},
        "selector": {"use": "of-somebody-else"},
    }
    return write_run([{"settings": {}, "metrics": {"ssim": [0.5, 0.6]}, "config": config}])


def test_a_run_cites_its_components_nested_ones_included_and_semcore_in_its_version(
    mixed: Path,
) -> None:
    found = bibliography(read_rows([mixed]))
    assert list(found.entries) == sorted(
        ["hoydis2022sionna", "krizhevsky2009learning", "papineni2002bleu", "post2018call",
         "ribouh2025large", "semcore", "t81", "tr38901", "ts38211", "ts38212",
         "wang2004image"])  # fmt: skip
    assert parse(found.text) == dict(found.entries)
    assert fields(found.entries[OURS])["version"] == "0.1.0" and found.entries[OURS].startswith(
        "@software{semcore,"
    )
    assert found.missing == (
        "selector 'of-somebody-else' is not cited: no installed package brings it",
    )


def test_the_verb_prints_bibtex_and_notes_and_loads_no_torch(mixed: Path, tmp_path: Path) -> None:
    code = (
        "import sys\nfrom semcore.cli import main\ntry: main(['cite', sys.argv[1]])\n"
        "except SystemExit as e: sys.exit(e.code or 3 * ('torch' in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(mixed)], capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 0, done.stderr
    assert len(parse(done.stdout)) == 11
    assert (
        done.stderr
        == "note: selector 'of-somebody-else' is not cited: no installed package brings it\n"
    )
    with pytest.raises(SystemExit):
        main(["cite", str(mixed), "--out", str(tmp_path / "r.bib")])
    assert (tmp_path / "r.bib").read_text() == done.stdout


@pytest.mark.skipif(
    not shutil.which("bibtex") or not shutil.which("pdflatex"), reason="no BibTeX here"
)
def test_bibtex_takes_every_entry(tmp_path: Path) -> None:
    every = "\n\n".join(entries_of(package)[key] for package, key in ENTRIES)
    (tmp_path / "r.bib").write_text(
        every.replace("@software", "@misc"), encoding="utf-8"
    )  # older styles know no software
    head = (
        r"\documentclass{article}\begin{document}\nocite{*}"
        r"\bibliographystyle{plain}\bibliography{r}\end{document}"
    )
    (tmp_path / "t.tex").write_text(head)
    for command in (
        ["pdflatex", "-interaction=nonstopmode", "t.tex"],
        ["bibtex", "t"],
        ["pdflatex", "-halt-on-error", "t.tex"],
    ):
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=900)
        assert done.returncode == 0 and "Warning--empty" not in done.stdout, done.stdout
    assert (tmp_path / "t.bbl").read_text().count("\\bibitem") == len(ENTRIES)


def test_what_a_plan_or_the_environment_brought_in_is_used_too(write_run: Writer) -> None:
    segment = {"environment": {"channel.use": "rayleigh"},
               "in_force": {"encoder": {"use": "mini-caption"},
               "encoder.codec.use": "webp", "generator.steps": 3}}  # fmt: skip
    run = write_run(
        [{"settings": {}, "metrics": {"m": [1.0, 2.0]}, "result": {"segments": [segment]}}]
    )
    [row] = read_rows([run])
    assert used(row) == {
        ("channel", "noise"),
        ("channel", "rayleigh"),
        ("encoder", "mini-caption"),
        ("codec", "webp"),
    }


# ------------------------------------------------------------------------------------ third parties


THEIRS = """
from dataclasses import dataclass
from typing import ClassVar
import semcore


@dataclass(frozen=True)
class Theirs(semcore.ChannelModel):
    cites: ClassVar[tuple[str, ...]] = ("own2030", "gone")

    def transmit(self, symbols, rng):
        raise NotImplementedError
"""


@pytest.fixture
def third_party(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package with a channel, found as if it were installed."""
    folder = tmp_path / "site" / "semcore_theirs"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text(THEIRS)
    monkeypatch.syspath_prepend(str(folder.parent))
    entry = naming.PluginEntry("channel", "theirs", "semcore_theirs:Theirs", "theirs", "1")
    real = naming.find
    monkeypatch.setattr(
        naming, "find", lambda kind, name: entry if name == "theirs" else real(kind, name)
    )
    return folder


def told(write_run: Writer) -> tuple[dict[str, str], str]:
    run = write_run(
        [{"settings": {}, "metrics": {"m": [1.0, 2.0]}, "config": {"channel": {"use": "theirs"}}}]
    )
    found = bibliography(read_rows([run]))
    return dict(found.entries), " ".join(found.missing)


def test_a_third_party_ships_its_references_the_same_way(
    third_party: Path, write_run: Writer
) -> None:
    (third_party / "references.bib").write_text(
        "% ours\n@misc{own2030,\n  author = {A and B},\n  title = {{T}},\n}\n"
    )
    entries, missing = told(write_run)
    assert list(entries) == ["own2030", "semcore"]
    assert (
        missing == "channel 'theirs' cites 'gone', which its package's references.bib does not have"
    )


@pytest.mark.parametrize(
    "text, said",
    [("@misc{own2030, title = {T}", "'own2030' in line 1 has no end"),
     ("\n@misc{\n title = {}}", "in line 2 has no key"),
     ("@misc{a, x={}}\n@misc{a, x={}}", "the key 'a' stands again in line 2")],
)  # fmt: skip
def test_references_that_are_no_bibtex_are_told(
    third_party: Path, write_run: Writer, text: str, said: str
) -> None:
    (third_party / "references.bib").write_text(text)
    _, missing = told(write_run)
    assert said in missing and "channel 'theirs' is not cited" in missing


def test_show_names_the_keys(capsys: Any) -> None:
    with pytest.raises(SystemExit):
        main(["show", "ssim"])
    assert "Cite: wang2004image\n" in capsys.readouterr().out
