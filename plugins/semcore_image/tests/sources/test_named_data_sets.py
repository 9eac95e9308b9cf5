"""Data sets by name and in the formats of Hugging Face `datasets`, without a network and with a hub
on this machine."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from semcore import ComponentError, SourceError, digest
from semcore.testing import run_laws
from semcore.testing.internals import Hub, Repository, download, serving, use
from semcore_image.sources.dataset import Dataset
from semcore_image.sources.dataset_files import split_files

datasets = pytest.importorskip("datasets")
NAMES = ["cat", "dog"]


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "arrow")
    monkeypatch.setenv("SEMCORE_SHELF", str(tmp_path / "shelf"))


def pixels(number: int) -> np.ndarray:
    return np.random.default_rng(number).integers(0, 256, (8, 12, 3), np.uint8)


def png(number: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels(number)).save(file, "PNG")
    return file.getvalue()


def table(count: int = 6, start: int = 0) -> Any:
    """Pictures with classes and captions, as `datasets` keeps them."""
    features = datasets.Features(
        {
            "img": datasets.Image(),
            "fine": datasets.ClassLabel(names=NAMES),
            "caption": datasets.Value("string"),
        }
    )
    numbers = range(start, start + count)
    rows = {
        "img": [{"bytes": png(number), "path": None} for number in numbers],
        "fine": [number % 2 for number in numbers],
        "caption": [f"picture {number}" for number in numbers],
    }
    return datasets.Dataset.from_dict(rows, features=features)


def parquet(place: Path, count: int = 6, start: int = 0) -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    table(count, start).to_parquet(place)
    return place


def check(samples: Any, numbers: list[int]) -> None:
    """The samples are these pictures, with their labels and captions."""
    assert [one.label for one in samples] == [NAMES[number % 2] for number in numbers]
    for one, number in zip(samples, numbers, strict=True):
        assert np.array_equal(one.image, pixels(number))


# -------------------------------------------------------------------------------- files and folders


@pytest.mark.parametrize("streaming", [False, True])
def test_parquet_in_a_folder(tmp_path: Path, streaming: bool) -> None:
    parquet(tmp_path / "set" / "data" / "train-00000-of-00002.parquet", 4)
    parquet(tmp_path / "set" / "data" / "train-00001-of-00002.parquet", 2, 4)
    parquet(tmp_path / "set" / "data" / "test-00000-of-00001.parquet", 3, 10)
    how: dict[str, Any] = {"path": str(tmp_path / "set"), "streaming": streaming}
    samples = Dataset(**how, split="train", text="caption").samples()
    check(samples, list(range(6)))
    assert [one.id for one in samples][:2] == ["train/000000", "train/000001"]
    assert samples[3].text == "picture 3" and samples[5].text == "picture 5"
    check(Dataset(**how, offset=1, limit=1).samples(), [11])
    check([Dataset(**how).samples()[at] for at in (2, 0, 1)], [12, 10, 11])


@pytest.mark.parametrize("streaming", [False, True])
def test_other_formats(tmp_path: Path, streaming: bool) -> None:
    table().save_to_disk(tmp_path / "saved" / "test")
    check(Dataset(str(tmp_path / "saved"), streaming=streaming).samples(), list(range(6)))
    for number in range(4):
        place = tmp_path / "folder" / "test" / NAMES[number % 2] / f"{number}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(png(number))
    check(Dataset(str(tmp_path / "folder"), streaming=streaming).samples(), [0, 2, 1, 3])
    (tmp_path / "tars").mkdir()
    with tarfile.open(tmp_path / "tars" / "test-00000.tar", "w") as tar:
        for number in range(4):
            texts = {"png": png(number), "cls": str(number % 2).encode(), "txt": b"a caption"}
            for ending, data in texts.items():
                entry = tarfile.TarInfo(f"{number:04d}.{ending}")
                entry.size = len(data)
                tar.addfile(entry, io.BytesIO(data))
    found = Dataset(str(tmp_path / "tars"), label="cls", text="txt", streaming=streaming).samples()
    assert [one.label for one in found] == ["0", "1", "0", "1"] and found[2].text == "a caption"
    assert np.array_equal(found[3].image, pixels(3))


def test_a_folder_of_pictures_may_have_metadata(tmp_path: Path) -> None:
    (tmp_path / "test").mkdir()
    lines = []
    for number in range(3):
        (tmp_path / "test" / f"{number}.png").write_bytes(png(number))
        lines.append(json.dumps({"file_name": f"{number}.png", "says": f"picture {number}"}))
    (tmp_path / "test" / "metadata.jsonl").write_text("\n".join(lines))
    samples = Dataset(str(tmp_path), text="says").samples()
    assert [one.text for one in samples] == ["picture 0", "picture 1", "picture 2"]
    assert np.array_equal(samples[1].image, pixels(1))


def test_one_file_and_texts_alone(tmp_path: Path) -> None:
    check(Dataset(str(parquet(tmp_path / "x.parquet")), split="train").samples(), list(range(6)))
    (tmp_path / "texts.csv").write_text("what,kind\nhello,a\nworld,b\n")
    samples = Dataset(
        str(tmp_path / "texts.csv"), split="train", text="what", label="kind"
    ).samples()
    assert [(one.text, one.label, one.image) for one in samples] == [
        ("hello", "a", None), ("world", "b", None),
    ]  # fmt: skip


def test_a_shuffle_is_seeded_and_keeps_ids(tmp_path: Path) -> None:
    place = str(parquet(tmp_path / "x.parquet", 20))

    def rows(**settings: Any) -> list[tuple[str, str | None]]:
        found = Dataset(place, "train", text="caption", **settings).samples()
        return [(one.id, one.text) for one in found]

    assert sorted(rows(shuffle=3)) == rows() != rows(shuffle=3) != rows(shuffle=4)
    assert rows(shuffle=3, limit=5, offset=2) == rows(shuffle=3)[2:7]
    streamed = rows(shuffle=3, streaming=True)
    assert streamed == rows(shuffle=3, streaming=True) != rows(streaming=True)
    assert sorted(streamed) == rows()


def test_local_data_are_known_by_their_content(tmp_path: Path) -> None:
    first = parquet(tmp_path / "a" / "x.parquet")
    second = parquet(tmp_path / "b" / "y.parquet")

    def known(place: Path, **settings: Any) -> str:
        return digest(Dataset(str(place), "train", **settings).samples())

    assert known(first) == known(second) == known(first.parent) == known(first, streaming=True)
    assert known(first) != known(first, text="caption") != known(first, size=(4, 4))
    parquet(second, start=1)
    assert known(first) != known(second)


def test_few_rows_are_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from semcore_image.sources import dataset

    decoded = list[int]()
    plain = dataset.pixels
    monkeypatch.setattr(dataset, "pixels", lambda *given: decoded.append(1) or plain(*given))
    samples = Dataset(str(parquet(tmp_path / "x.parquet")), split="train").samples()
    before = len(decoded)
    assert samples[4].id == "train/000004" and len(decoded) == before + 1


@pytest.mark.parametrize(
    ("settings", "message", "setting"),
    [
        ({"split": "dev"}, "no split 'dev'; there is train", "split"),
        ({"image": "picture"}, "no column 'picture'; there are img, fine, caption", "image"),
        ({"label": "classes"}, "no column 'classes'; there are img, fine, caption", "label"),
        ({"text": "fine"}, "'fine' .* holds int, not text", "text"),
        ({"image": "fine"}, "row 0 .* cannot be read: the row holds no picture", "image"),
        ({"config": "b"}, "no configuration 'b', and no folder of that name", "config"),
    ],
)
def test_what_is_wrong_is_named(
    tmp_path: Path, settings: dict[str, Any], message: str, setting: str
) -> None:
    parquet(tmp_path / "set" / "x.parquet")
    with pytest.raises(SourceError, match=message) as caught:
        Dataset(**{"path": str(tmp_path / "set"), "split": "train", **settings}).samples()
    assert caught.value.setting == setting


def test_damaged_and_foreign_files_are_named(tmp_path: Path) -> None:
    for folder, name, message in (
        ("damaged", "x.parquet", "damaged cannot be read: "),
        ("script", "script.py", "consists of a loading script, which is not run: .*refs/convert"),
        ("archive", "all.zip", "consists of archives: unpack them"),
        ("other", "x.bin", "holds no files of the formats parquet, arrow, webdataset"),
    ):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).write_bytes(b"nonsense")
        with pytest.raises(SourceError, match=message):
            Dataset(str(tmp_path / folder), split="train").samples()
    with pytest.raises(SourceError, match="there is no folder or file"):
        Dataset(str(tmp_path / "none")).samples()
    with pytest.raises(ComponentError, match="set offset and limit"):
        Dataset("a/b", split="train[:10%]")


def test_a_table_cannot_name_files_of_this_machine(tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(png(0))
    import pyarrow
    from pyarrow import parquet as files

    rows = [{"bytes": None, "path": str(tmp_path / "secret.png")}]
    kind = pyarrow.struct([("bytes", pyarrow.binary()), ("path", pyarrow.string())])
    made = pyarrow.table({"img": pyarrow.array(rows, kind)})
    files.write_table(made, tmp_path / "x.parquet")
    for streaming in (False, True):
        with pytest.raises(SourceError, match="names a file and does not hold the picture"):
            Dataset(str(tmp_path / "x.parquet"), "train", streaming=streaming).samples()


def test_it_keeps_the_laws_of_sources(tmp_path: Path) -> None:
    broken = [
        f"{one.law.name}: {one.message}"
        for one in run_laws(Dataset(str(parquet(tmp_path / "x.parquet")), split="train"))
        if one.result == "broken"
    ]
    assert not broken


# ----------------------------------------------------------------------------------- names of files

CARD = """---
configs:
- config_name: small
  default: true
  data_files:
  - split: train
    path: small/t*.parquet
  - split: held_out
    path: [small/v1.parquet, "small/**/v2.parquet"]
