"""How fast networks train: several recipes in one process, their rounds interleaved, so that ratios mean something.

The images are random and lie in memory: this is the speed of the training step. `lq_fda.data.throughput` measures the
input pipeline.
"""

import dataclasses
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from lq_fda._keras import tf
from lq_fda.artifacts import TrainingSpeed, describe_measurement
from lq_fda.errors import LqFdaError
from lq_fda.models import RECOMMENDED
from lq_fda.training.recipe import Recipe, float_twin
from lq_fda.training.trainer import STEPS_PER_EXECUTION, build_trainer


def block_cases(recipe: Recipe, precisions: Sequence[str] = ("float32", "mixed_bfloat16")) -> dict[str, Recipe]:
    """A network with several blocks, in several precisions: what to measure together.

    `larq` is made of Larq's and Keras's layers alone, `plain` is the same network with our convolution, `full` has the
    three layers, and `float` is the float twin.

    Args:
        recipe: Gives network, batch size and optimizer.
        precisions: Keras precision policies.
    """

    def with_model(**changes: Any) -> Recipe:
        return dataclasses.replace(recipe, model=dataclasses.replace(recipe.model, binarized=True, **changes))

    blocks = {
        "larq": with_model(parts=(), convolution="larq"),
        "plain": with_model(parts=(), convolution="lq_fda"),
        "full": with_model(parts=RECOMMENDED, convolution="lq_fda"),
        "float": float_twin(recipe),
    }
    return {
        f"{name} {precision}": dataclasses.replace(block, precision=precision)
        for precision in precisions
        for name, block in blocks.items()
    }


def measure_speed(
    cases: Mapping[str, Recipe],
    *,
    steps: int = 16,
    rounds: int = 7,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[TrainingSpeed]:
    """Times training steps of several recipes, one round of each in turn.

    Args:
        cases: Recipes by the name that the records get.
        steps: Training steps of a round; rounded up to whole executions.
        rounds: How often each recipe has its turn.
        progress: Is told after every turn how many training steps are done, and of how many, warming up included.

    Raises:
        LqFdaError: There is nothing to measure, or a network takes images of any size.

    ```python
    import dataclasses
    from lq_fda import training

    recipe = dataclasses.replace(training.digits_demo(), batch_size=2)
    (speed,) = training.measure_speed({"demo": recipe}, steps=1, rounds=1)
    assert speed.images_per_second > 0
    ```
    """
    if not cases or steps < 1 or rounds < 1:
        raise LqFdaError(
            "There is nothing to measure. Expected at least one case, one step and one round. "
            f"Received: cases={list(cases)}, steps={steps}, rounds={rounds}.",
            cure="Raise the number that is zero.",
        )
    for name, recipe in cases.items():
        if None in recipe.model.input_shape:
            raise LqFdaError(
                "Images of no known size cannot be timed. Expected a height and a width. "
                f"Received: model.input_shape={recipe.model.input_shape} in {name!r}.",
                cure="Choose a size, such as model.input_shape=32,32,3.",
            )
    executions = -(-steps // STEPS_PER_EXECUTION)
    images = {name: executions * STEPS_PER_EXECUTION * recipe.batch_size for name, recipe in cases.items()}
    rounds_of = {name: _rounds(recipe, executions) for name, recipe in cases.items()}
    speeds: dict[str, list[float]] = {name: [] for name in cases}
    turns = [name for _ in range(1 + rounds) for name in cases]
    for done, name in enumerate(turns, start=1):
        speeds[name].append(images[name] / next(rounds_of[name]))
        progress(done * executions * STEPS_PER_EXECUTION, len(turns) * executions * STEPS_PER_EXECUTION)
    speeds = {name: values[1:] for name, values in speeds.items()}  # The first turn traces, compiles and warms up.
    shared = describe_measurement()
    return [
        TrainingSpeed(
            case=name,
            model=dataclasses.asdict(recipe.model),
            precision=recipe.precision,
            optimizer=recipe.optimizer,
            batch_size=recipe.batch_size,
            steps=executions * STEPS_PER_EXECUTION,
            rounds=rounds,
            images_per_second=float(np.median(speeds[name])),
            slowest=min(speeds[name]),
            fastest=max(speeds[name]),
            **shared,
        )
        for name, recipe in cases.items()
    ]


def _rounds(recipe: Recipe, executions: int) -> Iterator[float]:
    """Seconds of one round after another, on a trainer of its own."""
    trainer = build_trainer(recipe, steps_per_epoch=1000)
    random = np.random.default_rng(recipe.seed)
    images = random.normal(size=(recipe.batch_size, *recipe.model.input_shape)).astype(np.float32)
    labels = random.integers(recipe.model.classes, size=recipe.batch_size).astype(np.int32)
    batches = iter(tf.data.Dataset.from_tensors((images, labels)).repeat())
    train = trainer.make_train_function()
    while True:
        began = time.perf_counter()
        for _ in range(executions):
            logs = train(batches)
        float(logs["loss"])  # waits for the device
        yield time.perf_counter() - began
