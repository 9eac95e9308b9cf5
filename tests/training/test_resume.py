"""A training goes on only where the same one stopped; its card says what was trained."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import load_file, save_file

import semcore
from semcore.cli.train import train_command
from semcore.entrypoints import naming
from semcore.errors import RunError
from semcore.plugins import registry
from semcore.training import DrawnBatches, NetworkRecipe, RowBatches, Step, Training, network
from semcore.training.loop import asked, run_epochs, write_model


@dataclass(frozen=True)
class Quiet(semcore.ChannelModel):
    """Nothing is lost.

    Fields:
        snr_db: is not looked at
    """

    snr_db: float = 3.0

    def transmit(self, symbols: semcore.Symbols, rng: semcore.Rng) -> Any:
        raise NotImplementedError


@dataclass(frozen=True)
class Toy(semcore.Recipe):
    """One number that moves towards another.

    Fields:
        data: file with a number
        channel: is not used
        of: is not used
        rate: of each step
        epochs: steps
        seed: of the first number
    """

    data: str
    channel: semcore.ChannelModel = field(default_factory=Quiet)
    of: Literal["text", "durations"] = "durations"
    rate: float = 0.5
    epochs: int = 3
    seed: int = 1

    def train(self, out: Path) -> None:
        torch.manual_seed(self.seed)
        network, wanted = torch.nn.Linear(1, 1), float(Path(self.data).read_text())
        sgd = torch.optim.SGD([{"params": network.parameters(), "peak": 1.0}], lr=0.1)

        def run_epoch(epoch: int) -> dict[str, float]:
            with torch.no_grad():
                network.bias += self.rate * (wanted - network.bias)
            return {}

        run_epochs(self, out, self.epochs, {"network": network}, {"sgd": sgd}, run_epoch)
        write_model(out, {"epochs": self.epochs}, network, " ".join(asked(self)))


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Toy:
    monkeypatch.setattr(naming, "_local", dict(naming._local))
    registry.register("channel", "quiet")(Quiet)
    registry.register("recipe", "toy")(Toy)
    (tmp_path / "data").write_text("7.0")
    return Toy(str(tmp_path / "data"))


def stopped(recipe: Toy, out: Path) -> None:
    """Train, and stop with a checkpoint before the end."""
    recipe.train(out)
    assert (out / "checkpoint.json").is_file()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"rate": 0.25}, "rate 0.5 there, 0.25 now"),
        ({"seed": 2}, "seed 1 there, 2 now"),
        ({"of": "text"}, "of durations there, text now"),
        ({"channel": Quiet(9.0)}, r"channel.snr_db 3.0 there, 9.0 now"),
        ({"epochs": 9}, "epochs 3 there, 9 now"),
    ],
)
def test_another_training_in_the_same_folder_is_refused(
    recipe: Toy, tmp_path: Path, change: Any, said: str
) -> None:
    stopped(recipe, tmp_path / "out")
    before = (tmp_path / "out" / "model.safetensors").read_bytes()
    with pytest.raises(RunError, match=f"holds another training .*{said}.*--out"):
        replace(recipe, **change).train(tmp_path / "out")
    assert (tmp_path / "out" / "model.safetensors").read_bytes() == before


def test_other_data_are_refused_and_the_same_elsewhere_are_not(recipe: Toy, tmp_path: Path) -> None:
    stopped(recipe, tmp_path / "out")
    (tmp_path / "moved").write_text("7.0")
    replace(recipe, data=str(tmp_path / "moved")).train(tmp_path / "out")
    (tmp_path / "data").write_text("8.0")  # of the same name and size
    with pytest.raises(RunError, match="data holds other files"):
        recipe.train(tmp_path / "out")


def test_a_checkpoint_that_does_not_say_of_which_training_is_refused(
    recipe: Toy, tmp_path: Path
) -> None:
    stopped(recipe, tmp_path / "out")
    (tmp_path / "out" / "training.json").unlink()
    with pytest.raises(RunError, match=r"checkpoint.json does not say of which"):
        recipe.train(tmp_path / "out")


@pytest.mark.parametrize("damage", [b"", b"{}", b'{"epochs": 1'])
def test_a_damaged_checkpoint_is_one_clear_error(
    recipe: Toy, tmp_path: Path, damage: bytes
) -> None:
    stopped(recipe, tmp_path / "out")
    (tmp_path / "out" / "checkpoint.json").write_bytes(damage)
    with pytest.raises(RunError, match=r"checkpoint.json is damaged .*--out"):
        recipe.train(tmp_path / "out")


@pytest.mark.parametrize("damage", ["empty", "cut", "gap"])
def test_a_checkpoint_with_gaps_is_refused(recipe: Toy, tmp_path: Path, damage: str) -> None:
    stopped(recipe, tmp_path / "out")
    (file,) = (tmp_path / "out").glob("checkpoint-*.safetensors")
    if damage == "gap":
        save_file(
            {name: value for name, value in load_file(file).items() if "bias" not in name}, file
        )
    else:
        file.write_bytes(b"" if damage == "empty" else file.read_bytes()[:-4])
    with pytest.raises(RunError, match="--out"):
        recipe.train(tmp_path / "out")


def test_the_command_line_says_so_in_one_line_and_the_same_command_goes_on(
    recipe: Toy, tmp_path: Path
) -> None:
    command = ["toy", f"data={tmp_path / 'data'}", "--out", str(tmp_path / "out")]
    for _ in range(2):
        done = CliRunner().invoke(train_command, command)
        assert done.exit_code == 0, done.output
    with pytest.raises(RunError, match="holds another training"):
        CliRunner().invoke(
            train_command, [*command, "rate=0.1"], catch_exceptions=False, standalone_mode=False
        )


def test_a_card_says_what_was_trained(recipe: Toy, tmp_path: Path) -> None:
    changed = replace(recipe, of="text", channel=Quiet(9.0), rate=0.25)
    changed.train(tmp_path / "out")
    assert (
        tmp_path / "out" / "README.md"
    ).read_text() == "channel.use=quiet channel.snr_db=9 of=text rate=0.25"
    recipe.train(tmp_path / "other")
    assert (tmp_path / "other" / "README.md").read_text() == "channel.use=quiet"


@dataclass(frozen=True)
class Stepped(NetworkRecipe):
    """A line through noisy points.

    Fields:
        epochs: number of checkpoints
        steps: of each epoch
        seed: of weights and points
    """

    epochs: int = 4
    steps: int = 5
    seed: int = 3

    def train(self, out: Path) -> None:
        self.trained(out)

    def trained(self, out: Path, stop: int = 99) -> tuple[dict[str, torch.Tensor], list[int]]:
        """The weights of the average and the steps that were done; stops in an epoch of choice."""
        torch.manual_seed(self.seed)
        network, done = torch.nn.Linear(2, 1), list[int]()
        groups = [{"params": network.parameters(), "peak": 0.1}]
        adam = torch.optim.AdamW(groups, lr=1.0)

        def draw(generator: torch.Generator) -> torch.Tensor:
            return torch.randn(16, 2, generator=generator)

        def cost(network: torch.nn.Module, points: torch.Tensor, step: Step) -> torch.Tensor:
            if network.training:
                if step.done == stop * self.steps + 2:
                    raise KeyboardInterrupt
                done.append(step.done)
            return (network(points)[:, 0] - points.sum(1) - 1).square().mean()

        def measure(average: torch.nn.Module) -> dict[str, float]:
            assert not torch.is_grad_enabled() and not average.training
            return {"bias": float(average.bias)}

        training = Training(
            network=network,
            optimizers={"adam": adam},
            batches=DrawnBatches(draw, self.steps),
            cost=cost,
            epochs=self.epochs,
            unseen=DrawnBatches(draw, 2),
            measure=measure,
        )
        average, _ = training.run(self, out)
        return average.state_dict(), done


def test_a_network_that_was_interrupted_becomes_the_one_that_was_not(
    tmp_path: Path, capsys: Any
) -> None:
    whole, steps = Stepped().trained(tmp_path / "whole")
    log = capsys.readouterr().out.splitlines()
    assert steps == list(range(20)) and len(log) == 4 and "  loss " in log[0]
    with pytest.raises(KeyboardInterrupt):
        Stepped().trained(tmp_path / "parts", stop=2)
    resumed, steps = Stepped().trained(tmp_path / "parts")
    assert steps == list(range(10, 20)), "the epoch that was not finished is done again"
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
    assert all(torch.equal(one, one.half().float()) for one in whole.values())
    assert abs(float(whole["bias"]) - 1) < 0.5


def test_every_epoch_is_validated_on_the_same_unseen_batches(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(network, "descend", lambda *given: None)  # nothing is learnt
        Stepped().train(tmp_path)
    rows = list(csv.DictReader((tmp_path / "validation.csv").open(encoding="utf-8")))
    assert len({row["validation loss"] for row in rows}) == 1 and len(rows) == 4
    assert len({row["loss"] for row in rows}) == 4, "each epoch draws its own batches"


def test_what_a_loss_draws_does_not_depend_on_how_far_ahead_batches_are_drawn() -> None:
    batches = DrawnBatches(lambda generator: torch.rand(2, generator=generator), 3)
    ahead, beside = (torch.Generator().manual_seed(5) for _ in range(2))
    plans = list(batches.plans(ahead))
    losses = [torch.rand(1, generator=ahead) for _ in plans]
    for plan, loss, other in zip(plans, losses, batches.plans(beside), strict=True):
        assert torch.equal(plan, other) and torch.equal(loss, torch.rand(1, generator=beside))
    assert torch.equal(plans[0], torch.rand(2, generator=torch.Generator().manual_seed(5)))


@pytest.mark.parametrize(
    ("rows", "size", "passes", "count"), [(10, 4, 1, 2), (3, 4, 1, 1), (6, 4, 2, 3)]
)
def test_rows_are_in_as_many_whole_batches_as_they_fill(
    rows: int, size: int, passes: int, count: int
) -> None:
    batches = RowBatches([torch.arange(rows) * 2], size, passes)
    found = [batches.prepared(plan) for plan in batches.plans(torch.Generator().manual_seed(1))]
    assert len(found) == batches.count == count
    assert all(torch.equal(chosen * 2, values) for chosen, (values,) in found)
    first = torch.cat([chosen for chosen, _ in found])[:rows]
    assert len(first.unique()) == len(first), "a pass has each row once at most"