- config_name: large
  data_dir: large
---
"""


@pytest.mark.parametrize(
    ("names", "card", "config", "split", "found"),
    [
        ("train.parquet test.parquet", "", None, "test", "test.parquet"),
        ("a/train/1.parquet a/val/1.parquet", "", None, "validation", "a/val/1.parquet"),
        ("x/train/0.parquet y/train/0.parquet", "", "y", "train", "y/train/0.parquet"),
        ("one.parquet two.parquet", "", None, "train", "one.parquet two.parquet"),
        ("contest.parquet training.parquet", "", None, "train", "training.parquet"),
        ("a/odd-00000-of-00001.parquet", "", None, "odd", "a/odd-00000-of-00001.parquet"),
        ("small/t1.parquet small/t2.parquet small/x.parquet", CARD, None, "train",
         "small/t1.parquet small/t2.parquet"),
        ("small/v1.parquet small/a/b/v2.parquet small/t1.parquet", CARD, "small", "held_out",
         "small/a/b/v2.parquet small/v1.parquet"),
        ("large/test.parquet small/test.parquet", CARD, "large", "test", "large/test.parquet"),
        ("test/train car/1.png test/cat/2.png", "", None, "test", None),
    ],
)  # fmt: skip
def test_splits_are_found_by_card_or_name(
    names: str, card: str, config: str | None, split: str, found: str | None
) -> None:
    if found is None:
        assert split_files(["test/train/1.png", "test/cat/train.png"], "", None, "train", "it")
        return
    used = split_files(names.split(), card, config, split, "it")
    assert sorted(used.names) == sorted(found.split()) and used.reader == "parquet"


@pytest.mark.parametrize(
    ("names", "card", "config", "message"),
    [
        ("small/t.parquet", CARD, "tiny", "no configuration 'tiny'; there is one of small, large"),
        ("small/t.parquet", CARD.replace("  default: true\n", ""), None, "set config: one of"),
        ("train-00000-of-00003.parquet train-00002-of-00003.parquet", "", None,
         "lacks 1 of the 3 parts of a split: train-00001-of-00003"),
    ],
)  # fmt: skip
def test_what_a_card_lacks_is_named(
    names: str, card: str, config: str | None, message: str
) -> None:
    with pytest.raises(SourceError, match=message):
        split_files(names.split(), card, config, "train", "it")


def test_a_card_that_is_no_yaml_is_ignored() -> None:
    card = "---\nconfigs: [\n---\n"
    assert split_files(["test.parquet"], card, None, "test", "it").names == ("test.parquet",)


# -------------------------------------------------------------------------------------------- a hub


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with serving() as running:
        use(running, str(tmp_path / "cache"), monkeypatch)
        monkeypatch.setattr(datasets.config, "HF_ENDPOINT", running.url)
        card = b"---\nlicense: cc-by-4.0\n---\n"
        files = {"README.md": card, "notes.txt": b"no data"}
        for split, start in (("train", 0), ("test", 100)):
            for part in range(2):
                place = parquet(tmp_path / "made.parquet", 3, start + 3 * part)
                files[f"data/{split}-{part:05d}-of-00002.parquet"] = place.read_bytes()
        running.datasets["some/pets"] = Repository(files, {"license": "cc-by-4.0"})
        yield running


PIPELINE = """\
semcore: 1
source: {use: datasets, path: some/pets, split: test, limit: 4}
encoder: {use: bitstream, codec: png}
transport: {use: ldpc}
channel: {use: awgn, snr_db: 12}
generator: {use: bitstream, codec: png}
metrics: [psnr]
"""


def semcore(capsys: Any, *arguments: object) -> tuple[int, str]:
    from semcore.commands import main

    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main([str(one) for one in arguments])
    printed = capsys.readouterr()
    return int(ended.value.code or 0), printed.out + printed.err


def test_a_split_is_fetched_and_used_offline(
    hub: Hub, tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p.yaml").write_text(PIPELINE)
    code, printed = semcore(capsys, "check", "p.yaml")
    assert code == 2 and printed.count("error:") == 1 and "hint: semcore fetch p.yaml" in printed
    assert "`hf download --repo-type dataset some/pets`" in printed
    code, printed = semcore(capsys, "fetch", "p.yaml", "--yes")
    assert code == 0 and "dataset some/pets" in printed and "licence cc-by-4.0" in printed
    assert "data/test-00001-of-00002.parquet" in printed and "train-0" not in printed
    asked = len(hub.asked)
    code, printed = semcore(capsys, "check", "p.yaml")
    assert code == 0, printed
    source = Dataset("some/pets", limit=4)
    check(source.samples(), [100, 101, 102, 103])
    assert len(hub.asked) == asked
    # the commit counts, not the name of the revision
    pinned = Dataset("some/pets", limit=4, revision=hub.datasets["some/pets"].commit)
    assert digest(pinned.samples()) == digest(source.samples())
    assert set(source.samples().digests) < set(Dataset("some/pets").samples().digests)


def test_a_part_that_is_absent_is_noticed(hub: Hub, tmp_path: Path) -> None:
    from semcore.models import listing

    source = Dataset("some/pets")
    (wanted,) = source.downloads()
    download(listing(wanted))
    assert not source.missing()
    snapshot = wanted.snapshot()
    assert snapshot is not None
    (snapshot / "data" / "test-00001-of-00002.parquet").unlink()
    for remembered in (True, False):
        if not remembered:
            for file in (tmp_path / "shelf").rglob("*.json"):
                file.unlink()
        with pytest.raises(SourceError, match="test-00001-of-00002"):
            source.samples()


def test_rows_are_streamed_from_a_hub(hub: Hub) -> None:
    samples = Dataset("some/pets", streaming=True, limit=4, text="caption").samples()
    check(samples, [100, 101, 102, 103])
    assert samples[2].text == "picture 102"
    before = list(samples.digests)
    assert before == list(
        Dataset("some/pets", streaming=True, limit=4, text="caption").samples().digests
    )
    repository = hub.datasets["some/pets"]
    repository.files["notes.txt"] = b"changed"
    assert before != list(
        Dataset("some/pets", streaming=True, limit=4, text="caption").samples().digests
    )
    with pytest.raises(SourceError, match="no split 'dev'; there are train, test"):
        Dataset("some/pets", split="dev", streaming=True).samples()
    with pytest.raises(SourceError, match="some/none is not on http://127.0.0.1"):
        Dataset("some/none", streaming=True).samples()
