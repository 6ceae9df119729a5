"""Records as tables, for the terminal and for documents alike."""

import dataclasses
import json
import statistics
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from rich.table import Column, Table

from lq_fda.artifacts import PeerRecord, RunRecord, TrainingSpeed, recipe_changes
from lq_fda.errors import LqFdaError


def ablation_table(records: Iterable[RunRecord]) -> Table:
    """One row a choice of parts, the weakest first: means over seeds, standard deviation of the test, gain over plain.

    The gain is that of the mean on test over the plain block's.

    Args:
        records: Of runs that differ in their network and seed alone, as `lq_fda.training.ablate` returns them.

    Raises:
        LqFdaError: They differ in something else.
    """
    variants = by_variant(records)
    setting = _one([_setting(run) for runs in variants.values() for run in runs], "The runs of an ablation")
    plain = statistics.mean(map(on_test, variants["plain"])) if "plain" in variants else None
    table = _table("block", "parts", right=("seeds", "validation %", "test %", "+-", "over plain"))
    for name, runs in variants.items():
        tests = [on_test(run) for run in runs]
        test = statistics.mean(tests)
        table.add_row(
            name.replace("_", " "),
            _parts(runs[0].recipe["model"]),
            str(len(runs)),
            f"{statistics.mean(on_validation(run) for run in runs):.2f}",
            f"{test:.2f}",
            f"{statistics.stdev(tests):.2f}" if len(tests) > 1 else "",
            "" if plain is None else f"{test - plain:+.2f}",
        )
    return _captioned(table, f"{setting} `+-`: standard deviation over the seeds.")


def _parts(model: dict[str, Any]) -> str:
    """What a network's blocks have; the gradient of the sign, too, where it is not the plain block's window."""
    if not model["binarized"]:
        return "float twin"
    estimator = model["estimator"] or ("triangle" if "adjustment" in model["parts"] else "window")  # As blocks have it.
    beside = [] if estimator == "window" else [estimator]
    return ", ".join([*model["parts"], *beside]).replace("_", " ") or "none"


def trial_table(records: Sequence[RunRecord]) -> Table:
    """One row a run of a study, with what its recipe changes in that of the study's first run.

    Args:
        records: Of one study.
    """
    table = _table("run", "changed", right=("validation %", "test %"))
    for record in records:
        changes = [f"{key}={value}" for key, value in recipe_changes(records[0].recipe, record.recipe).items()]
        table.add_row(
            record.name.replace("_", " "),
            ", ".join(changes) or "-",
            f"{on_validation(record):.2f}",
            f"{on_test(record):.2f}",
        )
    return _captioned(table, _setting(records[0]) if records else "")


def accuracy_table(records: Iterable[RunRecord], published: dict[str, Any]) -> Table:
    """The long runs beside their float twins, and under them what is published for the same networks.

    Args:
        records: Of long runs: 1-bit and float, with equal epochs.
        published: `protocol`, a sentence, and `figures`: objects with network, method and either top1 and float, by
            that protocol, or a `gap` alone.

    Raises:
        LqFdaError: Two runs of one network and as many epochs differ in more than their seed.
    """
    table = _table("network", "method", "epochs", right=("1-bit %", "float %", "gap"))
    table.add_column("chosen on")
    ours = _beside_twins(records, lambda recipe: (recipe["model"]["name"], recipe["epochs"]))
    for network in dict.fromkeys(figure["network"] for figure in published["figures"]):
        for (name, epochs), run in ours.items():
            if name == network:
                method = "ours, one seed" if run.seeds == 1 else f"ours, mean of {run.seeds} seeds"
                table.add_row(network, method, str(epochs), *run.cells, "validation")
        for figure in published["figures"]:
            if figure["network"] == network:
                table.add_row(network, figure["method"], *_published(figure))
    return _captioned(
        table,
        f"Published figures: {published['protocol']}. Our budget is far smaller, and the test split is read once.",
    )


