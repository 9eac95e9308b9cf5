"""What a model's configuration may say; loading a model executes no file of its folder."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from semcore.errors import RunError
from semcore.models.files import no_code_from, vet
from semcore.testing.model_files import Trap, harmful_module

PARAMETERS: dict[str, Any] = {
    "model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": 16,
    "rope_scaling": {"type": "linear"}, "_name_or_path": "/home/someone/checkpoint-7",
    "torch_dtype": "float16", "attn_implementation": "sdpa",
    "chat_template": "{% for m in messages %}{{ m.__class__ }}{% endfor %}",
    "id2label": {"0": "trust_remote_code"}, "trust_remote_code": False,
    "auto_map": {"AutoModel": "modeling.Own"}, "text_config": {"_attn_implementation": "eager"},
}  # fmt: skip
WISHES: list[tuple[str, Any]] = [
    ("trust_remote_code", True), ("trust_remote_code", "yes"), ("trust_remote_code", [1]),
    ("custom_generate", "harm"), ("attn_implementation", "someone/kernel"),
    ("_attn_implementation", {"text_config": "someone/kernel:x"}),
    ("text_config", {"trust_remote_code": True}), ("layers", [{"trust_remote_code": 1}]),
    ("architecture", "local-dir:harm"), ("model_args", {"checkpoint_path": "harm.bin"}),
    ("backbone", "../harm"), ("tokenizer_class", "harm:Harm"),
    ("processor_class", "a/b"), ("_class_name", ["harm", "Harm"]), ("weights_only", False),
    ("use_kernels", True), ("tokenizer_kwargs", {"trust_remote_code": False}),
    ("custom_pipelines", {"x": {"impl": "harm.Harm"}}),
]  # fmt: skip


def test_parameters_are_parameters_and_templates_are_texts(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(PARAMETERS))
    (tmp_path / "vocab.json").write_text(json.dumps({"trust_remote_code": 5, "auto_map": 6}))
    (tmp_path / "tokenizer.json").write_text(
        json.dumps({"model": {"vocab": {"custom_pipeline": 5}}})
    )
    (tmp_path / "model.safetensors.index.json").write_text(
        json.dumps({"weight_map": {"architecture": "a/b"}})
    )
    vet(tmp_path)


@pytest.mark.parametrize(("key", "value"), WISHES)
@pytest.mark.parametrize(
    "file", ["config.json", "tokenizer_config.json", "deep/er/preprocessor_config.json"]
)
def test_a_wish_is_refused_wherever_and_however_it_is_spelt(
    tmp_path: Path, file: str, key: str, value: Any
) -> None:
    place = tmp_path / file
    place.parent.mkdir(parents=True, exist_ok=True)
    for text in (
        json.dumps({"a": 1, key: value}),
        f'{{"\\u{ord(key[0]):04x}{key[1:]}": {json.dumps(value)}}}',
    ):
        place.write_text(text)
        with pytest.raises(RunError, match=f"{file}: .*wants (code|pickles|another|a class)"):
            vet(tmp_path)


def test_a_map_to_code_is_ignored_only_where_transformers_has_a_class(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(
        json.dumps({"model_type": "harm", "auto_map": {"AutoConfig": "harm.Harm"}})
    )
    with pytest.raises(RunError, match="contains custom code"):
        vet(tmp_path)


@pytest.mark.parametrize("text", ["{", "[" * 100_000, "\ufeff{}", b"\xff\xfe{}"])
def test_what_is_not_json_is_one_clear_error(tmp_path: Path, text: Any) -> None:
    (tmp_path / "config.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(RunError, match="not a configuration in JSON"):
        vet(tmp_path)


def test_an_adapter_is_not_a_model(tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text(
        json.dumps({"base_model_name_or_path": "../harm"})
    )
    with pytest.raises(RunError, match="adapter of another model"):
        vet(tmp_path)


GUARDED = """
import importlib.util, pathlib, pickle, runpy, sys
from semcore.errors import RunError
from semcore.models.files import no_code_from
folder, way = pathlib.Path(sys.argv[1]), sys.argv[2]
def go():
    if way == "run":
        runpy.run_path(str(folder / "harm.py"))
    elif way == "import":
        sys.path.insert(0, str(folder))
        import harm
    elif way == "spec":
        spec = importlib.util.spec_from_file_location("other", folder / "harm.py")
        spec.loader.exec_module(importlib.util.module_from_spec(spec))
    elif way == "exec":
        exec(compile((folder / "harm.py").read_text(), str(folder / "harm.py"), "exec"))
    else:
        pickle.loads((folder / "harm.bin").read_bytes())
try:
    with no_code_from(folder):
        import json.tool, dataclasses
        dataclasses.make_dataclass("A", ["x"])
        go()
except RunError as error:
    print("refused", error)
    assert not (folder / "sprung").exists()
    go()
"""


@pytest.mark.parametrize("way", ["run", "import", "spec", "exec", "pickle"])
def test_no_file_of_the_folder_is_executed(tmp_path: Path, way: str) -> None:
    """In its own process, for the hook stays; the same then works, so the trap is real."""
    (tmp_path / "harm.py").write_text(harmful_module(tmp_path / "sprung"))
    (tmp_path / "harm.bin").write_bytes(pickle.dumps(Trap(tmp_path / "sprung")))
    done = subprocess.run(
        [sys.executable, "-c", GUARDED, str(tmp_path), way],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert done.stdout.startswith("refused") and (tmp_path / "sprung").exists()


def test_outside_of_the_guard_pickles_of_this_process_are_opened(tmp_path: Path) -> None:
    with no_code_from(tmp_path), pytest.raises(RunError, match="pickle"):
        pickle.loads(pickle.dumps(Trap(tmp_path)))
    assert isinstance(pickle.loads(pickle.dumps(Path("x"))), Path)
