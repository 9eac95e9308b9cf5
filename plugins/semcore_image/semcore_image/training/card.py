"""Model cards of picture networks."""

from __future__ import annotations

from semcore import Recipe
from semcore.training import command_of
from semcore_image.training.data import Split


def data_summary(split: Split) -> str:
    """The training data, for a model card: number of pictures, classes and origin."""
    names = [*split.classes[:20], *(["..."] if len(split.classes) > 20 else [])]
    classes = f"{len(split.classes)} classes ({', '.join(names)})"
    return f"{len(split):,} pictures of {classes} of {split.origin}"


def model_card(
    title: str,
    summary: str,
    recipe: Recipe,
    scores: list[tuple[str, str]],
    notes: str,
    data: str = "",
    measured_on: str = "unseen pictures",
) -> str:
    """The model card (Markdown): summary, training command and data, and scores."""
    fields = {k: v for k, v in recipe.settings().items() if k != "data"}
    lines = [f"# {title}", "", summary, "", "## Training", "", "```", command_of(recipe), "```"]
    lines += ["", "Settings: " + ", ".join(f"{k} = {v}" for k, v in fields.items()) + ".", ""]
    lines += [f"Training data: {data}.", ""] if data else []
    lines += [f"## Measured on {measured_on}", "", "| measure | value |", "|---|---|"]
    lines += [f"| {name} | {value} |" for name, value in scores]
    return "\n".join([*lines, "", notes, ""])
