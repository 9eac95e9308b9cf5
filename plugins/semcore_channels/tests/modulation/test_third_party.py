"""A modulation as a third party adds it: one file, beside a pipeline or in an installed package."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import integrate, stats

from semcore import Bitstream, ComponentError, PluginError, Rng, Semantics
from semcore_channels.flat import AWGN
from semcore_channels.modulation import Modulation, load, names, registry
from semcore_channels.transports.ldpc import LDPC
from semcore_channels.transports.uncoded import Uncoded

PAGE = Path(__file__).parents[4] / "docs" / "write-a-plugin.md"
BESIDE = PAGE.read_text().partition("```python\n# psk.py\n")[2].partition("```")[0]
"""The file of the page "Write a plugin", which registers its modulation."""
INSTALLED = BESIDE.replace('register("8psk", PSK8)\n', "")
"""The same for a package, where an entry point names the modulation."""
PIPELINE = """
semcore: 1
source: {use: samples, limit: 2}
encoder: {use: bitstream, codec: {use: jpeg, quality: 20}}
transport: {use: ldpc, rate: 1/2, modulation: 8psk}
channel: {use: awgn, snr_db: 12}
generator: {use: bitstream, codec: {use: jpeg}, size: [32, 32]}
metrics: [psnr, channel-uses]
"""


def semcore(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(folder / "site"), "OMP_NUM_THREADS": "1"}
    environment |= variables
    command = [sys.executable, "-m", "semcore", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def results(folder: Path) -> list[dict]:
    return [json.loads(path.read_text()) for path in folder.glob("out/cells/*/result.json")]


@pytest.mark.slow
def test_a_file_beside_the_pipeline_adds_a_modulation(tmp_path: Path) -> None:
    (tmp_path / "psk.py").write_text(BESIDE)
    (tmp_path / "pipeline.yaml").write_text(PIPELINE + "plugins: [psk.py]\n")
    done = semcore(tmp_path, "run", "pipeline.yaml", "--out", "out", "--no-report")
    assert done.returncode == 0, done.stderr
    [first] = results(tmp_path)
    (tmp_path / "psk.py").write_text(BESIDE.replace("7, 6, 4, 5", "7, 6, 5, 4"))
    assert semcore(tmp_path, "run", "pipeline.yaml", "--out", "out", "--no-report").returncode == 0
    assert len(results(tmp_path)) == 2, "an edited modulation makes another cell"


def install(folder: Path, package: str = "psk", text: str = INSTALLED) -> Path:
    """Install a package with the modulation 8psk; returns the folder of its metadata."""
    site = folder / "site"
    metadata = site / f"{package}-1.0.dist-info"
    metadata.mkdir(parents=True)
    (site / f"{package}.py").write_text(text)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(
        f"[semcore_channels.modulation]\n8psk = {package}:PSK8\n"
    )
    (folder / "pipeline.yaml").write_text(PIPELINE)
    return metadata


def test_an_installed_package_adds_a_modulation(tmp_path: Path) -> None:
    metadata = install(tmp_path)
    done = semcore(tmp_path, "check", "pipeline.yaml")
    assert done.returncode == 0, done.stderr
    (metadata / "entry_points.txt").write_text("")
    refused = semcore(tmp_path, "check", "pipeline.yaml")
    assert refused.returncode and "'64qam' or '256qam'" in refused.stderr


@pytest.mark.slow
def test_the_environment_selects_modulations_as_it_selects_components(tmp_path: Path) -> None:
    install(tmp_path)
    ours = "semcore-channels,semcore-image"
    chosen = semcore(tmp_path, "check", "pipeline.yaml", SEMCORE_PLUGINS=f"{ours},psk")
    assert chosen.returncode == 0, chosen.stderr
    refused = semcore(tmp_path, "check", "pipeline.yaml", SEMCORE_PLUGINS=ours)
    assert refused.returncode and "'64qam' or '256qam'" in refused.stderr
    listed = semcore(tmp_path, "plugins", SEMCORE_PLUGINS=f"{ours},psk")
    assert "psk 1.0\n  modulation 8psk\n" in listed.stdout
    assert "not installed" not in listed.stdout
    assert (
        "left out by SEMCORE_PLUGINS: psk"
        in semcore(
            tmp_path,
            "plugins",
            SEMCORE_PLUGINS="semcore-channels,semcore-image,semcore-llm,semcore-video",
        ).stdout
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param(
            "import nothing_of_this_name",
            "cannot be imported: it needs the module",
            marks=pytest.mark.slow,
        ),
        ("import ctypes; ctypes.string_at(0)", "kills the process by SIGSEGV when it is imported"),
        ("PSK8 = 3", "instance of Modulation"),
        pytest.param("", "is not there: psk has no 'PSK8'", marks=pytest.mark.slow),
    ],
)
@pytest.mark.default_cases(1)
def test_a_broken_modulation_is_an_error_of_its_package(
    tmp_path: Path, text: str, problem: str
) -> None:
    install(tmp_path, text=text)
    done = semcore(tmp_path, "run", "pipeline.yaml", "--no-report")
    assert done.returncode and problem in done.stderr and "Traceback" not in done.stderr
    seen = semcore(tmp_path, "plugins", "doctor", "psk")
    if text != "PSK8 = 3":  # what a modulation is, the core does not know
        assert seen.returncode == 1 and problem in seen.stdout


@pytest.mark.slow
def test_two_packages_with_one_modulation_are_refused(tmp_path: Path) -> None:
    install(tmp_path)
    install(tmp_path, "other")
    done = semcore(tmp_path, "run", "pipeline.yaml", "--no-report")
    assert done.returncode and "is given by" in done.stderr and "SEMCORE_PLUGINS" in done.stderr
    assert semcore(tmp_path, "plugins", "doctor", "psk").returncode == 1
    ours = "semcore-channels,semcore-image,other"
    assert semcore(tmp_path, "check", "pipeline.yaml", SEMCORE_PLUGINS=ours).returncode == 0


@pytest.fixture
def psk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Modulation:
    monkeypatch.setattr(registry, "_registered", {})
    (tmp_path / "psk.py").write_text(BESIDE)
    made: Modulation = runpy.run_path(str(tmp_path / "psk.py"))["PSK8"]
    return made


@pytest.mark.parametrize("snr_db", [5.0, 10.0, 13.0])
def test_its_symbol_errors_are_those_of_the_books(psk: Modulation, snr_db: float) -> None:
    """J. W. Craig, Proc. MILCOM 1991: P = 1/pi int_0^(7pi/8) exp(-Es/N0 sin^2(pi/8)/sin^2 t) dt."""
    data = np.random.default_rng(0).bytes(3 * 50_000 // 8)
    transport, channel = Uncoded("8psk"), AWGN(snr_db=snr_db)
    sent = transport.send([Semantics("a", {"x": Bitstream(data)})], Rng(1))
    [arrived] = transport.receive(channel.transmit(sent, Rng(1)))
    both = (np.frombuffer(one, np.uint8) for one in (data, arrived.streams["x"].data))
    symbols = (np.unpackbits(one)[: 3 * 49_998].reshape(-1, 3) for one in both)
    wrong = np.not_equal(*symbols).any(1)
    power = 10 ** (snr_db / 10) * np.sin(np.pi / 8) ** 2
    expected = (
        integrate.quad(lambda t: np.exp(-power / np.sin(t) ** 2), 0, 7 * np.pi / 8)[0] / np.pi
    )
    low, high = stats.binom.interval(0.99, len(wrong), expected)
    assert low <= wrong.sum() <= high


def test_it_is_coded_and_counts_in_the_identity(psk: Modulation) -> None:
    transport = LDPC(modulation="8psk")
    batch = [Semantics("a", {"x": Bitstream(bytes(range(200)))})]
    sent = transport.send(batch, Rng(1))
    assert transport.receive(AWGN(snr_db=12.0).transmit(sent, Rng(2)))[0].streams[
        "x"
    ].data == bytes(range(200))
    assert "8psk" in names() and load("8psk") is psk
    assert LDPC(modulation="4qam").identity() == "min-sum" != transport.identity()
    assert Uncoded("4qam").identity() is None and Uncoded("8psk").identity()


def test_an_unknown_name_is_refused_and_all_known_ones_are_listed(psk: Modulation) -> None:
    with pytest.raises(
        ComponentError, match="'bpsk', '4qam', '16qam', '64qam', '256qam' or '8psk', not '16apsk'"
    ):
        LDPC(modulation="16apsk")


@pytest.mark.parametrize(
    ("points", "problem"),
    [
        (torch.ones(4, dtype=torch.complex64), "has the shape"),
        (2 * torch.polar(torch.ones(8), torch.arange(8.0)), "mean power of 4"),
        (torch.ones(8, dtype=torch.complex64), "same point"),
    ],
)
def test_a_wrong_constellation_is_refused(
    psk: Modulation, points: torch.Tensor, problem: str
) -> None:
    class Wrong(Modulation):
        bits_per_symbol = 3

        def constellation(self) -> torch.Tensor:
            return points

    registry.register("wrong", Wrong())
    with pytest.raises(ComponentError, match=problem):
        Uncoded("wrong").send([Semantics("a", {"x": Bitstream(b"abc")})], Rng(1))


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [("4qam", None, "choose another"), ("x", 3, "instance of Modulation")],
)
def test_what_cannot_be_a_modulation_is_refused(
    psk: Modulation, name: str, value: object, problem: str
) -> None:
    with pytest.raises(PluginError, match=problem):
        registry.register(name, value)  # type: ignore[arg-type]