def breadth_table(records: Iterable[RunRecord]) -> Table:
    """Networks and data sets: one row for each of them and each budget, the 1-bit network beside its float twin.

    Args:
        records: Of runs, 1-bit and float.

    Raises:
        LqFdaError: Two runs of one row differ in more than their seed.
    """

    def task(recipe: dict[str, Any]) -> tuple[str, ...]:
        model, data = recipe["model"], recipe["data"]
        height, width, _ = model["input_shape"]
        name = data.get("data_dir", data["name"])  # Only a folder of images has one: its name.
        return model["name"], name, f"{height}x{width}", str(model["classes"]), str(recipe["epochs"])

    table = _table("network", "data set", "image", right=("classes", "epochs", "seeds", "1-bit %", "float %", "gap"))
    for row, run in _beside_twins(records, task).items():
        table.add_row(*row, str(run.seeds), *run.cells)
    return _captioned(table, "Top-1 on test; the epoch is chosen on validation, the test split is read once.")


def peer_table(records: Sequence[PeerRecord]) -> Table:
    """The newest run of each network: one row a form and runtime, with ratios to the int8 twin and to LCE.

    Args:
        records: What `lq_fda.peers.measure_peers` returned, of one network or of several.
    """
    table = _table("network", "form", "runtime", right=("median ms", "p90", "x int8", "x LCE", "KiB"))
    newest = {(record.model, record.input_shape): record.run for record in records}
    for (model, shape), run in newest.items():
        rows = [record for record in records if record.run == run]
        int8 = next((record.median_ms for record in rows if record.form == "int8"), None)
        lce = next((record.median_ms for record in rows if record.runtime == "lce"), None)
        for record in rows:
            isa = record.settings.get("isa")
            unfused = "" if record.settings.get("fuse", True) else ", unfused"
            ratios = ("" if peer is None else f"{record.median_ms / peer:.3f}" for peer in (int8, lce))
            table.add_row(
                f"{model}, {shape[1]}x{shape[2]}",
                record.form,
                f"{record.runtime}, {isa}{unfused}" if isa else record.runtime,
                f"{record.median_ms:.3f}",
                f"{record.p90_ms:.3f}",
                *ratios,
                f"{record.file_bytes / 1024:.0f}",
            )
    settings: dict[str, list[str]] = {}
    for record in {record.run: record for record in records if record.run in newest.values()}.values():
        settings.setdefault(_peer_setting(record), []).append(record.model)
    # Networks may have been measured on several days, or machines.
    lines = [
        f"{', '.join(models)}: {setting}" if len(settings) > 1 else setting for setting, models in settings.items()
    ]
    return _captioned(table, " ".join(lines))


def _peer_setting(record: PeerRecord) -> str:
    versions = record.environment["versions"]
    return (
        f"{_machine(record)}; {record.threads} thread{'s' if record.threads > 1 else ''}; LCE "
        f"{versions['larq-compute-engine']} at its best settings, LiteRT {versions['ai-edge-litert']}; "
        f"{record.rounds} interleaved rounds after {record.warmups} warm-ups, each timed run behind {record.settle} "
        "of the same file; `make bench`."
    )


def speed_table(records: Sequence[TrainingSpeed], baseline: str = "larq") -> Table:
    """The newest run of `lq_fda.training.measure_speed`, with each speed's ratio to a baseline in the same precision.

    Args:
        records: Of one run or of several.
        baseline: First word of the case to divide by.
    """
    newest = [record for record in records if record.run == records[-1].run]
    base = {record.precision: record.images_per_second for record in newest if record.case.split()[0] == baseline}
    table = _table("case", right=("images/s", "slowest", "fastest", f"x {baseline}"))
    for record in newest:
        ratio = f"{record.images_per_second / base[record.precision]:.2f}" if record.precision in base else ""
        numbers = (f"{value:.0f}" for value in (record.images_per_second, record.slowest, record.fastest))
        table.add_row(record.case, *numbers, ratio)
    if not newest:
        return table
    first = newest[0]
    return _captioned(
        table,
        f"{first.model['name']}, batch {first.batch_size}; {_machine(first)}; {first.rounds} interleaved rounds of "
        f"{first.steps} steps; `lq-fda speed`.",
    )


def rows(table: Table) -> list[dict[str, str]]:
    """A table's rows by the names of its columns."""
    names = [str(column.header) for column in table.columns]
    return [
        dict(zip(names, map(str, cells), strict=True))
        for cells in zip(*(column.cells for column in table.columns), strict=True)
    ]


