"""Which part gives what: one recipe with one choice of parts after another, over several seeds.

Every variant has the same epochs, schedule, data and held-out images. Its best epoch is chosen on validation; the test
split is read once, at the end of its run.
"""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from lq_fda.artifacts import RunDir, RunRecord
from lq_fda.errors import LqFdaError
from lq_fda.models import COUSINS, PARTS, RECOMMENDED
from lq_fda.training.loop import train
from lq_fda.training.recipe import Recipe, float_twin

STUDY = "ablation"

VARIANTS: dict[str, dict[str, Any]] = {
    **{
        name: {"parts": parts, "estimator": "window"}
        for name, parts in {
            "plain": (),
            **{part: (part,) for part in PARTS},
            **{f"without_{part}": tuple(other for other in PARTS if other != part) for part in PARTS},
            "all": PARTS,
            **COUSINS,
        }.items()
    },
    "recommended": {"parts": RECOMMENDED, "estimator": None},
    "float": {"binarized": False},
}
"""Fields of `ModelConfig` by the name of the variant."""


def variant(recipe: Recipe, name: str) -> Recipe:
    """The recipe with a variant's network.

    Raises:
        LqFdaError: No such variant.

    ```python
    from lq_fda import training

    assert training.variant(training.digits_demo(), "plain").model.parts == ()
    ```
    """
    if name not in VARIANTS:
        raise LqFdaError(
            f"No such variant. Expected one of {', '.join(VARIANTS)}. Received: {name!r}.",
            cure="Choose variants from the list.",
        )
    if name == "float":
        return float_twin(recipe)
    return dataclasses.replace(recipe, model=dataclasses.replace(recipe.model, binarized=True, **VARIANTS[name]))


def ablate(
    recipe: Recipe,
    output: Path | str,
    *,
    variants: Sequence[str] = tuple(VARIANTS),
    seeds: Sequence[int] = (0,),
    progress: bool = True,
    announce: Callable[[str], None] = lambda name: None,
) -> list[RunRecord]:
    """Trains every variant with every seed, each in a run directory of its own, and returns their records.

    Call it again after an interruption: finished runs are read, the one that was cut is resumed.

    Args:
        recipe: What all variants share.
        output: A folder for the run directories, `VARIANT_seedN`.
        variants: Names in `VARIANTS`.
        seeds: Of initial weights, order and augmentation; the held-out images stay the same.
        progress: Draw progress bars.
        announce: Is told the name of every run before it is trained.

    Raises:
        LqFdaError: No such variant, none at all, or a run directory belongs to another recipe.
        TrainingInterrupted: Ctrl-C.
    """
    # A wrong name is found before hours of training.
    recipes = {
        f"{name}_seed{seed}": dataclasses.replace(variant(recipe, name), seed=seed)
        for seed in seeds
        for name in variants
    }
    if not recipes:
        raise LqFdaError(
            f"There is nothing to train. Expected a variant and a seed. Received: variants={list(variants)}, "
            f"seeds={list(seeds)}.",
            cure="Name at least one of each.",
        )
    runs = []
    for name, chosen in recipes.items():
        run = RunDir(Path(output) / name)
        announce(name)
        train(chosen, run.path, resume=run.exists, progress=progress)
        runs.append(run.record(STUDY))
    return runs
