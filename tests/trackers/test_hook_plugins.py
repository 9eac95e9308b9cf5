"""Hook plugins with settings: from a package or a file, checked at their place, and called in runs
and trainings with the configuration at hand."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest
from click.testing import CliRunner

import semcore
from semcore import ComponentError, ConfigError, PluginError
from semcore.cli.run import check_command, run_command
from semcore.cli.train import train_command
from semcore.config.hook_plugins import hooks_of
from semcore.plugins.hookspecs import Hooks
from semcore.training import on_epoch

NOTES = '''
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from annotated_types import Gt
import semcore


@semcore.register("hooks", "notes")
@dataclass(frozen=True)
class Notes(semcore.Tracker):
    """Writes down what it is called with.

    Fields:
        file: where
        every: is not used
    """

    file: str = "notes.jsonl"
    every: Annotated[int, Gt(0)] = 1

    def note(self, name, **values):
        with open(self.file, "a") as file:
            print(json.dumps([name, values], default=str), file=file)

    @semcore.hook
    def semcore_run_started(self, configuration, cells):
        self.note("run", configuration=configuration, cells=cells)

    @semcore.hook
    def semcore_cell_started(self, settings, config):
        self.note("cell", settings=settings, config=config)

    @semcore.hook
    def semcore_stage_done(self, done, settings):
        self.note("stage", stage=done.stage, settings=settings)

    @semcore.hook
    def semcore_cell_done(self, folder, result):
        self.note("done", folder=folder, id=result["id"], config=result["config"])

    @semcore.hook
    def semcore_cell_failed(self, config, reason):
        self.note("failed", config=config, reason=reason)

    @semcore.hook
    def semcore_run_done(self, folder, report):
        self.note("end", report=report, there=bool(report and report.is_file()))
'''


@pytest.fixture
def notes(bench: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A pipeline beside a file that registers a tracker; and what the tracker wrote."""
    monkeypatch.chdir(tmp_path)
    (bench.folder / "notes.py").write_text(NOTES)
    bench.text = bench.text.replace("plugins: [", "plugins: [./notes.py, ")
    assert "notes.py" in bench.text

    def written() -> list[Any]:
        path = Path("notes.jsonl")
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    bench.written = written
    return bench


@pytest.mark.parametrize(
    ("hooks", "column", "message"),
    [
        ("[{use: notes, fil: x}]", 22, "hook plugin 'notes' has no setting 'fil'"),
        ("[{use: notes, every: 0}]", 29, "hook plugin 'notes': every must be"),
        ("[{use: note}]", 15, "there is no hook plugin 'note'"),
        ("[{experiment: x}]", 9, "this hook plugin does not say which one to use"),
        ("[mlflo]", 9, "there is no hook plugin 'mlflo'"),
        ("[{use: mlflow, experimnt: x}]", 23, "hook plugin 'mlflow' has no setting 'experimnt'"),
        ("[{use: psnr}]", 15, "there is no hook plugin 'psnr'"),
    ],
)
def test_a_wrong_setting_is_refused_at_its_place(
    notes: Any, hooks: str, column: int, message: str
) -> None:
    line = notes.text.count("\n") + 1
    notes.text += f"hooks: {hooks}\n"
    with pytest.raises(ConfigError) as caught:
        notes.load()
    found = [one for one in caught.value.problems if message in one.message]
    assert found, str(caught.value)
    assert found[0].where == f"{notes.path}:{line}:{column}"


