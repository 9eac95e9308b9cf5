"""Files and folders are known by their content."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from semcore.fingerprint import content


def test_a_digest_follows_the_content_whatever_the_name_the_size_and_the_times(
    tmp_path: Path,
) -> None:
    file = tmp_path / "weights"
    file.write_bytes(b"a" * 100)
    known, found = file.stat(), content.file_digest(file)
    file.write_bytes(b"b" * 100)
    os.utime(file, ns=(known.st_atime_ns, known.st_mtime_ns))
    assert content.file_digest(file) != found
    file.write_bytes(b"a" * 100)
    assert content.file_digest(file) == found
    os.utime(file, (1, 1))
    assert (
        content.file_digest(file)
        == found
        == content.path_digest(shutil.copy(file, tmp_path / "other"))
    )


def test_a_large_file_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEMCORE_SHELF", str(tmp_path / "cache"))
    monkeypatch.setattr(content, "SETTLED_NS", -1)
    file = tmp_path / "large"
    file.write_bytes(bytes(content.LARGE))
    found = content.file_digest(file)
    content._known.clear()  # as in another process
    monkeypatch.setattr(content.hashlib, "file_digest", lambda *_: pytest.fail("it is read again"))
    assert content.file_digest(file) == found


def test_a_folder_counts_with_the_names_and_the_content_of_what_a_model_is_loaded_from(
    tmp_path: Path,
) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a").write_text("1")
    found = content.path_digest(tmp_path)
    for name in (
        "README.md",
        ".gitattributes",
        "checkpoint.json",
        "checkpoint-3.safetensors",
        "training.json",
    ):
        (tmp_path / name).write_text("x")
    assert content.path_digest(tmp_path) == found
    (tmp_path / "deep" / "a").rename(tmp_path / "deep" / "b")
    assert content.path_digest(tmp_path) != found
    (tmp_path / "deep" / "b").write_text("2")
    assert len({content.path_digest(tmp_path), found, content.path_digest(tmp_path / "none")}) == 3
    (tmp_path / "loop").symlink_to(tmp_path)
    assert content.path_digest(tmp_path)
