"""Models that strangers made are data: what their configuration files may say, and a guard while
libraries read them.

Libraries of models run code where a configuration asks for it. `vet` reads the values of a folder's
configuration files, as the libraries will, and refuses a folder of which any value that names
something to be run or loaded is not on the list of what it may be. `no_code_from` stands around the
loading itself: whatever a library does with a file, Python does not execute a file of the folder,
nor unpickle a class.
"""

from __future__ import annotations

import contextlib
import contextvars
import importlib.util
import json
import os
import re
import sys
import sysconfig
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from semcore.errors import RunError, shown

MOST_BYTES = 64 * 2**20
"""A longer configuration file is refused."""
DATA = ("tokenizer.json", "vocab.json", "added_tokens.json")
"""Files of texts and numbers that no library takes settings from."""
INSTALLED = tuple(
    sysconfig.get_path(name) + os.sep for name in ("stdlib", "platstdlib", "purelib", "platlib")
)
ATTENTION = {
    "eager",
    "sdpa",
    "flash_attention_2",
    "flash_attention_3",
    "flash_attention_4",
    "flex_attention",
}
TOKENIZING = {
    "clean",
    "strip_sep_token",
    "language",
    "tokenizer_mode",
    "context_length",
    "reduction_mask",
}
"""What a tokenizer of open_clip may be set up with."""
PIPELINES = ("model_index.json", "modular_model_index.json")
"""Where diffusers reads of what classes a pipeline is made."""
Test = Callable[[Any], bool]


def _anything(value: Any) -> bool:
    return True


def _nothing(value: Any) -> bool:
    return not value


def _class(value: Any) -> bool:
    """The name of a class, which cannot lead out of the library that it is looked up in."""
    return not value or isinstance(value, str) and value.isidentifier()


def _kind(value: Any) -> bool:
    """A kind of model as transformers writes it (`blip-2`)."""
    return not value or isinstance(value, str) and re.fullmatch(r"[\w-]+", value) is not None


def _network(value: Any) -> bool:
    """The name of a network of timm (`resnet50.a1_in1k`), which is neither a path nor an address;
    or its settings."""
    name = isinstance(value, str) and re.fullmatch(r"[\w-]+(\.[\w-]+)?", value)
    return not value or bool(name) or isinstance(value, Mapping)


def _hub_name(value: Any) -> bool:
    name = isinstance(value, str) and re.fullmatch(r"(\w[\w.-]*/)?\w[\w.-]*", value)
    return not value or bool(name) and not Path(value).exists()


def _attention(value: Any) -> bool:
    return (
        all(map(_attention, value.values()))
        if isinstance(value, Mapping)
        else value is None or value in ATTENTION
    )


def _tokenizing(value: Any) -> bool:
    return not value or isinstance(value, Mapping) and set(value) <= TOKENIZING


def _component(value: Any) -> bool:
    """`[library, class]` of a pipeline of diffusers, from that library, from transformers, or from
    one of its pipelines."""
    if not isinstance(value, list) or not isinstance(next(iter(value), None), str):
        return True
    library, *rest = value
    own = re.fullmatch(r"\w+", library) and importlib.util.find_spec(
        f"diffusers.pipelines.{library}"
    )
    return bool(library in ("diffusers", "transformers") or own) and all(
        _class(one) for one in rest[:1]
    )


CODE = "code to be run that came with the model"
KERNEL = "code to be run from the hub"
ACTING: dict[str, tuple[Test, str]] = {
    "trust_remote_code": (_nothing, CODE),
    "auto_map": (_nothing, f"{CODE} (the folder contains custom code)"),
    "custom_pipeline": (_nothing, CODE),
    "custom_pipelines": (_nothing, CODE),
    "custom_generate": (_nothing, CODE),
    "tokenizer_kwargs": (_tokenizing, CODE),
    "use_kernels": (_nothing, KERNEL),
    "attn_implementation": (_attention, KERNEL),
    "_attn_implementation": (_attention, KERNEL),
    "experts_implementation": (_kind, KERNEL),
    "weights_only": (lambda value: value is True, "pickles to be opened"),
    "checkpoint_path": (_nothing, "another file to be loaded"),
    "pretrained_cfg_overlay": (_nothing, "another file to be loaded"),
    "architecture": (_network, "another model to be loaded"),
    "timm_model_name": (_network, "another model to be loaded"),
    "backbone": (_network, "another model to be loaded"),
    "hf_model_name": (_hub_name, "another folder to be loaded"),
    "hf_tokenizer_name": (_hub_name, "another folder to be loaded"),
    "tokenizer_class": (_class, "a class that is not of the library"),
    "processor_class": (_class, "a class that is not of the library"),
    "image_processor_type": (_class, "a class that is not of the library"),
    "feature_extractor_type": (_class, "a class that is not of the library"),
    "video_processor_type": (_class, "a class that is not of the library"),
    "model_type": (_kind, "a class that is not of the library"),
    "_class_name": (lambda value: isinstance(value, str) and _class(value), CODE),
}
"""Settings that libraries act on -> what each may hold, and what any other value would ask for. All
others are parameters."""


