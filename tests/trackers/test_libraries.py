"""What the shipped trackers record, read back with the library itself, or from its files."""

from __future__ import annotations

import json
import sqlite3
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import semcore

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


@pytest.fixture
def tracked(bench: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs two cells, one of which fails, and a training with a tracker; the cell's result."""
    monkeypatch.chdir(tmp_path)

    def run(**settings: Any) -> dict[str, Any]:
        from semcore.config.hook_plugins import hooks_of
        from semcore.plugins.hook_calls import Around
        from semcore.training.watch import on_epoch, watched

        with pytest.warns(UserWarning, match="1 cell failed") as warned:
            results = semcore.run(
                bench.path,
                {"channel.snr_db": [0, 5], "channel.crash_db": 5},
                out="out",
                hooks=[settings],
                progress=False,
            )
        assert not [one for one in warned if "hook" in str(one.message)]
        (Path("model") / "x").mkdir(parents=True)
        Path("model/README.md").write_text("# A card")
        call = Around(hooks_of(more=[settings]))
        recipe = semcore.plugins.registry.load("recipe", "mini-clip")(data="pictures")
        with watched(recipe, Path("model"), call):
            for epoch in (1, 2):
                on_epoch(epoch, 2, {"loss": 1 / epoch, "accuracy": 0.25 * epoch})
        assert not call.complaints
        return dict(results[0].result)

    return run


def test_tensorboard(tracked: Any) -> None:
    pytest.importorskip("tensorboardX", reason="pip install 'semcore[tensorboard]'")
    result = tracked(use="tensorboard")
    values = dict[str, list[tuple[int, float]]]()
    texts = dict[str, str]()
    for path in sorted(Path("out/tensorboard").rglob("events*")):
        _read_events(path, values, texts)
    mean = result["metrics"]["grey-error"]
    assert values["grey-error"][0][1] == pytest.approx(mean["mean"])
    assert values["grey-error_low"][0][1] == pytest.approx(mean["low"])
    assert "burnt" in texts["failure 1/text_summary"]
    assert texts["folder/text_summary"] == str(Path("out").absolute())
    assert "| channel.use |" in texts["run/text_summary"]
    for path in Path("model/tensorboard").rglob("events*"):
        _read_events(path, values, texts)
    assert values["loss"] == [(1, 1.0), (2, 0.5)] and texts["card/text_summary"] == "# A card"


def _read_events(path: Path, values: Any, texts: Any) -> None:
    """The scalars and texts of an event file: length, checksum, bytes and checksum per record."""
    from tensorboardX.proto.event_pb2 import Event

    data = path.read_bytes()
    while data:
        (length,) = struct.unpack("<Q", data[:8])
        event = Event.FromString(data[12 : 12 + length])
        data = data[16 + length :]
        for one in event.summary.value:
            if one.HasField("simple_value"):
                values.setdefault(one.tag, []).append((event.step, one.simple_value))
            elif one.tensor.string_val:
                texts[one.tag] = one.tensor.string_val[0].decode()


def test_mlflow(tracked: Any) -> None:
    mlflow = pytest.importorskip("mlflow", reason="pip install 'semcore[mlflow]'")
    uri = f"sqlite:///{Path('mine.db').absolute()}"
    result = tracked(use="mlflow", experiment="x", tracking_uri=uri)
    client = mlflow.MlflowClient(uri)
    runs = client.search_runs([client.get_experiment_by_name("x").experiment_id])
    kinds = {one.data.tags["semcore.kind"]: one for one in runs}
    assert len(runs) == 3 and kinds.keys() == {"run", "cell", "training"}
    run, cell, training = kinds["run"], kinds["cell"], kinds["training"]
    mean = result["metrics"]["grey-error"]
    assert cell.data.metrics["grey-error"] == pytest.approx(mean["mean"])
    assert cell.data.metrics["grey-error high"] == pytest.approx(mean["high"])
    assert cell.data.params["channel.snr_db"] == "0.0" and cell.info.run_name == "channel.snr_db=0"
    assert cell.data.tags["mlflow.parentRunId"] == run.info.run_id
    assert (run.info.status, training.info.status) == ("FAILED", "FINISHED")  # a cell failed
    assert run.data.params["sweep.channel.snr_db"] == "[0, 5]"
    losses = client.get_metric_history(training.info.run_id, "loss")
    assert [(one.step, one.value) for one in losses] == [(1, 1.0), (2, 0.5)]
    assert {one.path for one in client.list_artifacts(training.info.run_id)} == {
        "card.txt", "folder.txt",
    }  # fmt: skip


def test_wandb(tracked: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("wandb", reason="pip install 'semcore[wandb]'")
    from wandb.proto.wandb_internal_pb2 import Record

    result = tracked(use="wandb", project="x", mode="offline")
    rows, summary, config = [], dict[str, Any](), dict[str, Any]()
    files = sorted(Path("wandb").glob("offline-run-*/*.wandb"))
    assert len(files) == 2
    for file in files:
        for data in _records(file.read_bytes()):
            record = Record.FromString(data)
            items = {
                one.key or "/".join(one.nested_key): json.loads(one.value_json)
                for one in (*record.history.item, *record.summary.update)
            }
            if record.WhichOneof("record_type") == "history":
                rows.append(items)
            elif record.WhichOneof("record_type") == "summary":
                summary |= items
            for one in record.run.config.update:
                config[one.key or "/".join(one.nested_key)] = json.loads(one.value_json)
    mean = result["metrics"]["grey-error"]
    (cell,) = (row for row in rows if "grey-error" in row)
    assert cell["grey-error"] == pytest.approx(mean["mean"]) and cell["channel.snr_db"] == 0
    assert cell["grey-error low"] == pytest.approx(mean["low"])
    assert [row["loss"] for row in rows if "loss" in row] == [1.0, 0.5]
    assert summary["card"] == "# A card" and "burnt" in summary["failure 1"]
    assert config["channel.crash_db"] == 5


def _records(data: bytes) -> Iterator[bytes]:
    """The records of W&B's file: a header of 7 bytes, then LevelDB's log in blocks of 32 KiB."""
    place, parts, block = 7, b"", 2**15
    while place < len(data):
        if (left := block - place % block) < 7:
            place += left
            continue
        _, length, kind = struct.unpack("<IHB", data[place : place + 7])
        parts += data[place + 7 : place + 7 + length]
        place += 7 + length
        if kind in (1, 4):  # whole, or the last part
            yield parts
            parts = b""


def test_trackio(tracked: Any, tmp_path: Path) -> None:
    """In a process of its own, for the library reads its folder from the environment once."""
    pytest.importorskip("trackio", reason="pip install 'semcore[trackio]'")
    from trackio import utils

    result = tracked(use="trackio", project="semcore-test")
    (base,) = Path(utils.TRACKIO_DIR).glob("semcore-test.db")
    with sqlite3.connect(base) as opened:
        rows = [json.loads(one) for (one,) in opened.execute("SELECT metrics FROM metrics")]
    base.unlink()
    mean = result["metrics"]["grey-error"]
    cell = [row for row in rows if "grey-error" in row][-1]
    assert cell["grey-error"] == pytest.approx(mean["mean"]) and cell["channel.snr_db"] == 0
    assert [row["loss"] for row in rows if "loss" in row][-2:] == [1.0, 0.5]
    assert any(row.get("card") == "# A card" for row in rows)
