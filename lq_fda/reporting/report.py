"""Gathers what a run left behind and renders it."""

from pathlib import Path
from typing import Any, TypeVar

import jinja2
import pydantic

from lq_fda.artifacts import Bundle, Distribution, RunDir, Verification, read_json, read_records, write_atomic
from lq_fda.errors import LqFdaError
from lq_fda.reporting import plots

Contract = TypeVar("Contract", bound=pydantic.BaseModel)


def write_report(directory: Path, binarized: RunDir, twin: RunDir) -> Path:
    """Writes `report.html` into a folder that `lq_fda.pipeline` fills.

    A part that was not measured is named as such.

    Args:
        directory: Holds any of `bundle/`, `verification.json`, `benchmark.jsonl`, `distribution.json`.
        binarized: The run of the network.
        twin: That of its float twin; it need not exist.

    Returns:
        The path of the report: one file, no external requests.

    Raises:
        LqFdaError: There is no run, one of its files is damaged, or the report cannot be written.
    """
    recipe = binarized.recipe()
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("lq_fda.reporting", "."), autoescape=True, undefined=jinja2.StrictUndefined
    )
    html = environment.get_template("report.html.j2").render(
        title=f"{recipe['model']['name']} on {recipe['data']['name']}",
        recipe=recipe,
        environment=read_json(binarized.environment_file) if binarized.environment_file.is_file() else None,
        results={name: run.result() for name, run in (("binarized", binarized), ("float", twin)) if run.finished},
        curves=_curves(binarized, twin),
        distribution=_distribution(directory / "distribution.json"),
        bundle=_manifest(directory / "bundle"),
        verification=_validated(Verification, directory / "verification.json"),
        latency=_latency(directory / "benchmark.jsonl"),
        labels=plots.LABELS,
    )
    target = directory / "report.html"
    write_atomic(target, html)
    return target


def _validated(contract: type[Contract], path: Path) -> Contract | None:
    if not path.is_file():
        return None
    try:
        return contract.model_validate(read_json(path))
    except pydantic.ValidationError as error:
        raise LqFdaError(
            f"A file is damaged. Expected a {contract.__name__.lower()}. "
            f"Received: {str(path)!r} ({error.errors()[0]['msg']}).",
            cure="Run `lq-fda run` or `lq-fda ship` again.",
        ) from error


def _curves(binarized: RunDir, twin: RunDir) -> str | None:
    runs = {"1-bit": binarized, "float twin": twin}
    histories = {name: run.history() for name, run in runs.items() if run.history_file.is_file()}
    return plots.curves(histories) if any(histories.values()) else None


def _distribution(path: Path) -> dict[str, Any] | None:
    distribution = _validated(Distribution, path)
    if distribution is None:
        return None
    return {"figure": plots.distributions(distribution), "points": distribution.points}


def _manifest(folder: Path) -> Any:
    return Bundle(folder).manifest if folder.is_dir() else None


def _latency(path: Path) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    records = list(read_records(path))
    if not records:
        return None
    # Bars compare what was measured together: the first run.
    together = [record for record in records if record.run == records[0].run]
    return {"figure": plots.bars(together), "records": records}
