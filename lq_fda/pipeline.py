"""The whole line, in order: train the network and its float twin, convert, verify, time, report."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lq_fda
from lq_fda import analysis, benchmarking, conversion, models, reporting, training, verification
from lq_fda.artifacts import BenchmarkRecord, Bundle, RunDir, Verification, write_json, write_records
from lq_fda.errors import LqFdaError

__all__ = ["Outcome", "run", "ship"]

_MEASURED_IMAGES = 256
# What an interrupted call must not leave beside a newer bundle.
_BEHIND_THE_BUNDLE = ("verification.json", "benchmark.jsonl", "report.html")


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What every stage found.

    Args:
        binarized: How the training of the network ended.
        float_twin: How that of its float twin did.
        bundle: The files.
        verification: Whether they compute what was trained.
        records: How fast they are.
        report: The page that shows it all.
    """

    binarized: training.Result
    float_twin: training.Result
    bundle: Bundle
    verification: Verification
    records: list[BenchmarkRecord]
    report: Path

    def as_json(self) -> dict[str, Any]:
        return {
            "binarized": self.binarized.model_dump(mode="json"),
            "float_twin": self.float_twin.model_dump(mode="json"),
            "conversion": self.bundle.manifest.conversion.model_dump(mode="json"),
            "verification": self.verification.model_dump(mode="json"),
            "benchmark": [record.model_dump(mode="json") for record in self.records],
            "report": str(self.report),
        }


def run(
    recipe: training.Recipe,
    output: Path | str,
    *,
    resume: bool = False,
    say: Callable[[str], None] | None = None,
    progress: Callable[[str, int, int], None] = lambda step, done, total: None,
) -> Outcome:
    """Trains a network and its float twin, and ships them: every stage into one folder.

    The folder then holds `binarized/` and `float/` (run directories) and what `ship` writes.

    Args:
        recipe: Of the binarized network; the float twin has the same one.
        output: The folder.
        resume: Go on with the training where an earlier call stopped; what follows is done anew.
        say: Called with the title of each stage; training then draws its progress as well.
        progress: Called with a step's name, what is done and how much there is.

    Raises:
        LqFdaError: A stage failed; what the stages before it wrote stays. A failed gate of the verification is no error
            here: see `Verification.require_passed`.
    """
    conversion.require_lce()
    if not recipe.model.binarized:
        raise LqFdaError(
            "There is nothing to binarize. Expected the recipe of a binarized network: its float twin is trained "
            "anyway. Received: model.binarized=False.",
            cure="Leave model.binarized out, or train a float network with `lq-fda train --float-twin`.",
        )
    output = Path(output)
    if not resume:
        _require_new(output, cure="Choose another folder, or go on with what is in it: --resume.")
    binarized, twin = RunDir(output / "binarized"), RunDir(output / "float")
    for title, directory, chosen in (
        ("Training the binarized network", binarized, recipe),
        ("Training its float twin", twin, training.float_twin(recipe)),
    ):
        if say is not None:
            say(title)
        training.train(chosen, directory.path, resume=directory.exists, progress=say is not None)
    return _ship(binarized, twin, output, say or (lambda title: None), progress)


def ship(
    binarized: RunDir,
    twin: RunDir,
    output: Path | str,
    *,
    say: Callable[[str], None] = lambda title: None,
    progress: Callable[[str, int, int], None] = lambda step, done, total: None,
) -> Outcome:
    """Makes a bundle with a model card out of two finished runs, and shows what it is worth.

    The folder then holds `bundle/` (the files, and `MODEL_CARD.md`), `distribution.json`, `verification.json`,
    `benchmark.jsonl` and `report.html`.

    Args:
        binarized: A finished run of the network.
        twin: A finished run of its float twin; its recipe may be another one.
        output: The folder.
        say: Called with the title of each stage.
        progress: Called with a step's name, what is done and how much there is.

    Raises:
        LqFdaError: A run is not finished, they are no twins, the folder is not empty, or a stage failed; what the
            stages before it wrote stays. A failed gate of the verification is no error here: see
            `Verification.require_passed`.
    """
    conversion.require_lce()
    _require_new(Path(output), cure="Choose another folder.")
    return _ship(binarized, twin, Path(output), say, progress)


def _ship(
    binarized: RunDir,
    twin: RunDir,
    output: Path,
    say: Callable[[str], None],
    progress: Callable[[str, int, int], None],
) -> Outcome:
    results = binarized.result(), twin.result()
    dataset = lq_fda.data.load(models.configs(binarized)[1])
    for stale in (output / name for name in _BEHIND_THE_BUNDLE):
        stale.unlink(missing_ok=True)
    say("Converting")
    bundle = conversion.convert(binarized, output / "bundle", float_run=twin, dataset=dataset, progress=progress)

    say("Verifying")
    found = verification.verify(bundle, binarized, float_run=twin, dataset=dataset, progress=progress)
    write_json(output / "verification.json", found.model_dump(mode="json"))

    say("Timing")
    records = benchmarking.benchmark(bundle, progress=lambda done, total: progress("rounds", done, total))
    write_records(output / "benchmark.jsonl", records)

    say("Measuring the distribution in front of every sign")
    images = next(iter(dataset.validation(_MEASURED_IMAGES)))[0].numpy()
    distribution = analysis.measure_distribution(models.load(binarized), images, "validation")
    write_json(output / "distribution.json", distribution.model_dump(mode="json"))

    say("Writing the report and the model card")
    reporting.write_model_card(output, binarized, twin)
    return Outcome(*results, bundle, found, records, reporting.write_report(output, binarized, twin))


def _require_new(output: Path, cure: str) -> None:
    if output.is_dir() and any(output.iterdir()):
        raise LqFdaError(f"The output folder is not empty. Expected a new one. Received: {str(output)!r}.", cure=cure)