def runs_of(study: str, records: Iterable[RunRecord]) -> list[RunRecord]:
    """The runs of a study, each once: of those with one name, the one that was recorded last."""
    return list({record.name: record for record in records if record.study == study}.values())


def by_variant(records: Iterable[RunRecord]) -> dict[str, list[RunRecord]]:
    """The runs of every variant, one a seed, the weakest on test first; its name is that of a run without the seed."""
    variants: dict[str, list[RunRecord]] = {}
    for record in records:
        variants.setdefault(record.name.rpartition("_seed")[0], []).append(record)
    return dict(sorted(variants.items(), key=lambda variant: statistics.mean(map(on_test, variant[1]))))


def on_test(record: RunRecord) -> float:
    """Top-1 on the test split, %."""
    return 100 * record.result.test.top1


def on_validation(record: RunRecord) -> float:
    """Top-1 of the best epoch on the validation split, %."""
    return 100 * record.result.validation.top1


def _table(*left: str, right: Sequence[str]) -> Table:
    """Where the terminal is narrow, texts take more lines; nothing is cut."""
    return Table(
        *(Column(name, overflow="fold") for name in left),
        *(Column(name, justify="right", no_wrap=True) for name in right),
    )


def _one(values: Iterable[str], what: str) -> str:
    """The value that all of them have; empty where there is none.

    Raises:
        LqFdaError: There are two.
    """
    different = list(dict.fromkeys(values))
    if len(different) > 1:
        raise LqFdaError(
            f"{what} cannot be compared. Expected one setting for all of them. Received: {different[0]!r} and "
            f"{different[1]!r}.",
            cure="Record them under another study: `lq-fda record RUN --study STUDY`.",
        )
    return different[0] if different else ""


@dataclasses.dataclass(frozen=True)
class _BesideTwin:
    """Means on test of a 1-bit network, over its seeds, and of its float twin, which may not have been run."""

    seeds: int
    binarized: float
    twin: float | None

    @property
    def cells(self) -> tuple[str, str, str]:
        """Both, and the gap."""
        if self.twin is None:
            return f"{self.binarized:.2f}", "not yet run", ""
        return f"{self.binarized:.2f}", f"{self.twin:.2f}", f"{self.twin - self.binarized:.2f}"


def _beside_twins(records: Iterable[RunRecord], task: Callable[[dict[str, Any]], tuple]) -> dict[tuple, _BesideTwin]:
    """By task, in the order of the records."""
    runs: dict[tuple, list[RunRecord]] = {}
    for run in records:
        runs.setdefault((task(run.recipe), run.recipe["model"]["binarized"]), []).append(run)
    tests = {key: _mean_test(alike) for key, alike in runs.items()}
    return {
        key: _BesideTwin(len(runs[key, True]), test, tests.get((key, False)))
        for (key, binarized), test in tests.items()
        if binarized
    }


def _mean_test(runs: Sequence[RunRecord]) -> float:
    """Of runs that differ in their seed alone."""
    names = [run.name for run in runs]
    recipes = [{**run.recipe, "seed": None} for run in runs]
    _one([json.dumps(recipe, sort_keys=True) for recipe in recipes], f"The runs {', '.join(names)}")
    return statistics.mean(map(on_test, runs))


def _published(figure: dict[str, Any]) -> tuple[str, ...]:
    if "gap" in figure:
        return "not public", "", "", f"{figure['gap']}", "not public"
    return ">= 400", f"{figure['top1']}", f"{figure['float']}", f"{figure['float'] - figure['top1']:.1f}", "test"


def _captioned(table: Table, caption: str) -> Table:
    table.caption = caption
    return table


def _setting(record: RunRecord) -> str:
    recipe = record.recipe
    return (
        f"{recipe['model']['name']} on {recipe['data']['name']}, {recipe['epochs']} epochs of batch "
        f"{recipe['batch_size']}, {recipe['optimizer']}, learning rate {recipe['learning_rate']}, "
        f"{recipe['precision']}; the epoch is chosen on validation, the test split is read once."
    )


def _machine(record: PeerRecord | TrainingSpeed) -> str:
    return f"{record.environment['cpu']}, {record.environment['cores']} cores; {record.date[:10]}"