def vet(folder: Path) -> None:
    """Refuse a folder whose configuration files ask for anything to be run, or loaded from
    elsewhere.

    Raises:
        RunError: with the file, the setting and its value
    """
    for file in sorted(files_in(folder, "json")):
        if file.name in DATA or file.name.endswith(".index.json") or not file.is_file():
            continue
        if file.name == "adapter_config.json":
            raise RunError(
                f"{file} makes this the adapter of another model: merge the two, and name "
                "the result"
            )
        for path, key, value in _settings(parsed(file)):
            fits, wish = ACTING.get(
                key, (_component, CODE) if file.name in PIPELINES else (_anything, "")
            )
            if not fits(value) and not (key == "auto_map" and _has_class(file.parent)):
                raise RunError(f"{file}: {path}: {shown(value)} wants {wish}; remove that")


def files_in(folder: Path, *endings: str) -> Iterator[Path]:
    """The files below a folder whose names end so, those in linked folders too, as libraries find
    them; each folder once."""
    seen: set[str] = set()
    for root, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(root)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        yield from (
            Path(root, name)
            for name in names
            if name.endswith(tuple(f".{ending}" for ending in endings))
        )


def _has_class(folder: Path) -> bool:
    """Whether transformers has a class of its own for a model: it does not follow `auto_map` then,
    unless asked to."""
    try:
        from transformers import CONFIG_MAPPING
    except ImportError:  # a model of another library
        return False
    config = folder / "config.json"
    values = parsed(config) if config.is_file() else {}
    return isinstance(values, Mapping) and values.get("model_type") in CONFIG_MAPPING


WORDS = (
    "tokenizer.json",
    "vocab.json",
    "vocab.txt",
    "tekken.json",
    "*.model",
    "*.spm",
    "*.bpe",
    "*.tiktoken",
)
"""Files that hold the vocabulary of a tokenizer, one of which is enough."""


def need_tokenizer(folder: Path) -> None:
    """Refuse a folder that holds no tokenizer, which some libraries take for an empty one.

    Raises:
        RunError: none of the files that hold one is there
    """
    if not any(any(folder.glob(pattern)) for pattern in WORDS):
        raise RunError(
            f"{folder} holds no tokenizer ({', '.join(WORDS[:3])} or the like); fetch the "
            "whole model"
        )


def parsed(file: Path) -> Any:
    """The values of a configuration file, as Python's `json` gives them to the libraries, too.

    Raises:
        RunError: it cannot be read, is too long, or not JSON
    """
    try:
        if file.stat().st_size > MOST_BYTES:
            raise RunError(f"{file} is longer than {MOST_BYTES:,} bytes, which no configuration is")
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise RunError(f"{file} is not a configuration in JSON: {error}") from error


def _settings(values: Any, path: str = "") -> Iterator[tuple[str, str, Any]]:
    """Every setting in nested values: its path, its name, and its value."""
    if isinstance(values, Mapping):
        for key, value in values.items():
            here = f"{path}.{key}" if path else str(key)
            yield here, str(key), value
            yield from _settings(value, here)
    elif isinstance(values, list):
        for number, value in enumerate(values):
            yield from _settings(value, f"{path}[{number}]")


# -------------------------------------------------------------------------- while a model is loaded

_watched: contextvars.ContextVar[tuple[str, ...]] = contextvars.ContextVar("watched", default=())


@contextlib.contextmanager
def no_code_from(*folders: Path) -> Iterator[None]:
    """Inside, executing a file of any of the folders raises RunError, and so does unpickling a
    class."""
    _install()
    places = {
        str(place) + os.sep for folder in folders for place in (folder.absolute(), *_real(folder))
    }
    token = _watched.set(tuple(sorted(places)))
    try:
        yield
    finally:
        _watched.reset(token)


def _real(folder: Path) -> Iterator[Path]:
    """Where a folder really lies, and each that is linked into it."""
    yield folder.resolve()
    linked = (Path(root, name) for root, names, _ in os.walk(folder) for name in names)
    yield from (place.resolve() for place in linked if place.is_symlink())


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    """Python calls this before it executes, imports or unpickles anything (PEP 578)."""
    if event not in ("exec", "import", "ctypes.dlopen", "pickle.find_class") or not (
        folders := _watched.get()
    ):
        return
    if event == "pickle.find_class":
        raise RunError("the model asks for a pickle to be opened, which could run any code")
    place = (
        arguments[0].co_filename if event == "exec" else arguments[1 if event == "import" else 0]
    )
    if isinstance(place, str) and place.startswith(folders) and not place.startswith(INSTALLED):
        raise RunError(f"the model wants {CODE}: {place}")


_installed: list[bool] = []


def _install() -> None:
    """Once a process: an audit hook cannot be taken away."""
    if not _installed:
        sys.addaudithook(_audit)
        _installed.append(True)
