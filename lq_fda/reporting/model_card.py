"""The model card: what somebody should know before they put a bundle into an app."""

from pathlib import Path
from typing import Any

import jinja2

from lq_fda.artifacts import (
    Bundle,
    RunDir,
    Verification,
    read_json,
    read_records,
    recipe_changes,
    without_places,
    write_atomic,
)
from lq_fda.errors import LqFdaError
from lq_fda.reporting import plots


def write_model_card(directory: Path, binarized: RunDir, twin: RunDir) -> Path:
    """Writes `MODEL_CARD.md` into the bundle of a folder that `lq_fda.pipeline` fills.

    Args:
        directory: Holds `bundle/`, `verification.json` and `benchmark.jsonl`.
        binarized: The run behind the bundle.
        twin: That of the float twin.

    Returns:
        The path of the card, in the Markdown that model hubs show.

    Raises:
        LqFdaError: Something was not measured, a file is damaged, or the card cannot be written.
    """
    records = list(read_records(directory / "benchmark.jsonl"))
    if not records:
        raise LqFdaError(
            f"There are no times for the model card. Received: {str(directory / 'benchmark.jsonl')!r} is empty.",
            cure="Run `lq-fda run` or `lq-fda ship` again.",
        )
    recipe, twin_recipe = without_places(binarized.recipe()), without_places(twin.recipe())
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("lq_fda.reporting", "."),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
    )
    bundle = Bundle(directory / "bundle")
    card = environment.get_template("model_card.md.j2").render(
        recipe=recipe,
        twin=twin_recipe,
        twin_changes=_twin_changes(recipe, twin_recipe),
        teacher=_teacher(binarized.recipe(), twin),
        environment=read_json(binarized.environment_file),
        results={"1-bit": binarized.result(), "float twin": twin.result()},
        bundle=bundle.manifest,
        verification=Verification.model_validate(read_json(directory / "verification.json")),
        records=records,
        labels=plots.LABELS,
    )
    target = bundle.path / Bundle.CARD
    write_atomic(target, card)
    return target


def _teacher(recipe: dict[str, Any], twin: RunDir) -> str:
    """Whom the network learned from beside the labels; empty for nobody."""
    if not recipe["distillation"]:
        return ""
    teacher = Path(recipe["distillation"]["teacher"]).resolve()
    return "the float twin" if teacher == twin.path.resolve() else teacher.name


def _twin_changes(recipe: dict[str, Any], twin: dict[str, Any]) -> list[str]:
    """What the twin's training had of its own; that it had no teacher and no start is said in words."""
    said = ("distillation=None", "start=None")
    changes = (f"{key}={value}" for key, value in recipe_changes(recipe, twin).items())
    return [change for change in changes if change not in said and not change.startswith(("model.", "data."))]