def test_a_tracker_of_a_file_follows_a_run(notes: Any) -> None:
    notes.text += "hooks: [{use: notes}]\n"
    done = CliRunner().invoke(
        run_command, [str(notes.path), "channel.snr_db=0,3", "seed=4", "--out", "out"]
    )
    assert done.exit_code == 0, done.output
    lines = notes.written()
    (run,) = (values for name, values in lines if name == "run")
    assert run["cells"] == 2 and run["configuration"]["sweep"] == {"channel.snr_db": [0, 3]}
    assert run["configuration"]["seed"] == 4 and "hooks" not in run["configuration"]
    cells = [values for name, values in lines if name == "cell"]
    assert [one["config"]["channel"]["snr_db"] for one in cells] == [0, 3]
    ends = [values for name, values in lines if name == "done"]
    assert [one["config"] for one in ends] == [one["config"] for one in cells]
    assert {values["settings"]["channel.snr_db"] for name, values in lines if name == "stage"} == {
        0, 3,
    }  # fmt: skip
    assert lines[-1] == ["end", {"report": "out/report.html", "there": True}]


def test_no_id_depends_on_hooks(notes: Any) -> None:
    plain = semcore.run(notes.path, out="plain", progress=False)
    notes.text += "hooks: [{use: notes, every: 3}, notes, tensorboard]\n"
    tracked = semcore.run(notes.path, out="tracked", progress=False)
    assert [row.result["id"] for row in plain] == [row.result["id"] for row in tracked]
    assert [name for name, _ in notes.written()].count("run") == 2  # both are called


@pytest.mark.slow
def test_a_worker_calls_no_hook_and_a_failure_is_told(notes: Any) -> None:
    notes.text += "hooks: [notes]\n"
    with pytest.warns(UserWarning, match="1 cell failed"):
        semcore.run(
            notes.path,
            {"channel.snr_db": [0, 5], "channel.crash_db": 5},
            out="out",
            jobs=2,
            progress=False,
        )
    lines = notes.written()
    (failed,) = (values for name, values in lines if name == "failed")
    assert failed["config"]["channel"]["snr_db"] == 5 and "burnt" in failed["reason"]
    assert [name for name, _ in lines].count("done") == 1
    assert [name for name, _ in lines].count("end") == 1


def test_options_and_arguments_name_hooks_too(notes: Any) -> None:
    text = ["--hooks", "{use: notes, file: option.jsonl}", "--no-report", "--out", "out"]
    done = CliRunner().invoke(run_command, [str(notes.path), *text])
    assert done.exit_code == 0, done.output
    assert Path("option.jsonl").read_text().count('["end", {"report": null') == 1
    semcore.run(notes.path, out="o", hooks=[{"use": "notes", "file": "a.jsonl"}], progress=False)
    assert Path("a.jsonl").exists()
    with pytest.raises(
        ConfigError, match='hooks {"use": "notes", "file": 3}: error: .*: file must be'
    ):
        semcore.run(notes.path, hooks=[{"use": "notes", "file": 3}], progress=False)
    refused = CliRunner().invoke(run_command, [str(notes.path), "--hooks", "nots"])
    assert "there is no hook plugin 'nots'" in str(refused.exception)


@dataclass(frozen=True)
class Absent(semcore.Tracker):
    """Lacks its library."""

    def missing(self) -> str:
        return "it needs nolib: pip install nolib"

    @semcore.hook
    def semcore_run_done(self, folder: Path) -> None:
        """Do nothing."""


