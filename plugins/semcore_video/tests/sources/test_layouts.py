"""Corpora in the trees of folders in which they are published, made here of tiny clips."""

from __future__ import annotations

from pathlib import Path

import pytest

from semcore import SourceError, digest, heads
from semcore.testing import run_laws
from semcore_video.sources.layouts import LRS2, VoxCeleb

from ..support.files import greys, tone, write

pytest.importorskip("av")
SHOW = {"face": False, "size": (32, 32)}


def clip(place: Path, seconds: float = 1.0) -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    return write(place, greys(round(25 * seconds)), 25, tone(seconds, 0.5), form="mp4")


@pytest.fixture
def lrs2(tmp_path: Path) -> Path:
    for name, words in {
        "111/00001": "GOOD MORNING",
        "111/00002": "HELLO",
        "222/00001": "BYE",
    }.items():
        clip(tmp_path / "main" / f"{name}.mp4")
        (tmp_path / "main" / f"{name}.txt").write_text(f"Text:  {words}\nConf:  4\n")
    clip(tmp_path / "pretrain" / "111" / "00003.mp4", 2.0)
    (tmp_path / "pretrain" / "111" / "00003.txt").write_text(
        "Text:  SO IT GOES\nConf:  3\n\nWORD START END ASDSCORE\n"
        "SO 0.1 0.4 5.1\nIT 0.5 0.9 4.0\nGOES 1.2 1.7 6.0\n"
    )
    (tmp_path / "train.txt").write_text("111/00002\n")
    (tmp_path / "test.txt").write_text("222/00001 NF\n111/00001 MV\n")
    return tmp_path


def test_lrs2_is_split_by_its_lists_and_has_its_words(lrs2: Path) -> None:
    samples = LRS2(str(lrs2), **SHOW).samples()
    assert [(one.id, one.user, one.text) for one in samples] == [
        ("222/00001/000", "222/00001", "BYE"),
        ("111/00001/000", "111/00001", "GOOD MORNING"),
    ]
    assert samples[0].video.shape == (25, 32, 32, 3) and len(samples[0].audio) == 16000
    assert len(heads(LRS2(str(lrs2), split="all", **SHOW).samples())) == 3
    assert len(heads(LRS2(str(lrs2 / "main"), split="all", limit=2, **SHOW).samples())) == 2


def test_segments_of_lrs2_have_the_words_of_the_table(lrs2: Path) -> None:
    samples = LRS2(str(lrs2), split="pretrain", segment_s=1.0, **SHOW).samples()
    assert [one.text for one in samples] == ["SO IT", "GOES"]
    assert not LRS2(str(lrs2), split="pretrain", segment_s=1.0, **SHOW).remarks()


def test_what_is_wrong_with_lrs2_is_named(lrs2: Path) -> None:
    with pytest.raises(SourceError, match=r"there is no list .*val\.txt"):
        LRS2(str(lrs2), split="val", **SHOW).samples()
    (lrs2 / "val.txt").write_text("111/00001\n\n333/00009\n")
    with pytest.raises(SourceError, match=r"1 of the 2 clips .* are missing .*333/00009"):
        LRS2(str(lrs2), split="val", **SHOW).samples()
    for line in ("nothing", "../../etc/passwd"):
        (lrs2 / "val.txt").write_text(f"111/00001\n{line}\n")
        with pytest.raises(SourceError, match=r"val\.txt:2: .* does not name a clip"):
            LRS2(str(lrs2), split="val", **SHOW).samples()
    (lrs2 / "main" / "222" / "00001.txt").write_text("Conf: 4\n")
    with pytest.raises(SourceError, match=r"00001\.txt has no line 'Text: WORDS'"):
        LRS2(str(lrs2), **SHOW).samples()
    with pytest.raises(SourceError, match="there is no folder .*main"):
        LRS2(str(lrs2 / "main"), **SHOW).samples()


def test_samples_of_lrs2_do_not_depend_on_place_or_list(lrs2: Path, tmp_path: Path) -> None:
    whole = LRS2(str(lrs2), split="all", **SHOW).samples()
    test = LRS2(str(lrs2), **SHOW).samples()
    assert set(test.digests) < set(whole.digests)
    (lrs2 / "main" / "222" / "00001.txt").write_text("Text: OTHER\n")
    assert digest(LRS2(str(lrs2), **SHOW).samples()) != digest(test)


@pytest.fixture
def voxceleb(tmp_path: Path) -> Path:
    for name in ("id00012/aaa/00001", "id00012/bbb/00001", "id00017/ccc/00002"):
        clip(tmp_path / "mp4" / f"{name}.mp4")
    return tmp_path


def test_a_speaker_of_voxceleb_is_a_user_and_a_label(voxceleb: Path) -> None:
    samples = VoxCeleb(str(voxceleb), **SHOW).samples()
    assert [(one.id, one.user, one.label) for one in samples] == [
        ("id00012/aaa/00001/000", "id00012", "id00012"),
        ("id00012/bbb/00001/000", "id00012", "id00012"),
        ("id00017/ccc/00002/000", "id00017", "id00017"),
    ]
    assert all(one.text is None for one in samples)
    (voxceleb / "list.txt").write_text("3 id00017/ccc/00002.wav\n1 id00012/aaa/00001.wav\n")
    some = VoxCeleb(str(voxceleb / "mp4"), clips=str(voxceleb / "list.txt"), **SHOW).samples()
    assert [one.id for one in some] == ["id00017/ccc/00002/000", "id00012/aaa/00001/000"]
    assert set(some.digests) < set(samples.digests)


def test_what_is_wrong_with_voxceleb_is_named(voxceleb: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="there is no list") as caught:
        VoxCeleb(str(voxceleb), clips=str(voxceleb / "none.txt"), **SHOW).samples()
    assert caught.value.setting == "clips"
    (tmp_path / "wav" / "id1" / "aaa").mkdir(parents=True)
    (tmp_path / "wav" / "id1" / "aaa" / "00001.wav").write_bytes(b"RIFF")
    with pytest.raises(SourceError, match="only sound without pictures"):
        VoxCeleb(str(tmp_path / "wav"), **SHOW).samples()


@pytest.mark.slow
def test_the_layouts_keep_the_laws_of_sources(lrs2: Path, voxceleb: Path) -> None:
    for source in (LRS2(str(lrs2), **SHOW), VoxCeleb(str(voxceleb), **SHOW)):
        broken = [one for one in run_laws(source) if one.result == "broken"]
        assert not [f"{one.law.name}: {one.message}" for one in broken]
