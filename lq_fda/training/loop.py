"""Training from a recipe to a run directory, and from where it stopped."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lq_fda import data, models
from lq_fda._keras import keras, tf
from lq_fda.artifacts import (
    Result,
    RunDir,
    SplitAccuracy,
    best_row,
    describe_environment,
    remove_leftovers,
    usable_cores,
    write_json,
)
from lq_fda.errors import LqFdaError
from lq_fda.training.callbacks import GrowImages, ProgressBar, StopOnNan
from lq_fda.training.evaluation import Evaluator, split_of
from lq_fda.training.recipe import Recipe, load_recipe, to_values
from lq_fda.training.recorder import EpochRecorder, median_speed
from lq_fda.training.strategies import StrategyName, is_chief, open_strategy, training_batches
from lq_fda.training.trainer import build_trainer


class TrainingInterrupted(LqFdaError):
    """Somebody pressed Ctrl-C; the run can be resumed."""


def train(
    recipe: Recipe,
    output: Path | str,
    *,
    resume: bool = False,
    strategy: StrategyName = "none",
    progress: bool = True,
    until: int | None = None,
) -> Result | None:
    """Trains a network and writes a run directory.

    After every epoch the run can be resumed, whatever stopped it; an interrupted epoch begins anew. On a CPU in float32
    the resumed run ends with the bits of an uninterrupted one. Seeds the global random generators.

    Args:
        recipe: What to train.
        output: The run directory; on several machines, a folder that all of them see.
        resume: Go on where the run in `output` stopped; a finished run is left alone.
        strategy: `"none"`, `"mirrored"` or `"multi_worker"`.
        progress: Draw a progress bar, and a line for every epoch, on the standard error output.
        until: Stop after this epoch and leave the test split unread, as a search must: the schedule stays that of all
            the recipe's epochs, and the run can be resumed. None trains to the end and reads it.

    Returns:
        The result; None on a worker that is not the chief, and with `until`.

    Raises:
        LqFdaError: The folder holds something else, cannot be written or belongs to another recipe; the data do not
            suit the network; there is no epoch `until`.
        TrainingDiverged: The loss is no number any more.
        TrainingInterrupted: Ctrl-C.

    ```python
    import tempfile
    from lq_fda import training

    recipe = training.apply_overrides(training.digits_demo(), ["epochs=1", "data.image_size=8"])
    with tempfile.TemporaryDirectory() as folder:
        result = training.train(recipe, f"{folder}/run", progress=False)
    assert result.test.images > 0
    ```
    """
    if until is not None and not 1 <= until <= recipe.epochs:
        raise LqFdaError(
            f"There is no such epoch. Expected 1 to {recipe.epochs}. Received: until={until!r}.",
            cure="Choose an epoch of the recipe's, or None for all of them.",
        )
    distribution = open_strategy(strategy)
    chief = is_chief(distribution)
    run = RunDir(output)
    _claim(run, recipe, resume=resume, chief=chief)
    if run.finished:
        return run.result()
    with _interruptible(run):
        dataset = data.load(recipe.data)
        steps = _steps_per_epoch(recipe, dataset)
        with distribution.scope():
            trainer = build_trainer(recipe, steps)
        # Not before: a recipe that cannot be trained leaves no folder behind, and no worker sees another one's files.
        if chief and not resume:
            write_json(run.recipe_file, to_values(recipe))
        with dataset.reading():
            recorder = EpochRecorder(run, recipe, dataset, trainer, steps, chief=chief)
            if resume:
                recorder.resume()
            if chief:
                write_json(run.environment_file, _environment(strategy, distribution))
            _fit(recipe, dataset, trainer, recorder, steps, until=until or recipe.epochs, progress=progress and chief)
            return _finish(run, dataset, recorder) if chief and until is None else None


def _claim(run: RunDir, recipe: Recipe, *, resume: bool, chief: bool) -> None:
    """Makes sure that the folder is new, or is this recipe's."""
    if resume:
        _check_same(to_values(load_recipe(run)), to_values(recipe), run)
        if chief:
            remove_leftovers(run.path)
            remove_leftovers(run.checkpoints)
    elif run.path.is_dir() and any(not file.name.startswith(".") for file in run.path.iterdir()):
        resumption = f", or resume: `lq-fda train --resume --output {run.path}`" if run.exists else ""
        raise LqFdaError(
            f"The output folder is not empty. Expected a new one. Received: {str(run.path)!r}.",
            cure=f"Choose another folder{resumption}.",
        )


