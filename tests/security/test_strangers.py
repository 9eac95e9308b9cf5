"""Runs made by others: nothing leads out of the folder, and any content ends in one line."""

from __future__ import annotations

import json
import os
import shutil
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from semcore import storage
from semcore.cli import main
from semcore.limits import MAX_KEPT_BYTES, MAX_TEXT_BYTES
from semcore.runs import files
from semcore.runs.results import read_run
from semcore.runs.verify import verify
from semcore.storage import content_digest, sealed, unsealed

from ..support.pipelines import Bench

SECRET = b"secret-of-somebody"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two cells with a session each."""
    made = Bench(tmp_path_factory.mktemp("whole"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BENCH_LOG", str(made.log))
        return made.run("channel.snr_db=0,3", "planner.use=alternate").folder


@pytest.fixture
def run(whole: Path, tmp_path: Path) -> Path:
    """A copy of it beside a secret."""
    (tmp_path / "secret.txt").write_bytes(SECRET)
    return Path(shutil.copytree(whole, tmp_path / "run"))


def cell_of(run: Path) -> Path:
    """The folder of the first cell."""
    return run / "cells" / read_run(run).results[0]["id"]


def rewrite(path: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    """Override a sealed file as a stranger can: with a digest that fits."""
    value = unsealed(path.read_bytes())
    change(value)
    path.write_bytes(sealed(value))


def rewrite_items(cell: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    """The same for the first row of a cell."""
    rows = [json.loads(line) for line in (cell / "items.jsonl").read_text().splitlines()]
    change(rows[0])
    data = "".join(json.dumps(row) + "\n" for row in rows).encode()
    (cell / "items.jsonl").write_bytes(data)
    rewrite(
        cell / "result.json",
        lambda result: result["files"].update({"items.jsonl": content_digest(data)}),
    )


def commands(run: Path) -> Iterator[list[str]]:
    """Every command that reads a run, with all that it may read."""
    metric = "grey-error"
    yield from (
        ["report", str(run)],
        ["play", str(run)],
        ["play", str(run), "0", "--write"],
        ["table", str(run)],
        ["cite", str(run)],
        ["plot", str(run), "--x", "channel.snr_db", "--y", metric],
        ["timeline", str(run), "--y", metric],
        ["frames", str(run)],
        ["export", str(run), "--to", "csv", "--items", "--all-settings"],
        ["export", str(run), "--to", "parquet", "--out", f"{run}.parquet"],
        ["diff", str(run), str(run)],
        ["merge", str(run), "-o", f"{run}-merged"],
        ["verify", str(run)],
    )


def among(run: Path, *verbs: str) -> list[list[str]]:
    """Some of the commands; drawing takes long."""
    return [command for command in commands(run) if command[0] in verbs]


def call(command: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Exit code and what is said on stderr, which is an error of one line or nothing."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as end:
        main(command)
    told = capsys.readouterr()
    assert "Traceback" not in told.err + told.out
    code = int(end.value.code or 0)
    if code == 2:
        assert told.err.startswith("error: ") and told.err.count("\n") == 1, told.err
    return code, told.err + told.out


def outside(folder: Path) -> dict[str, bytes]:
    """What lies beside the run and what commands are to write beside it."""
    return {
        str(path): path.read_bytes()
        for path in folder.iterdir()
        if path.is_file() and path.suffix != ".parquet"
    }


def test_the_commands_of_these_tests_work_on_a_whole_run(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in commands(run):
        assert call(command, capsys)[0] == 0, command
    assert verify(run).whole == 2


# ---------------------------------------------------------------------------------- names and links


def leads_out_by_item(kind: str, name: str) -> Callable[[Path], None]:
    def change(run: Path) -> None:
        rewrite_items(
            cell_of(run), lambda row: row.setdefault(kind, {}).update(source=name, result=name)
        )

    return change


def leads_out_by_file(name: str) -> Callable[[Path], None]:
    def change(run: Path) -> None:
        rewrite(
            cell_of(run) / "result.json",
            lambda result: result["files"].update({name: content_digest(SECRET)}),
        )

    return change


def leads_out_by_link(name: str, target: str) -> Callable[[Path], None]:
    def change(run: Path) -> None:
        path = next(run.glob(name))
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        path.symlink_to(target.replace("BESIDE", str(run.parent)))

    return change


def leads_out_by_cell(run: Path) -> None:
    """A cell whose id is a path."""
    cell = cell_of(run)
    rewrite(cell / "result.json", lambda result: result.update(id="../../elsewhere"))
    shutil.move(cell, run.parent / "elsewhere")
    rewrite(run / "run.json", lambda info: info["cells"][0].update(id="../../elsewhere"))


def linked_clip(run: Path) -> None:
    cell = cell_of(run)
    (cell / "clip.mp4").symlink_to(run.parent / "secret.txt")
    leads_out_by_item("clips", "clip.mp4")(run)
    leads_out_by_file("clip.mp4")(run)


def pipe(name: str) -> Callable[[Path], None]:
    def change(run: Path) -> None:
        path = next(run.glob(name), run / name)
        path.unlink(missing_ok=True)
        os.mkfifo(path)

    return change


def huge(name: str, size: int) -> Callable[[Path], None]:
    def change(run: Path) -> None:
        path = next(run.glob(name))
        os.truncate(path, size + 1)

    return change


LED_ASTRAY: dict[str, Callable[[Path], None]] = {
    "clip above": leads_out_by_item("clips", "../../../secret.txt"),
    "picture above": leads_out_by_item("pictures", "../../../secret.txt"),
    "absolute clip": leads_out_by_item("clips", "/etc/passwd"),
    "clip that is no text": leads_out_by_item("clips", {"a": 1}),
    "clip with a zero": leads_out_by_item("clips", "a\0b"),
    "empty clip": leads_out_by_item("clips", ""),
    "file above": leads_out_by_file("../../../secret.txt"),
    "device": leads_out_by_file("../../../../../../../../dev/zero"),
    "absolute device": leads_out_by_file("/dev/zero"),
    "hidden above": leads_out_by_file("a/../../../../secret.txt"),
    "cell above": leads_out_by_cell,
    "linked clip": linked_clip,
    "linked rows": leads_out_by_link("cells/*/items.jsonl", "BESIDE/secret.txt"),
    "rows are a device": leads_out_by_link("cells/*/items.jsonl", "/dev/zero"),
    "pictures are linked": leads_out_by_link("cells/*/pictures", "BESIDE"),
    "result is a device": leads_out_by_link("cells/*/result.json", "/dev/zero"),
    "link in a circle": leads_out_by_link("cells/*/items.jsonl", "items.jsonl"),
    "cells are linked": leads_out_by_link("cells", "BESIDE"),
    "rows are a pipe": pipe("cells/*/items.jsonl"),
    "result is a pipe": pipe("cells/*/result.json"),
    "huge rows": huge("cells/*/items.jsonl", MAX_TEXT_BYTES),
    "huge result": huge("cells/*/result.json", MAX_TEXT_BYTES),
    "huge picture": huge("cells/*/pictures/*.png", MAX_KEPT_BYTES),
}  # fmt: skip


@pytest.mark.parametrize("how", LED_ASTRAY)
def test_nothing_leads_out_of_a_run(
    run: Path, how: str, capsys: pytest.CaptureFixture[str]
) -> None:
    LED_ASTRAY[how](run)
    before = outside(run.parent)
    for command in among(
        run, "report", "play", "table", "frames", "export", "diff", "merge", "verify"
    ):
        code, told = call(command, capsys)
        assert SECRET.decode() not in told
        if command[0] == "verify":
            assert code in (1, 2) and (code == 2 or " 0 faults" not in told), told
        if command[0] == "merge":
            assert code == 2 and not Path(command[-1], "run.json").exists(), told
    assert outside(run.parent) == before
    made = [
        path
        for path in run.parent.rglob("*")
        if path.is_file() and not path.is_symlink() and path.name != "secret.txt"
    ]
    for path in (path for path in made if path.stat().st_size < 10**7):
        assert SECRET not in path.read_bytes(), path
    import base64

    page = run / "report.html"
    assert not page.exists() or base64.b64encode(SECRET)[:20] not in page.read_bytes()


@pytest.mark.parametrize(
    "name", ["run.json", "pipeline.yaml", "report.html", "cells/*/failure.json"]
)
@pytest.mark.parametrize("what", ["a pipe", "a device", "a link out", "a directory"])
def test_files_that_are_none_are_not_opened(
    run: Path, name: str, what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if "failure" in name:
        cell_of(run).joinpath("result.json").unlink()
        name = f"cells/{next(run.glob('cells/*')).name}/failure.json"
    (run / name).unlink(missing_ok=True)
    if what == "a pipe":
        os.mkfifo(run / name)
    elif what == "a directory":
        (run / name).mkdir()
    else:
        (run / name).symlink_to("/dev/zero" if what == "a device" else run.parent / "secret.txt")
    for command in among(run, "table", "diff", "merge", "verify", "report"):
        _, told = call(command, capsys)
        assert SECRET.decode() not in told
    assert (run.parent / "secret.txt").read_bytes() == SECRET


def test_discarding_removes_nothing_outside(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    beside = run.parent / "beside"
    (beside / "ab").mkdir(parents=True)
    for name in ("file", "ab/x.npz"):
        (beside / name).write_text("keep me")
    cell = cell_of(run)
    shutil.rmtree(run / "cache", ignore_errors=True)
    (run / "cache").mkdir()
    (run / "cache" / "ab").symlink_to(beside / "ab")
    (run / "cells" / "linked").symlink_to(beside)
    (cell / "pictures" / "linked").symlink_to(beside)
    code, told = call(["verify", str(run), "--discard"], capsys)
    assert code == 1 and "cells/linked" in told and "pictures/linked" in told and "cache/ab" in told
    assert (
        (beside / "file").exists()
        and (beside / "ab/x.npz").exists()
        and not (run / "cells" / "linked").is_symlink()
    )


def test_nothing_is_written_outside(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By links in the place of folders that commands write to, and by names used for files."""
    beside = run.parent / "beside"
    beside.mkdir()
    for name in ("figures", "export"):
        (run / name).symlink_to(beside)
    (run / "report.html").symlink_to(beside / "page")
    for command in commands(run):
        code, told = call(command, capsys)
        assert (code == 2) == (command[0] in ("plot", "timeline", "frames")), told
    assert not list(beside.iterdir()) and (run / "report.html").is_file()
    (run / "figures").unlink()
    name = "../../../beside/x"
    for cell in run.glob("cells/*"):
        rewrite(
            cell / "result.json",
            lambda result: result["metrics"].update({name: result["metrics"]["grey-error"]}),
        )
        rewrite_items(cell, lambda row: row.update(sample=name))
    assert call(["plot", str(run), "--x", "channel.snr_db", "--y", name], capsys)[0] == 0
    assert call(["frames", str(run), "--sample", name], capsys)[0] in (0, 2)
    assert not list(beside.iterdir()) and len(list((run / "figures").iterdir())) >= 4


