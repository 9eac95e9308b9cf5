"""`semcore push`: what is published of a folder, into a folder and to a hub on this machine."""

from __future__ import annotations

import json
import pickle
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from semcore.errors import RunError
from semcore.models import weights_place
from semcore.models.publishing import front_matter, measured, publication
from semcore.testing.hub import Hub, serving, use

from ..support.commands import called

CARD = """\
# my-codec

Sends pictures.

## Measured on unseen pictures

| measure | value |
|---|---|
| PSNR of the dataset-mean MSE / per-image mean at Es/N0 4 dB, dB | 21.55 / 22.06 |
| zero-shot class accuracy | 88.1% |
| training time on 1 CPU thread(s) | 1,092 min |
| text | none |

## Other

| measure | value |
|---|---|
| PSNR elsewhere | 99 |
"""


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    folder = tmp_path / "trained"
    (folder / "vae").mkdir(parents=True)
    (folder / "README.md").write_text(CARD)
    (folder / "config.json").write_text('{"width": 8}')
    (folder / "vae" / "config.json").write_text("{}")
    save_file({"a": torch.arange(4.0)}, folder / "model.safetensors")
    save_file({"b": torch.arange(4.0)}, folder / "vae" / "model.safetensors")
    settings = {"data": {"use": "datasets", "path": "some/pets"}, "epochs": 3}
    (folder / "training.json").write_text(json.dumps({"recipe": "deepjscc", "settings": settings}))
    save_file({"c": torch.arange(4.0)}, folder / "checkpoint-1.safetensors")
    return folder


def test_a_folder_gets_what_a_hub_reads(trained: Path, tmp_path: Path, capsys: Any) -> None:
    out = tmp_path / "out" / "my-codec"
    code, printed = called(capsys, "push", trained, f"{out}", "--licence", "mit", "--yes")
    assert code == 0, printed
    files = {one.relative_to(out).as_posix() for one in out.rglob("*") if one.is_file()}
    assert files == {
        "README.md", "config.json", "model.safetensors", "vae/config.json", "vae/model.safetensors",
    }  # fmt: skip
    assert "left out: checkpoint-1.safetensors, training.json" in printed
    card = (out / "README.md").read_text()
    front = front_matter(card)
    assert card.endswith(CARD) and (trained / "README.md").read_text() == CARD
    assert front["license"] == "mit" and front["library_name"] == "semcore"
    assert front["tags"] == ["semcore", "semantic-communication", "deepjscc"]
    assert front["datasets"] == ["some/pets"] and front["metrics"] == ["psnr", "accuracy", "other"]
    # again, over what is there
    assert called(capsys, "push", out, str(out), "--yes")[0] == 0
    assert (out / "README.md").read_text() == card


def test_the_front_matter_is_that_of_the_hub(trained: Path) -> None:
    from huggingface_hub import ModelCard

    made = publication(trained, "me/my-codec", "mit")
    data = ModelCard(made.card).data
    assert data.license == "mit" and data.model_name == "my-codec"
    first, second, third = data.eval_results
    assert (first.metric_type, first.metric_value) == ("psnr", 21.55)
    assert (second.metric_name, second.metric_value) == ("zero-shot class accuracy, %", 88.1)
    assert third.metric_value == 1092.0 and first.dataset_name == "unseen pictures"
    assert len(measured(CARD)) == 3 and measured("# no table") == []


def test_what_the_card_states_stays(trained: Path) -> None:
    front = "---\nlicense: cc-by-4.0\ntags: [mine]\nmetrics: [psnr]\nextra: 1\n---\n"
    (trained / "README.md").write_text(front + CARD)
    made = front_matter(publication(trained, "x").card)
    assert made["license"] == "cc-by-4.0" and made["extra"] == 1
    assert made["tags"] == ["mine", "semcore", "semantic-communication", "deepjscc"]
    assert front_matter(publication(trained, "x", "mit").card)["license"] == "mit"


