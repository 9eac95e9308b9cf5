"""Data cannot act: laws on the source of every shipped file, and limits of a pipeline file."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from semcore import limits
from semcore.config.configuration import load
from semcore.errors import ConfigError

from ..support.imports import imports

ROOT = Path(__file__).parents[2]
EVERY = [
    path for folder in ("semcore", "plugins") for path in sorted((ROOT / folder).rglob("*.py"))
]
SHIPPED = [path for path in EVERY if not {"tests", "testing", "__pycache__"} & set(path.parts)]
SHOWN = {"ids": lambda path: str(path.relative_to(ROOT))}

EXECUTES = {
    "eval", "exec", "compile", "os.system", "os.popen", "yaml.load", "yaml.full_load",
    "yaml.unsafe_load", "torch.load", "torch.jit.load", "torch.hub.load",
    "torch.package.PackageImporter", "joblib.load", "pickle.load",
    "pickle.loads", "pd.read_pickle", "pandas.read_pickle", "numpy.lib.format.read_array",
}  # fmt: skip
"""Calls that do what the data say."""
OPENS_TENSORS = {"semcore/models/foreign.py"}
"""The only file that opens a pickle: where a setting allows it, tensors alone, with a warning."""
UNPICKLERS = {
    "pickle",
    "cPickle",
    "dill",
    "cloudpickle",
    "joblib",
    "shelve",
    "marshal",
    "jsonpickle",
}
STARTERS = {"subprocess", "pty", "popen2", "commands"}
NETWORK = {
    "socket", "ssl", "urllib.request", "urllib3", "http.client", "http.server", "requests", "httpx",
    "aiohttp", "ftplib", "smtplib", "telnetlib", "xmlrpc.client", "webbrowser", "websockets",
}  # fmt: skip
ASKS_WHEN_TOLD = {
    "plugins/semcore_llm/semcore_llm/endpoint/client.py": "base_url of the planner llm"
}
"""The only files that may import a network module, and the setting that lets each."""
STARTS_PYTHON = {
    "semcore/children.py": "to look at a plugin from outside",
    "plugins/semcore_video/semcore_video/speech/espeak.py": "with a file of ours, to call a "
    "library that must forget",
    "plugins/semcore_video/semcore_video/face/real3d.py": "or another, with a program that the "
    "user's environment names",
}
"""The only files that start a program: this Python, or one from the user's environment alone."""
BY_NAME = {
    "semcore/__init__.py": "our own names, in a table beside it",
    "semcore/entrypoints/discovery.py": "entry points of installed packages",
    "semcore/children.py": "a function of ours, named by ours, in a child process",
    "semcore/plugins/packages.py": "entry points of installed packages",
    "semcore/cli/__init__.py": "our own verbs, and entry points of installed packages",
    "semcore/config/local_files.py": "files under `plugins:`",
}
"""The only files that import what a text names, and what they take the name from."""


def parsed(path: Path) -> ast.AST:
    return ast.parse(path.read_text(encoding="utf-8"))