def _check_same(theirs: dict[str, Any], ours: dict[str, Any], run: RunDir) -> None:
    changes = list(_differences(theirs, ours))
    if changes:
        raise LqFdaError(
            f"This run was begun with another recipe. Received: {'; '.join(changes)} in {str(run.path)!r}.",
            cure="Resume without changes, or train in another folder.",
        )


def _differences(theirs: Any, ours: Any, key: str = "") -> Iterator[str]:
    if isinstance(theirs, dict) and isinstance(ours, dict):
        for name in sorted({*theirs, *ours}):
            yield from _differences(theirs.get(name), ours.get(name), f"{key}.{name}" if key else name)
    elif theirs != ours:
        yield f"{key}={ours!r} instead of {theirs!r}"


def _steps_per_epoch(recipe: Recipe, dataset: data.Dataset) -> int:
    """Steps of an epoch, after a check that the data suit the network and the batch."""
    for name, expected, received in (
        ("model.classes", dataset.classes, recipe.model.classes),
        ("model.input_shape", tuple(dataset.input_shape), tuple(recipe.model.input_shape)),
    ):
        if expected != received and received != (None, None, 3):
            raise LqFdaError(
                f"The network does not suit the data set {recipe.data.name!r}. Expected {name}={expected!r}. "
                f"Received: {name}={received!r}.",
                cure=f"Override {name}, or choose another data set.",
            )
    return dataset.steps_per_epoch(recipe.batch_size)


def _environment(strategy: StrategyName, distribution: tf.distribute.Strategy) -> dict[str, Any]:
    return {
        **describe_environment(),
        "devices": [device.name for device in tf.config.list_logical_devices()],
        "strategy": strategy,
        "replicas": distribution.num_replicas_in_sync,
        "threads": _threads(),
    }


def _threads() -> int:
    """Of one operator: another number of them adds up in another order, so that a run is not repeated to the bit."""
    text = os.environ.get("TF_NUM_INTRAOP_THREADS", "")
    asked = tf.config.threading.get_intra_op_parallelism_threads() or (int(text) if text.isdecimal() else 0)
    return asked or usable_cores()


@contextlib.contextmanager
def _interruptible(run: RunDir) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        if not run.exists:
            raise TrainingInterrupted(
                "Training was interrupted before it began. Nothing was written.", cure="Give the same command again."
            ) from None
        raise TrainingInterrupted(
            f"Training was interrupted. Everything up to the last whole epoch is in {str(run.path)!r}.",
            cure=f"Go on with it: `lq-fda train --resume --output {run.path}`.",
        ) from None


def _fit(
    recipe: Recipe,
    dataset: data.Dataset,
    trainer: keras.Model,
    recorder: EpochRecorder,
    steps: int,
    *,
    until: int,
    progress: bool,
) -> None:
    done = len(recorder.history)
    if done >= until:
        return
    batches = training_batches(
        dataset,
        trainer.distribute_strategy,
        batch_size=recipe.batch_size,
        epochs=recipe.epochs,
        start_epoch=done,
        seed=recipe.seed,
    )
    callbacks: list[keras.callbacks.Callback] = [StopOnNan(), recorder]
    if recipe.small_images is not None:
        callbacks.append(GrowImages(recipe.small_images))
    with contextlib.ExitStack() as stack:
        if progress:
            bar = ProgressBar(recorder.history, epochs=until, steps_per_epoch=steps, batch_size=recipe.batch_size)
            callbacks.append(stack.enter_context(bar))
        trainer.fit(
            batches,
            steps_per_epoch=steps,
            initial_epoch=done,
            epochs=until,
            callbacks=callbacks,
            verbose=0,
        )


def _finish(run: RunDir, dataset: data.Dataset, recorder: EpochRecorder) -> Result:
    evaluate = Evaluator(models.load(run))
    measured = {split: evaluate(split_of(dataset, split)) for split in ("validation", "test")}
    history = recorder.history
    result = Result(
        epochs=len(history),
        best_epoch=best_row(history)["epoch"],
        **{name: SplitAccuracy(split=name, images=m.images, top1=m.top1) for name, m in measured.items()},
        seconds=sum(row["train_seconds"] + row["validation_seconds"] for row in history),
        images_per_second=median_speed(history),
    )
    write_json(run.result_file, result.model_dump(mode="json"))
    return result
