"""A folder with trained weights as a hub wants it: a card with front matter, settings, weights; no
pickles."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from semcore.errors import RunError
from semcore.fingerprint.content import files_below
from semcore.storage import write

CARD = "README.md"
CONFIG = "config.json"
RECORD = "training.json"
"""File of a training that says what was trained; it is not published."""
PUBLISHED = (".safetensors", ".json", ".txt", ".csv", ".png", ".svg")
"""Endings of what is published beside the card."""
PICKLES = (".bin", ".ckpt", ".joblib", ".pickle", ".pkl", ".pt", ".pth")
FRONT = re.compile(r"\A---[ \t]*\n(.*?)\n---[ \t]*(\n|\Z)", re.DOTALL)
ROW = re.compile(r"^\|\s*(.+?)\s*\|\s*(-?\d[\d.,]*)\s*(%?)[^|]*\|\s*$", re.MULTILINE)
"""A row of a table of measured values: what was measured, and a number."""
HEADING = re.compile(r"^#+\s+Measured on (.+?)\s*$", re.MULTILINE)
TYPES = ("accuracy", "psnr", "ssim", "bleu", "loss", "mse", "wer")
"""Kinds of metrics that a name may state."""


@dataclass(frozen=True, eq=False)
class Publication:
    """What is published of a folder.

    Fields:
        card: the text of the card, with its front matter
        files: names of the other files, in `folder`
        left_out: names of files that are not published
        folder: the folder
    """

    folder: Path
    card: str
    files: Sequence[str]
    left_out: Sequence[str]

    @property
    def licence(self) -> str:
        """As the card states it."""
        return str(front_matter(self.card)["license"])

    def write(self, out: Path) -> None:
        """Write the card and the files into a folder.

        Raises:
            RunError: the folder has other content
        """
        if out.exists() and any(out.iterdir()) and not (out / CARD).is_file():
            raise RunError(f"{out} holds something else than a model: name another folder")
        for name in self.files:
            place = out / name
            place.parent.mkdir(parents=True, exist_ok=True)
            write(place, (self.folder / name).read_bytes())
        out.mkdir(parents=True, exist_ok=True)
        write(out / CARD, self.card.encode())


def publication(folder: Path, name: str, licence: str | None = None) -> Publication:
    """What is to be published of a folder with trained weights.

    Args:
        name: of the repository
        licence: as on the hub, such as apache-2.0; None: the one that the card states

    Raises:
        RunError: the folder has no card, no licence, no settings, no weights, or a pickle
    """
    if not folder.is_dir():
        raise RunError(f"there is no folder {folder}")
    found = [place for place in sorted(folder.rglob("*")) if place.is_file()]
    for place in found:
        if _is_pickle(place):
            raise RunError(
                f"{place} is a pickle, which can run any code when it is opened: save the weights "
                "as safetensors, and remove it"
            )
    card = folder / CARD
    if not card.is_file() or not card.read_text(encoding="utf-8").strip():
        raise RunError(
            f"{folder} has no card: describe in {CARD} what the model does, on what it was trained "
            "and how well it works (a recipe writes one)"
        )
    _check_settings(folder / CONFIG)
    names = {name for name in files_below(str(folder)) if name.endswith(PUBLISHED)}
    weights = [name for name in names if name.endswith(".safetensors")]
    if not weights:
        raise RunError(f"{folder} holds no weights as safetensors")
    for one in weights:
        _check_weights(folder / one)
    text = _card(card.read_text(encoding="utf-8"), name, _record(folder), licence, folder)
    others = [place.relative_to(folder).as_posix() for place in found]
    left_out = [one for one in others if one not in names and one != CARD]
    return Publication(folder, text, sorted(names), left_out)


def _is_pickle(place: Path) -> bool:
    """Whether a file is a pickle, by its name or its content."""
    if place.name.lower().endswith(PICKLES):
        return True
    with open(place, "rb") as file:
        head = file.read(4)
    if head[:1] == b"\x80" and head[1:2] in b"\x02\x03\x04\x05" and len(head) > 1:
        return True
    if head == b"PK\x03\x04":  # as PyTorch saves it
        try:
            with zipfile.ZipFile(place) as archive:
                return any(name.endswith(".pkl") for name in archive.namelist())
        except (OSError, zipfile.BadZipFile):
            return False
    return False


def _check_settings(place: Path) -> None:
    try:
        found = json.loads(place.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RunError(
            f"{place.parent} holds no {CONFIG} with the settings of the network"
        ) from None
    except (OSError, ValueError) as error:
        raise RunError(f"{place} is not JSON: {error}") from error
    if not isinstance(found, Mapping):
        raise RunError(f"{place} is not a mapping of settings")


def _check_weights(place: Path) -> None:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(place, "numpy") as tensors:
            held = list(tensors.keys())
    except (SafetensorError, OSError) as error:
        raise RunError(f"{place} cannot be read as safetensors: {error}") from error
    if not held:
        raise RunError(f"{place} holds no tensors")


def _record(folder: Path) -> Mapping[str, Any]:
    """What was trained in a folder, as far as it says so."""
    try:
        found = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, Mapping) else {}


def front_matter(card: str) -> dict[str, Any]:
    """The front matter of a card; empty if it has none.

    Raises:
        RunError: it is not a mapping in YAML
    """
    match = FRONT.match(card)
    try:
        found = yaml.safe_load(match[1]) if match else {}
    except yaml.YAMLError as error:
        line = " ".join(str(error).split())
        raise RunError(f"the front matter of the card is not YAML: {line}") from error
    if not isinstance(found or {}, Mapping):
        raise RunError("the front matter of the card is not a mapping")
    return dict(found or {})


def _card(
    text: str, name: str, record: Mapping[str, Any], licence: str | None, folder: Path
) -> str:
    """A card with the front matter that a hub reads; what is there stays."""
    front = front_matter(text)
    body = FRONT.sub("", text, count=1).lstrip("\n")
    front["license"] = licence or front.get("license")
    if not front["license"]:
        raise RunError(
            f"the card of {folder} states no licence: add --licence, such as --licence apache-2.0, "
            f"or the line `license: apache-2.0` to the front matter of {CARD}"
        )
    front.setdefault("library_name", "semcore")
    recipe = record.get("recipe")
    own = ["semcore", "semantic-communication", *([recipe] if isinstance(recipe, str) else [])]
    tags = front.get("tags") or []
    front["tags"] = list(dict.fromkeys([*(tags if isinstance(tags, list) else [tags]), *own]))
    data = (record.get("settings") or {}).get("data")
    if isinstance(data, Mapping) and data.get("use") == "datasets" and "datasets" not in front:
        if re.fullmatch(r"[\w.-]+/[\w.-]+", str(data.get("path"))):
            front["datasets"] = [data["path"]]
    scores = measured(body)
    if scores and "model-index" not in front:
        front["metrics"] = list(dict.fromkeys(one["type"] for one in scores))
        found = HEADING.search(body)
        on = found[1] if found else "unseen data"
        result = {
            "task": {"type": "other", "name": "semantic communication"},
            "dataset": {"type": "other", "name": on},
            "metrics": scores,
        }
        front["model-index"] = [{"name": name.rpartition("/")[2], "results": [result]}]
    head = yaml.safe_dump(front, sort_keys=False, allow_unicode=True, width=1000)
    return f"---\n{head}---\n\n{body}"


def measured(body: str) -> list[dict[str, Any]]:
    """The numbers in the table of measured values of a card: type, name and value of each; that of
    several numbers in a cell, the first."""
    match = HEADING.search(body)
    if match is None:
        return []
    part = re.split(r"^#", body[match.end() :], maxsplit=1, flags=re.MULTILINE)[0]
    found = []
    for name, number, percent in ROW.findall(part):
        kind = next((one for one in TYPES if one in name.lower()), "other")
        value = float(number.rstrip(".,").replace(",", ""))
        found.append({"type": kind, "name": f"{name}{', %' if percent else ''}", "value": value})
    return found