def refusals(folder: Path) -> Iterator[tuple[str, Any]]:
    """Message -> what makes the folder so."""
    yield "has no card", lambda: (folder / "README.md").write_text(" \n")
    yield "states no licence: add --licence", lambda: None
    yield "holds no config.json", lambda: (folder / "config.json").unlink()
    yield "config.json is not JSON", lambda: (folder / "config.json").write_text("{")
    yield "config.json is not a mapping", lambda: (folder / "config.json").write_text("[]")
    yield "cannot be read as safetensors", lambda: (folder / "model.safetensors").write_text("x")
    yield (
        "front matter of the card is not YAML",
        lambda: (folder / "README.md").write_text("---\na: [\n---\ntext"),
    )
    yield "old.pt is a pickle", lambda: (folder / "old.pt").touch()
    yield "data is a pickle", lambda: (folder / "vae" / "data").write_bytes(pickle.dumps({"a": 1}))

    def saved() -> None:
        with zipfile.ZipFile(folder / "weights.dat", "w") as archive:
            archive.writestr("weights/data.pkl", b"")

    yield "weights.dat is a pickle", saved


@pytest.mark.parametrize("number", range(10))
def test_what_is_not_published(trained: Path, number: int) -> None:
    message, change = list(refusals(trained))[number]
    change()
    with pytest.raises(RunError, match=message):
        publication(trained, "x", None if "licence" in message else "mit")


def test_a_folder_with_something_else_is_not_written_to(trained: Path, capsys: Any) -> None:
    (trained.parent / "other").mkdir()
    (trained.parent / "other" / "thesis.tex").touch()
    how = ("--licence", "mit", "--yes")
    code, printed = called(capsys, "push", trained, trained.parent / "other", *how)
    assert code == 2 and "holds something else than a model" in printed
    code, printed = called(capsys, "push", trained, "no name", *how)
    assert code == 2 and "REPOSITORY is USER/NAME on the hub, or a folder such as ./NAME" in printed


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setenv("SEMCORE_SHELF", str(tmp_path / "shelf"))
    monkeypatch.chdir(tmp_path)
    with serving() as running:
        use(running, str(tmp_path / "cache"), monkeypatch)
        yield running


def test_what_was_pushed_is_fetched_and_used(
    hub: Hub, tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import semcore_image

    monkeypatch.setenv("HF_TOKEN", hub.token)
    shipped = Path(semcore_image.__path__[0]) / "weights" / "deepjscc-12"
    how = ("--licence", "apache-2.0")
    code, printed = called(capsys, "push", shipped, "me/my-codec", *how, "--dry-run")
    assert code == 0 and "me/my-codec" in printed and not hub.models
    code, printed = called(capsys, "push", shipped, "me/my-codec", *how)
    assert code == 2 and "add --yes" in printed and not hub.models
    code, printed = called(capsys, "push", shipped, "me/my-codec", *how, "--yes")
    assert code == 0 and f"/me/my-codec (commit {hub.models['me/my-codec'].commit[:7]})" in printed
    (tmp_path / "p.yaml").write_text(
        "semcore: 1\nsource: {use: samples, limit: 1}\nencoder: {use: picture}\n"
        "transport: {use: deepjscc, weights: me/my-codec}\nchannel: {use: awgn, snr_db: 12}\n"
        "generator: {use: picture}\nmetrics: [psnr]\n"
    )
    code, printed = called(capsys, "check", "p.yaml")
    assert code == 2 and "hint: semcore fetch p.yaml downloads it" in printed
    code, printed = called(capsys, "fetch", "p.yaml", "--yes")
    assert code == 0 and "model me/my-codec" in printed and "everything is here" in printed
    assert called(capsys, "check", "p.yaml")[0] == 0
    weights = weights_place("me/my-codec") / "model.safetensors"
    assert weights.read_bytes() == (shipped / "model.safetensors").read_bytes()


def test_without_a_token_nothing_is_written(hub: Hub, trained: Path, capsys: Any) -> None:
    code, printed = called(capsys, "push", trained, "me/x", "--licence", "mit", "--yes")
    assert code == 2 and "does not let you write to me/x: log in" in printed and not hub.models