def test_a_run_goes_on_in_a_strangers_folder_without_leaving_it(bench: Any) -> None:
    bench.run("channel.snr_db=0")
    out, beside = bench.folder / "out", bench.folder / "beside"
    beside.mkdir()
    whole = bench.results()
    cell = next((out / "cells").iterdir())
    (cell / "result.json").unlink()
    for path in (out / "cache").rglob("*.npz"):
        path.unlink()
        path.symlink_to("/dev/zero")
    (cell / "failure.json").symlink_to(beside / "file")
    assert (
        bench.run("channel.snr_db=0").computed == 1
        and bench.results() == whole
        and not list(beside.iterdir())
    )
    shutil.rmtree(cell / "pictures")
    (cell / "pictures").symlink_to(beside)
    (cell / "result.json").unlink()
    from semcore.errors import RunError

    with pytest.raises(RunError, match="leads out of the run's folder by a link"):
        bench.run("channel.snr_db=0")
    assert not list(beside.iterdir())


# ------------------------------------------------------------------------------------------ content


def raw(path: Path, old: bytes, new: bytes) -> None:
    """Override the text of a sealed file, with a digest that fits: what no `json.dumps` writes."""
    tail = len(storage._END % storage._EMPTY.encode())
    body = path.read_bytes()[:-tail]
    assert old in body
    body = body.replace(old, new, 1)
    path.write_bytes(
        body + storage._END % content_digest(body + storage._END % storage._EMPTY.encode()).encode()
    )


