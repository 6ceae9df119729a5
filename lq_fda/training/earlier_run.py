"""Training that builds on an earlier run: a teacher's, or that of a first stage."""

from pathlib import Path
from typing import Any

from lq_fda import models
from lq_fda._keras import keras
from lq_fda.artifacts import RunDir
from lq_fda.errors import LqFdaError
from lq_fda.training.recipe import Recipe, load_recipe


def require_same_images(recipe: Recipe, run: RunDir, role: str) -> None:
    """Refuses an earlier run that saw other images.

    Another split would have shown it the images that are to choose this run's best epoch.

    Args:
        recipe: What is to be trained.
        run: The earlier run.
        role: What it is to this one, for the message.

    Raises:
        LqFdaError: There is no such run, or its data set, held-out images, classes or image size are others.
    """
    theirs = _images(load_recipe(run))
    for name, ours in _images(recipe).items():
        if theirs.get(name) != ours:
            raise LqFdaError(
                f"The {role} learned something else. Expected {name}={ours!r}. "
                f"Received: {name}={theirs.get(name)!r} in {str(run.path)!r}.",
                cure=f"Train a {role} on the same data.",
            )


def _images(recipe: Recipe) -> dict[str, Any]:
    """What both runs must have in common, by the name of the field."""
    data = {f"data.{name}": value for name, value in recipe.data.images().items()}
    return data | {"model.classes": recipe.model.classes, "model.input_shape": recipe.model.input_shape}


def start_from(network: keras.Model, recipe: Recipe) -> None:
    """Gives a network the weights that its recipe starts from, if it names a run.

    Raises:
        LqFdaError: There is no such run, it saw other images, or its network is another one.
    """
    if recipe.start is None:
        return
    run = RunDir(Path(recipe.start))
    require_same_images(recipe, run, "first stage")
    earlier = models.load(run)
    theirs, ours = ([tuple(weight.shape) for weight in model.weights] for model in (earlier, network))
    if theirs != ours:
        raise LqFdaError(
            f"The first stage has another network. Expected weights of the same shapes: the same model, but for "
            f"float_weights in model.parts. Received: start={recipe.start!r}.",
            cure="Train both stages with the same model.",
        )
    network.set_weights(earlier.get_weights())
