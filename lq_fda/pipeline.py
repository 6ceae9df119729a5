"""The whole line, in order: train the network and its float twin, convert, verify, time, report."""

from collections.abc import Callable
from pathlib import Path

import lq_fda
from lq_fda import analysis, training
from lq_fda.artifacts import RunDir, write_json
from lq_fda.errors import LqFdaError

_MEASURED_IMAGES = 256


def run(
    recipe: training.Recipe,
    output: Path,
    *,
    resume: bool = False,
    progress: bool = True,
    say: Callable[[str], None] = lambda text: None,
) -> Path:
    """Runs every stage and writes its results into one folder.

    The folder holds `binarized/` and `float/` (run directories), `distribution.json` and `report.html`, and grows a
    part for every further stage.

    Args:
        recipe: Of the binarized network; the float twin has the same one.
        output: The folder.
        resume: Go on where an earlier call stopped.
        progress: Draw progress bars.
        say: Called with the title of each stage.

    Returns:
        The path of the report.

    Raises:
        LqFdaError: A stage failed; what the stages before it wrote stays.
    """
    if output.is_dir() and any(output.iterdir()) and not resume:
        raise LqFdaError(
            f"The output folder is not empty. Expected a new one. Received: {str(output)!r}.",
            cure="Choose another folder, or go on with what is in it: --resume.",
        )
    binarized, twin = RunDir(output / "binarized"), RunDir(output / "float")
    for name, directory, chosen in (
        ("binarized network", binarized, recipe),
        ("float twin", twin, training.float_twin(recipe)),
    ):
        say(f"Training the {name}")
        training.train(chosen, directory.path, resume=directory.exists, progress=progress)

    say("Measuring the distribution in front of every sign")
    dataset = lq_fda.data.load(recipe.data)
    images = next(iter(dataset.validation(_MEASURED_IMAGES)))[0].numpy()
    distribution = analysis.measure_distribution(lq_fda.models.load(binarized), images, "validation")
    write_json(output / "distribution.json", distribution.model_dump(mode="json"))

    say("Writing the report")
    return lq_fda.reporting.write_report(output)