def test_a_library_that_is_missing_is_named_by_check(
    notes: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    semcore.register("hooks", "absent")(Absent)
    notes.text += "hooks: [{use: absent}]\n"
    notes.load()  # the file itself is right
    with pytest.raises(ConfigError, match="hook plugin 'absent': it needs nolib: pip install"):
        CliRunner().invoke(check_command, [str(notes.path)], catch_exceptions=False)
    with pytest.raises(PluginError, match="it needs nolib"):
        hooks_of(more=[Absent()])
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    from semcore.trackers.mlflow import MLflow

    assert MLflow().missing() == "it needs mlflow: pip install 'semcore[mlflow]'"


@dataclass(frozen=True)
class Misspelt(semcore.Tracker):
    """Has no such hook."""

    @semcore.hook
    def semcore_cel_done(self, result: Any) -> None:
        """Do nothing."""


def test_a_misspelt_hook_is_refused(notes: Any) -> None:
    semcore.register("hooks", "misspelt")(Misspelt)
    notes.text += "hooks: [{use: misspelt}]\n"
    with pytest.raises(ConfigError, match="'semcore_cel_done', which is not a hook; did you mean"):
        notes.load()
    with pytest.raises(PluginError, match="'semcore_cel_done', which is not a hook"):
        hooks_of(more=[Misspelt()])


def test_an_object_without_hooks_is_refused() -> None:
    with pytest.raises(PluginError, match="'object' has no hook"):
        hooks_of(more=[object()])


# --------------------------------------------------------------------------------------- trainings


@dataclass(frozen=True)
class Counts(semcore.Recipe):
    """Trains nothing.

    Fields:
        epochs: how often
        fails: whether it ends without weights
    """

    epochs: int = 2
    fails: bool = False

    def train(self, out: Path) -> None:
        for epoch in range(self.epochs):
            on_epoch(epoch + 1, self.epochs, {"loss": 1 / (epoch + 1), "note": "text"})
        if self.fails:
            raise RuntimeError("no weights")
        (out / "README.md").write_text("# A card\n")


@dataclass(frozen=True)
class Follows(semcore.Tracker):
    """Keeps what it is called with."""

    calls: ClassVar[list[tuple[str, Any]]] = []

    @semcore.hook
    def semcore_training_started(self, recipe: str, settings: Any, folder: Path) -> None:
        self.calls.append(("started", (recipe, settings)))

    @semcore.hook
    def semcore_epoch_done(self, epoch: int, epochs: int, values: Any) -> None:
        self.calls.append(("epoch", (epoch, epochs, dict(values))))

    @semcore.hook
    def semcore_training_done(self, card: Path) -> None:
        self.calls.append(("done", card.name))
        raise ValueError("the server is down")

    @semcore.hook
    def semcore_training_failed(self, reason: str) -> None:
        self.calls.append(("failed", reason))


def test_a_training_is_followed(tmp_path: Path) -> None:
    semcore.register("recipe", "counts")(Counts)
    semcore.register("hooks", "follows")(Follows)
    Follows.calls.clear()
    on_epoch(1, 1, {"loss": 1.0})  # outside of `semcore train`, nobody is called
    arguments = ["counts", "--out", str(tmp_path), "--hooks", "follows"]
    done = CliRunner().invoke(train_command, arguments, standalone_mode=False)
    assert Follows.calls == [
        ("started", ("counts", {"epochs": 2, "fails": False})),
        ("epoch", (1, 2, {"loss": 1.0})),
        ("epoch", (2, 2, {"loss": 0.5})),
        ("done", "README.md"),
    ]
    assert done.return_value == 1 and "the server is down" in done.output  # told; weights are there
    Follows.calls.clear()
    failed = CliRunner().invoke(train_command, [*arguments, "fails=true"])
    assert "no weights" in str(failed.exception)
    assert Follows.calls[-1] == ("failed", "RuntimeError: no weights")


def test_every_hook_is_documented() -> None:
    for name, hook in vars(Hooks).items():
        if name.startswith("semcore_"):
            assert hook.__doc__, name


def test_a_tracker_is_a_component() -> None:
    with pytest.raises(ComponentError, match="mode must be"):
        from semcore.trackers.wandb import WandB

        WandB(mode="sometimes")  # type: ignore[arg-type]


def test_an_experiment_names_trackers_in_each_way() -> None:
    from semcore.trackers.tensorboard import TensorBoard

    hooks = [TensorBoard(folder="tb"), {"use": "mlflow", "experiment": "x"}, "wandb"]
    lines = semcore.Experiment(hooks=hooks).to_yaml().splitlines()
    written = lines[lines.index("hooks:") :]
    assert written[1:6] == [
        "- use: tensorboard", "  folder: tb", "- use: mlflow", "  experiment: x", "- wandb",
    ]  # fmt: skip