def calls(path: Path) -> Iterator[tuple[str, dict[str | None, str]]]:
    """Every call of a file: what is called, and its keywords."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Call):
            yield (
                ast.unparse(node.func),
                {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords},
            )


def imported(path: Path) -> set[str]:
    """Every module that a file imports, with the packages around it."""
    found = [(module, name) for module, name in imports(path) if module[0] != "."]
    names = {f"{module}.{name}".rstrip(".") for module, name in found} | {one for one, _ in found}
    return {name.rsplit(".", cut)[0] for name in names for cut in range(name.count(".") + 1)}


@pytest.mark.parametrize("path", EVERY, **SHOWN)
def test_nothing_executes_data(path: Path) -> None:
    """No text is evaluated, no YAML tag obeyed, no shell called, no model code run but in tests."""
    for called, keywords in calls(path):
        tensors_alone = called == "torch.load" and keywords.get("weights_only") == "True"
        if tensors_alone and str(path.relative_to(ROOT)) in OPENS_TENSORS:
            continue
        assert called not in EXECUTES - ({"pickle.loads"} if path not in SHIPPED else set()), called
        assert keywords.get("shell", "False") == "False"
        assert keywords.get("allow_pickle", "False") == "False" or path not in SHIPPED
        assert keywords.get("trust_remote_code", "False") == "False"


@pytest.mark.parametrize("path", SHIPPED, **SHOWN)
def test_what_is_shipped_opens_no_pickle_starts_no_program_and_knows_no_network(path: Path) -> None:
    name = str(path.relative_to(ROOT))
    starters = set() if name in STARTS_PYTHON else STARTERS
    assert not imported(path) & (
        UNPICKLERS | starters | (set() if name in ASKS_WHEN_TOLD else NETWORK)
    )


@pytest.mark.parametrize("path", SHIPPED, **SHOWN)
def test_weights_are_safetensors(path: Path) -> None:
    """Whatever loads a model by name or folder asks for weights only, and no code."""
    for called, keywords in calls(path):
        method = called.rsplit(".", 1)[-1]
        if method == "from_pretrained":
            assert keywords.get("trust_remote_code") == "False", (
                f"{called} may run code that comes with a model"
            )
            tokens = called.startswith(
                ("AutoProcessor", "AutoTokenizer", "AutoImageProcessor", "AutoFeatureExtractor")
            )
            assert tokens or keywords.get("use_safetensors") == "True", (
                f"{called} may open a pickle"
            )
        assert method not in ("load_checkpoint", "load_state_dict_from_url", "hub_download"), called


LOADS = {
    "from_pretrained",
    "create_model_from_pretrained",
    "get_tokenizer",
    "snapshot_download",
    "cached_file",
}
"""Calls by which libraries read the files of a model."""


def unguarded(path: Path) -> list[str]:
    """The calls of a file that read a model, and stand outside of `with ....loading(...)`."""
    tree = parsed(path)
    inside = {
        id(call)
        for node in ast.walk(tree)
        if isinstance(node, ast.With)
        and any(".loading(" in ast.unparse(item.context_expr) for item in node.items)
        for call in ast.walk(node)
    }
    every = (
        node for node in ast.walk(tree) if isinstance(node, ast.Call) and id(node) not in inside
    )
    return [
        name
        for name in (ast.unparse(call.func) for call in every)
        if name.rsplit(".", 1)[-1] in LOADS
    ]


@pytest.mark.parametrize("path", SHIPPED, **SHOWN)
def test_a_model_is_read_under_the_guard(path: Path) -> None:
    """What `Pretrained.loading` vets and keeps from running code; it fetches that itself."""
    allowed = ["snapshot_download"] if path.name == "pretrained.py" else []
    assert unguarded(path) == allowed


@pytest.mark.parametrize("path", SHIPPED, **SHOWN)
def test_only_registered_names_are_imported(path: Path) -> None:
    if str(path.relative_to(ROOT)) not in BY_NAME:
        for called, _ in calls(path):
            assert called not in ("importlib.import_module", "import_module", "__import__"), called
            assert not called.endswith(
                ("exec_module", "module_from_spec", "spec_from_file_location", "run_path")
            ), called


def test_the_laws_see_what_they_forbid(tmp_path: Path) -> None:
    path = tmp_path / "bad.py"
    path.write_text(
        "import torch\nfrom urllib import request\ntorch.load('x', weights_only=True)\n"
        "A.from_pretrained('x')\n"
    )
    assert "torch.load" in {called for called, _ in calls(path)} and imported(path) & NETWORK == {
        "urllib.request"
    }
    with pytest.raises(AssertionError, match="may run code"):
        test_weights_are_safetensors(path)
    assert unguarded(path) == ["A.from_pretrained"]


# ---------------------------------------------------------------------------------- a pipeline file


@pytest.fixture
def trap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module and a file that would leave a trace if anything imported or ran them."""
    for name in ("trap_module.py", "trap.txt", "trap"):
        (tmp_path / name).write_text(
            f"open({str(tmp_path / 'sprung')!r}, 'w').close()\nclass Trap:\n    pass\n"
        )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "override",
    [
        "channel.use=trap_module:Trap", "channel.use=trap_module.Trap", "channel.use=trap_module",
        "channel.use=./trap_module.py",
        "encoder.codec.use=trap_module:Trap", "metrics=[trap_module:Trap]", "workflow=trap_module",
        "source=trap_module:Trap", "channel=!!python/name:trap_module.Trap x",
        "channel=!!python/object/apply:trap_module.Trap []",
        "planner={use: alternate, table: [[channel.use, 'trap_module:Trap']]}",
        "scenario={segments: [{channel.use: 'trap_module:Trap'}]}",
    ],
)  # fmt: skip
def test_no_value_is_an_import_path(bench: Any, trap: Path, override: str) -> None:
    with pytest.raises(ConfigError):
        bench.load(override)
    assert not (trap / "sprung").exists() and "trap_module" not in sys.modules


@pytest.mark.parametrize(
    "line",
    [
        "hooks: [trap_module]", "hooks: ['trap_module:Trap']", "plugins: [trap.txt]",
        "plugins: [trap]", "plugins: trap_module.py",
        "plugins: [trap_module]", "channel: !!python/module:trap_module", "extends: trap_module.py",
        "include: trap_module.py",
    ],
)  # fmt: skip
def test_no_section_names_code_but_plugins(bench: Any, trap: Path, line: str) -> None:
    if not line.startswith("hooks"):
        bench.text = bench.text.replace(
            next(one for one in bench.text.splitlines() if one.startswith("plugins")), ""
        )
    bench.text += line + "\n"
    with pytest.raises(ConfigError):
        bench.load()
    assert not (trap / "sprung").exists() and "trap_module" not in sys.modules


def test_the_trap_springs(bench: Any, trap: Path) -> None:
    """What `plugins:` names is run: that is its purpose."""
    bench.text = bench.text.replace("plugins: [", "plugins: [trap_module.py, ")
    bench.load()
    assert (trap / "sprung").exists()


def test_the_limits_on_the_page_are_those_of_the_code() -> None:
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    told = {
        name: int(value.replace(",", ""))
        for name, value in re.findall(r"\| `(MAX_\w+)` \| ([\d,]+) \|", page)
    }
    assert told == {name: value for name, value in vars(limits).items() if name.startswith("MAX_")}


def test_a_plugin_file_is_recognised_by_its_name(trap: Path) -> None:
    (trap / "pipeline.yaml").write_text("semcore: 1\nplugins: [trap.txt]\n")
    with pytest.raises(
        ConfigError, match="'trap.txt' is not a plugin file: its name must end in .py"
    ):
        load(Path("pipeline.yaml"))
