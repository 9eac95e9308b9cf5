"""The page about data is followed word for word, with a hub on this machine."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from semcore.testing.examples import picture
from semcore.testing.hub import Repository, serving

PAGE = Path(__file__).parents[2] / "docs" / "data.md"


def cifar100(folder: Path) -> dict[str, bytes]:
    """The files of a data set on a hub with the columns of CIFAR-100, and eight pictures."""
    import datasets
    from PIL import Image

    classes = datasets.ClassLabel(names=["apple", "bear"])
    groups = datasets.ClassLabel(names=["fruit", "animals"])
    features = {"img": datasets.Image(), "fine_label": classes, "coarse_label": groups}
    rows = []
    for number in range(8):
        file = io.BytesIO()
        Image.fromarray(picture(32, 32, number)).save(file, "PNG")
        image = {"bytes": file.getvalue(), "path": None}
        rows.append({"img": image, "fine_label": number % 2, "coarse_label": number % 2})
    made = datasets.Dataset.from_list(rows, features=datasets.Features(features))
    made.to_parquet(folder / "made.parquet")
    data = (folder / "made.parquet").read_bytes()
    (folder / "made.parquet").unlink()
    names = ("cifar100/test-00000-of-00001.parquet", "cifar100/train-00000-of-00001.parquet")
    return {"README.md": b"---\nlicense: unknown\n---\n", **dict.fromkeys(names, data)}


def results(run: Path) -> list[Mapping[str, Any]]:
    return [json.loads(path.read_text()) for path in run.glob("cells/*/result.json")]


@pytest.mark.docs
def test_the_page_is_followed(tmp_path: Path, fresh: Any, follow: Any) -> None:
    pytest.importorskip("datasets")
    with serving() as hub:
        hub.datasets["uoft-cs/cifar100"] = Repository(cifar100(tmp_path), {"license": "unknown"})
        environment = {name: value for name, value in os.environ.items() if name != "HF_TOKEN"}
        environment |= {**fresh, "HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "home")}
        environment |= {"SEMCORE_SHELF": str(tmp_path / "shelf")}
        follow(PAGE, tmp_path, environment)
        asked = [one.partition("/resolve/")[2] for one in hub.asked if "/resolve/" in one]
    files = {one.partition("/")[2] for one in asked}
    assert files == {"README.md", "cifar100/test-00000-of-00001.parquet"}
    (sent,) = results(tmp_path / "runs" / "hub")
    assert sent["n"] == 4 and "psnr" in sent["metrics"]
    (pets,) = results(tmp_path / "runs" / "pets")
    assert pets["n"] == 4 and "class-accuracy" in pets["metrics"]
    assert [one["n"] for one in results(tmp_path / "runs" / "folders")] == [4]
    codec = tmp_path / "my-codec"
    assert {one.name for one in codec.iterdir()} >= {"README.md", "config.json"}
    assert "model-index:" in (codec / "README.md").read_text()
