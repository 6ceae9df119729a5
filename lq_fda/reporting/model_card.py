"""The model card: what somebody should know before they put a bundle into an app."""

from pathlib import Path

import jinja2

from lq_fda.artifacts import Bundle, RunDir, Verification, read_json, read_records, write_atomic
from lq_fda.errors import LqFdaError
from lq_fda.reporting import plots


def write_model_card(directory: Path) -> Path:
    """Writes `MODEL_CARD.md` from the folder that `lq-fda run` fills.

    Args:
        directory: Holds `binarized/`, `float/`, `bundle/`, `verification.json` and `benchmark.jsonl`.

    Returns:
        The path of the card, in the Markdown that model hubs show.

    Raises:
        LqFdaError: Something was not measured, a file is damaged, or the card cannot be written.
    """
    binarized, twin = RunDir(directory / "binarized"), RunDir(directory / "float")
    records = list(read_records(directory / "benchmark.jsonl"))
    if not records:
        raise LqFdaError(
            f"There are no times for the model card. Received: {str(directory / 'benchmark.jsonl')!r} is empty.",
            cure="Run `lq-fda run` again.",
        )
    recipe = binarized.recipe()
    recipe["data"].pop("data_dir", None)  # The place on this machine says nothing to others.
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("lq_fda.reporting", "."),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
    )
    card = environment.get_template("model_card.md.j2").render(
        recipe=recipe,
        environment=read_json(binarized.environment_file),
        results={"1-bit": binarized.result(), "float twin": twin.result()},
        bundle=Bundle(directory / "bundle").manifest,
        verification=Verification.model_validate(read_json(directory / "verification.json")),
        records=records,
        labels=plots.LABELS,
    )
    target = directory / "MODEL_CARD.md"
    write_atomic(target, card)
    return target
