"""Names and links in a run lead nowhere outside of its folder."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from semcore.limits import MAX_KEPT_BYTES, MAX_TEXT_BYTES
from semcore.runs.verify import verify
from semcore.storage import content_digest

from ...support.strangers import SECRET, among, call, cell_of, commands, rewrite, rewrite_items


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
@pytest.mark.default_cases(8)
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
@pytest.mark.default_cases(5)
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


@pytest.mark.slow
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
