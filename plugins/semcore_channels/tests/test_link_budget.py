"""The command `link-budget`, as somebody at a terminal sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from semcore import Plan, Scenario, Space
from semcore.commands import cli
from semcore.testing.internals import (
    LinkSimulator,
    Multiplex,
    Pipeline,
    build,
    enforce,
    load,
    samples,
)
from semcore_channels.ntn.channels import Satellite
from semcore_channels.ntn.geometry import doppler_hz
from semcore_channels.transports.ldpc import LDPC

PIPELINE = """\
semcore: 1
source: {use: samples, limit: 1}
encoder: {use: mini-caption}
transport: {use: ldpc}
channel: {use: satellite, tx_power_dbm: 55}
generator: {use: mini-diffusion, steps: 4}
"""


@pytest.fixture
def pipeline(tmp_path: Path) -> Path:
    path = tmp_path / "pass.yaml"
    path.write_text(PIPELINE)
    return path


def said(*arguments: object) -> str:
    done = CliRunner().invoke(cli, ["link-budget", *map(str, arguments)], catch_exceptions=False)
    assert done.exit_code == 0
    return done.output


def refused(*arguments: object) -> str:
    return str(CliRunner().invoke(cli, ["link-budget", *map(str, arguments)]).exception)


def test_every_term_is_told_and_which_reading_is_used(pipeline):
    text = said(pipeline, "channel.elevation_deg=90", "--step", 60)
    for line in (
        "transmit power             55.00 dBm  Table I read as 25 dBW",
        "free space, uplink       -154.0",
        "eq. 7",
    ):
        assert line in text
    assert "Table I as printed: 25 dBm" in said(pipeline, "channel.tx_power_dbm=25")
    assert "5.00 dB   snr_db as given" in said(
        pipeline, "channel.tx_power_dbm=null", "channel.snr_db=5"
    )


def test_a_pass_is_told_drawn_and_written_for_a_planner(pipeline, tmp_path):
    out, drawing = tmp_path / "scenario.yaml", tmp_path / "pass.png"
    text = said(pipeline, "--highest", 60, "--step", 40, "--scenarios", out, "--plot", drawing)
    rows = [line.split() for line in text.split("SNR dB\n")[1].splitlines() if line.startswith(" ")]
    assert max(float(row[1]) for row in rows) == 60.0 and len(rows) > 8
    assert drawing.read_bytes().startswith(b"\x89PNG")
    segments = yaml.safe_load(out.read_text())["scenario"]["segments"]
    assert len(segments) == len(rows)
    whole = tmp_path / "whole.yaml"
    whole.write_text(PIPELINE + out.read_text())
    setup = load(whole).resolve(load(whole).cells[0])
    assert [one.environment for one in setup.scenarios] == segments


def test_elements_over_two_sites(pipeline):
    where = ("--tle", "illustration", "--site", "39.9,116.4", "--site", "32.06,118.8")
    for at in ("2025-12-09T12:00:00", "2025-12-09T12:00:00Z", "2025-12-09T12:00"):
        assert "ILLUSTRATION, from 2025-12-09 11:58:00 UTC" in said(pipeline, *where, "--at", at)


def two_lines(number: int, name: str = "") -> str:
    """Elements of 2025-12-06 with right checksums."""
    pair = (
        f"1 {number}U 25001A   25340.50000000  .00001234  00000+0  12345-4 0  999",
        f"2 {number}  53.0000 120.0000 0001234  90.0000 270.0000 15.20000000    1",
    )
    digits = [
        str(sum(int(one) if one.isdigit() else one == "-" for one in line) % 10) for line in pair
    ]
    return "\n".join([*([name] if name else []), pair[0] + digits[0], pair[1] + digits[1]]) + "\n"


def test_elements_of_many_satellites_with_a_byte_order_mark(pipeline, tmp_path):
    file = tmp_path / "many.tle"
    file.write_text("\ufeff" + two_lines(91234, "FIRST") + two_lines(95555, "SECOND"))
    where = (
        pipeline,
        "--tle",
        file,
        "--site",
        "39.9,116.4",
        "--at",
        "2025-12-06T12:00:00",
        "--lowest",
        "0",
    )
    assert (
        "choose one with --satellite, by name or number: FIRST (91234), SECOND (95555)"
        in refused(*where)
    )
    for chosen in ("second", "95555"):
        assert "SECOND" in (
            refused(*where, "--satellite", chosen) + said_or_nothing(*where, "--satellite", chosen)
        )
    assert "holds no satellite 'THIRD'" in refused(*where, "--satellite", "THIRD")
    file.write_bytes("GRÜN\n".encode("latin-1") + two_lines(91234).encode())
    assert "cannot be read" in refused(*where)


def said_or_nothing(*arguments: object) -> str:
    return CliRunner().invoke(cli, ["link-budget", *map(str, arguments)]).output


def test_old_elements_are_refused_with_both_dates(pipeline, tmp_path):
    file = tmp_path / "old.tle"
    file.write_text(two_lines(91234, "DRAG"))
    for at, words in (("2026-03-06", "90 days after"), ("2024-12-06", "365 days before")):
        text = refused(pipeline, "--tle", file, "--site", "39.9,116.4", "--at", at)
        assert "2025-12-06" in text and at in text and words in text


def test_of_a_swept_file_the_point_is_named(pipeline):
    swept = ("channel.elevation_deg=30,90", "channel.altitude_km=300,600")
    text = said(pipeline, *swept)
    assert text.startswith(
        "the first of 4 points of the sweep: channel.elevation_deg=30, channel.altitude_km=300"
    )
    assert "the first of" not in said(pipeline, "channel.elevation_deg=30")


def test_a_geostationary_satellite_does_not_pass(pipeline):
    text = said(pipeline, "channel.altitude_km=35786")
    assert (
        "free space, uplink" in text
        and "no pass: at 35786 km the rotation of the earth matters" in text
    )
    for asked in (("--highest", 60), ("--step", 30)):
        assert "give two-line elements (--tle)" in refused(
            pipeline, "channel.altitude_km=35786", *asked
        )


def test_rain_where_nobody_knows_its_loss_is_refused_by_check(pipeline):
    for overrides, words in (
        (("channel.elevation_deg=3", "channel.rain_rate_mm_h=5"), "from 5 degrees"),
        (
            ("channel.carrier_frequency_hz=60e9", "channel.rain_exceedance_percent=0.1"),
            "up to 55 GHz",
        ),
    ):
        done = CliRunner().invoke(cli, ["check", str(pipeline), *overrides])
        assert done.exit_code and words in str(done.exception)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--site", "1,2"], "--site, --at and --satellite require --tle"),
        (["--tle", "illustration"], "--tle needs a --site"),
        (["--lowest", "60", "--highest", "50"], "--lowest 60 must be below --highest 50"),
        (
            ["--tle", "nowhere.tle", "--site", "1,2", "--at", "2025-12-09"],
            "nowhere.tle cannot be read",
        ),
        (
            ["channel={use: uma, snr_db: 1}", "--plot", "x.png"],
            "--plot is for the channel `satellite`",
        ),
        (["--plot", "x.nonsense"], "x.nonsense cannot be drawn"),
    ],
)
def test_what_does_not_go_together_is_refused(pipeline, arguments, words):
    assert words in refused(pipeline, *arguments)


def test_a_cell_says_its_own(pipeline):
    text = said(pipeline, "channel={use: uma, tx_power_dbm: 23}")
    assert (
        "share of a subcarrier" in text
        and "path loss and shadowing" in text
        and "noise figure" in text
    )


def test_a_planner_is_told_the_budget_the_doppler_and_the_rain() -> None:
    clear = Satellite(tx_power_dbm=55.0, carrier_frequency_hz=20e9, elevation_deg=30.0)
    state = clear.link_state()
    assert (
        state["snr_db"] == pytest.approx(clear.budget()[-1].value) and state["tx_power_dbm"] == 55.0
    )
    assert state["elevation_deg"] == 30.0 and state["rain_db"] == 0.0
    assert state["doppler_hz"] == pytest.approx(doppler_hz(600.0, 30.0, 20e9))
    wet = replace(clear, rain_rate_mm_h=5.0).link_state()
    assert wet["rain_db"] > 1 and wet["snr_db"] == pytest.approx(state["snr_db"] - wet["rain_db"])
    assert (
        Satellite(snr_db=3.0).link_state()["snr_db"] == 3.0
        and "tx_power_dbm" not in Satellite(snr_db=3.0).link_state()
    )


@pytest.mark.parametrize(("most", "expected"), [(40.0, 35.0), (26.0, 25.0), (20.0, 20.0)])
def test_a_limit_of_the_power_holds_whatever_is_planned(most: float, expected: float) -> None:
    """The guard reads the power of a candidate pipeline off its channel."""

    def pipeline_of(plan: Mapping[str, Any]) -> Pipeline:
        channel = Satellite(tx_power_dbm=plan.get("channel.tx_power_dbm", 20.0))
        encoder, generator = (
            build(kind, {"use": "bitstream", "codec": "jpeg"}) for kind in ("encoder", "generator")
        )
        return Pipeline(encoder, Multiplex({"*": LDPC()}), channel, generator)  # type: ignore[arg-type]

    scenario = Scenario(limits={"tx_power_dbm": most})
    bench = LinkSimulator(
        Space({"channel.tx_power_dbm": (20.0, 25.0, 35.0)}), pipeline_of, scenario, samples()
    )
    kept = enforce(Plan({"channel.tx_power_dbm": 99.0}), bench, scenario)
    assert kept.plan.overrides == {"channel.tx_power_dbm": expected} and not kept.muted