def in_result(**parts: Any) -> Callable[[Path], None]:
    return lambda run: rewrite(cell_of(run) / "result.json", lambda result: result.update(parts))


def in_metric(**parts: Any) -> Callable[[Path], None]:
    return lambda run: rewrite(
        cell_of(run) / "result.json", lambda result: result["metrics"]["grey-error"].update(parts)
    )


def in_info(**parts: Any) -> Callable[[Path], None]:
    return lambda run: rewrite(run / "run.json", lambda info: info.update(parts))


def in_item(**parts: Any) -> Callable[[Path], None]:
    return lambda run: rewrite_items(cell_of(run), lambda row: row.update(parts))


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {"a": value}
    return value


def in_text(old: bytes, new: bytes) -> Callable[[Path], None]:
    return lambda run: raw(cell_of(run) / "result.json", old, new)


HOSTILE: dict[str, Callable[[Path], None]] = {
    "name is a mapping": in_info(name={"a": 1}),
    "axes are a list": in_info(axes=[]),
    "cells are numbers": in_info(cells=[1]),
    "cells are gone": in_info(cells=None),
    "axis is text": in_info(axes={"channel.snr_db": "abc"}),
    "settings of no axis": lambda run: rewrite(
        run / "run.json", lambda info: info["cells"][0].update(settings={"x": 1})
    ),
    "metrics are a list": in_result(metrics=[1]),
    "metrics hold text": in_result(metrics={"grey-error": "x"}),
    "mean is text": in_metric(mean="12"),
    "mean is true": in_metric(mean=True),
    "unit is a number": in_metric(unit=3),
    "n is negative": in_metric(n=-1),
    "n is huge": in_metric(n=10**299),
    "mean is huge": in_metric(mean=1.7e308, high=1.7e308),
    "interval is turned round": in_metric(low=9.0, high=-9.0),
    "segments are lists": in_result(segments=[[[]]]),
    "segments are empty": in_result(segments=[{}]),
    "config is text": in_result(config="x"),
    "config is deep": in_result(config={"seed": 1, "channel": nested(45)}),
    "config is too deep": in_result(config={"seed": 1, "channel": nested(90)}),
    "seed is text": in_result(config={"seed": "x"}),
    "packages are a list": in_result(packages=["x"]),
    "ledger is text": in_result(ledger=["x"]),
    "genie is a number": in_result(genie=3),
    "conventions are lists": in_result(conventions={"snr": []}),
    "files are a list": in_result(files=["x"]),
    "not a number": in_text(b'"n": 3', b'"n": NaN'),
    "infinity": in_text(b'"n": 3', b'"n": -Infinity'),
    "beyond a float": in_text(b'"n": 3', b'"n": 1e999'),
    "a number of 5000 digits": in_text(b'"n": 3', b'"n": 1' + b"0" * 5000),
    "half a character": in_text(b'"n": 3', b'"n": 3, "x": "\\ud800"'),
    "deep brackets": in_text(b'"n": 3', b'"n": ' + b"[" * 99999),
    "row without metrics": in_item(metrics=None),
    "row of numbers": in_item(sample=3),
    "sent is a list": in_item(sent=["x"]),
    "intact is text": in_item(intact={"caption": "yes"}),
    "uses are text": in_item(channel_uses="many"),
    "pictures are a list": in_item(pictures=["source"]),
    "formula": in_item(sample="$\\frac{1}{$"),
    "page": in_item(sample="</script><script>alert(1)</script>"),
    "picture is none": in_item(pictures={"source": "items.jsonl", "result": "items.jsonl"}),
    "clip is none": in_item(clips={"source": "items.jsonl", "result": "items.jsonl"}),
}


@pytest.mark.parametrize(
    "how",
    [pytest.param(how, marks=pytest.mark.slow if at % 2 else ()) for at, how in enumerate(HOSTILE)],
)
def test_whatever_a_run_holds_ends_in_a_line(
    run: Path, how: str, capsys: pytest.CaptureFixture[str]
) -> None:
    HOSTILE[how](run)
    for command in among(
        run, "report", "table", "frames", "export", "diff", "cite", "merge", "verify", "play"
    ):
        code, told = call(command, capsys)
        assert len(told) < 20_000 and (code != 2 or len(told) < 1500), told[:500]
    page = run / "report.html"
    assert not page.exists() or b"<script>alert" not in page.read_bytes()


def test_reading_a_small_file_of_a_run_takes_little_memory(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"content")
    tracemalloc.start()
    try:
        assert files.read(tmp_path, "a") == b"content"
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()
