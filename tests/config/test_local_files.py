"""Files under `plugins:` that get in each other's way are refused where they are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from semcore.config.configuration import load
from semcore.errors import ConfigError

CHANNEL = """import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import semcore
from helper_of_{helper} import GAIN


@semcore.register("channel", "{name}")
@dataclass(frozen=True)
class Gained(semcore.ChannelModel):
    \"\"\"A gain.\"\"\"

    def transmit(self, symbols, rng):
        values = symbols.values * GAIN
        return semcore.Received(values, symbols.values.abs() * 0 + 0.01, symbols.layout)
"""
PIPELINE = """semcore: 1
plugins: [{files}]
source: {{use: samples, limit: 1}}
encoder: {{use: bitstream, codec: {{use: png}}}}
transport: {{"*": {{use: uncoded}}}}
channel: {{use: {channel}}}
generator: {{use: bitstream, codec: {{use: png}}}}
metrics: [psnr]
"""


def problems(folder: Path, files: str, channel: str) -> list[tuple[str, str]]:
    """(place, message) of what is wrong with a pipeline."""
    path = folder / "pipeline.yaml"
    path.write_text(PIPELINE.format(files=files, channel=channel))
    try:
        load(path, [])
    except ConfigError as error:
        return [(one.where.rpartition("/")[2], one.message) for one in error.problems]
    return []


def write(folder: Path, name: str, helper: str, gain: int) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "it.py").write_text(CHANNEL.format(name=name, helper=helper))
    (folder / f"helper_of_{helper}.py").write_text(f"GAIN = {gain}\n")


def test_two_files_with_a_module_of_one_name(tmp_path: Path) -> None:
    """Python has one module of a name: the second file got the first one's."""
    write(tmp_path / "a", "gained-a", "clash", 1)
    write(tmp_path / "b", "gained-b", "clash", -1)
    [(_, message)] = problems(tmp_path, "./a/it.py, ./b/it.py", "gained-b")
    assert "./a/it.py imports another helper_of_clash" in message
    assert not problems(tmp_path, "./a/it.py", "gained-a")


def test_each_file_alone_has_its_own_module(tmp_path: Path) -> None:
    from semcore.entrypoints.naming import local

    for name, gain in (("c", 1), ("d", -1)):
        write(tmp_path / name, f"gained-{name}", "alone", gain)
        assert not problems(tmp_path, f"./{name}/it.py", f"gained-{name}")
        cls = local("channel", f"gained-{name}")
        assert cls is not None and cls.transmit.__globals__["GAIN"] == gain


@pytest.mark.parametrize("second", ["./f/it.py", "./e/../f/it.py"])
def test_two_files_with_one_name(second: str, tmp_path: Path) -> None:
    write(tmp_path / "e", "gained-twice", "e", 1)
    write(tmp_path / "f", "gained-twice", "f", -1)
    [(_, message)] = problems(tmp_path, f"./e/it.py, {second}", "gained-twice")
    assert "channel 'gained-twice' is registered by ./e/it.py, too" in message
    assert not problems(tmp_path, "./e/it.py, ./e/../e/it.py", "gained-twice")


def test_a_name_of_an_installed_package(tmp_path: Path) -> None:
    write(tmp_path / "g", "awgn", "g", 1)
    try:
        [(_, message)] = problems(tmp_path, "./g/it.py", "awgn")
    finally:
        from semcore.entrypoints import naming

        naming._local.pop(("channel", "awgn"), None)
    assert message == "./g/it.py: channel 'awgn' is a component of semcore-channels"


def test_a_metric_that_stands_twice_in_the_list(tmp_path: Path) -> None:
    path = tmp_path / "pipeline.yaml"
    text = PIPELINE.format(files="", channel="awgn, snr_db: 5")
    for metrics, wrong in (
        ("[psnr, psnr]", 1),
        ("[psnr, {use: psnr}]", 1),
        ("[ber, psnr, ber, ber]", 2),
        ("[psnr, ssim]", 0),
    ):
        path.write_text(text.replace("[psnr]", metrics))
        try:
            load(path, [])
            found = []
        except ConfigError as error:
            found = [one.message for one in error.problems]
        assert found == ["this metric stands in the list already"] * wrong


def test_a_number_longer_than_results_can_hold(tmp_path: Path) -> None:
    path = tmp_path / "pipeline.yaml"
    path.write_text(f"seed: {'9' * 350}\n" + PIPELINE.format(files="", channel="awgn, snr_db: 5"))
    with pytest.raises(ConfigError, match="seed"):
        load(path, [])
