"""From run directories to an analysis."""

from collections.abc import Callable, Sequence

import pydantic

from lq_fda import data, models
from lq_fda.analysis.findings import worst_layers
from lq_fda.analysis.measuring import measure_distribution
from lq_fda.artifacts import Analysis, Distribution, RunAnalysis, RunDir, Trend, best_row
from lq_fda.errors import LqFdaError, reason


def analyze(
    runs: Sequence[RunDir],
    *,
    images: int = 512,
    progress: Callable[[str, int, int], None] = lambda step, done, total: None,
) -> Analysis:
    """Finds out where a binarized network loses information, and puts other runs of the same network beside it.

    Measured are the weights of each run's best epoch, on the first images of the validation split; the course of
    training comes from each run's history. A run need not have ended.

    Args:
        runs: A binarized run, the one that is asked about; then any others, such as that of the plain block and of
            the float twin. In a float twin, what signs would see in the same places.
        images: How many; all of the split if it has fewer.
        progress: Called with a run's name, the images done and the images in all.

    Raises:
        LqFdaError: No run, or the first one is a float network; the runs are of different networks or data sets; one
            has no weights yet, is damaged, or its data set cannot be read.

    ```python
    import tempfile
    from lq_fda import analysis, training
    from lq_fda.artifacts import RunDir

    recipe = training.apply_overrides(training.digits_demo(), ["epochs=1", "data.image_size=8"])
    with tempfile.TemporaryDirectory() as folder:
        training.train(recipe, folder, progress=False)
        found = analysis.analyze([RunDir(folder)], images=32)
    assert len(found.findings) == 3
    ```
    """
    _check(runs, images)
    _, data_config = models.configs(runs[0])
    networks = [models.load(run) for run in runs]
    dataset = data.load(data_config)
    with dataset.reading():
        inputs = next(iter(dataset.validation(images)))[0].numpy()
    found = []
    for name, run, network in zip(_names(runs), runs, networks, strict=True):
        config, _ = models.configs(run)
        distribution = measure_distribution(
            network,
            inputs,
            "validation",
            template=None if config.binarized else networks[0],
            progress=lambda done, total, name=name: progress(name, done, total),
        )
        found.append(_described(name, run, distribution))
    return Analysis(runs=tuple(found), findings=worst_layers(found[0]))


def _check(runs: Sequence[RunDir], images: int) -> None:
    if not runs or images < 1:
        raise LqFdaError(
            f"There is nothing to analyze. Expected at least one run and one image. "
            f"Received: {len(runs)} runs and images={images}.",
            cure="Name a run directory, and some hundred images.",
        )
    first, _ = models.configs(runs[0])
    if not first.binarized:
        raise LqFdaError(
            f"The first run takes no sign. Expected a binarized network first, and its float twin behind it. "
            f"Received: {str(runs[0].path)!r}, a float network.",
            cure="Name the binarized run first.",
        )
    for run in runs[1:]:
        models.require_comparable(run, runs[0])


def _names(runs: Sequence[RunDir]) -> list[str]:
    """The names of the folders; whole paths where two have one name."""
    names = [run.path.resolve().name for run in runs]
    return names if len(set(names)) == len(names) else [str(run.path) for run in runs]


def _described(name: str, run: RunDir, distribution: Distribution) -> RunAnalysis:
    config, _ = models.configs(run)
    history = run.history()
    best = best_row(history)
    try:
        return RunAnalysis(
            name=name,
            network=config.name,
            binarized=config.binarized,
            parts=config.parts if config.binarized else (),
            epochs=len(history),
            planned=run.recipe()["epochs"],
            best_epoch=best["epoch"],
            validation_accuracy=best["validation_accuracy"],
            distribution=distribution,
            trends=tuple(_trend(history, point.name) for point in distribution.points) if config.binarized else (),
        )
    except (KeyError, pydantic.ValidationError) as error:
        raise LqFdaError(
            f"The run's recipe or history is damaged. Received: {str(run.path)!r} ({reason(error)}).",
            cure="Restore its files from a copy, or resume the run: `lq-fda train --resume --output DIR`.",
        ) from error


def _trend(history: list[dict[str, float]], layer: str) -> Trend:
    quantities = ("positive", "imbalance", "inside", "flip_rate")
    return Trend(
        layer=layer,
        **{quantity: tuple(row.get(f"{layer}/{quantity}") for row in history) for quantity in quantities},
    )
