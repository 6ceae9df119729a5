"""Networks that a run has trained."""

import dataclasses

import pydantic

from lq_fda._keras import keras, precision
from lq_fda.artifacts import RunDir
from lq_fda.data import DataConfig
from lq_fda.errors import LqFdaError
from lq_fda.models.config import ModelConfig
from lq_fda.models.registry import build


def configs(run: RunDir) -> tuple[ModelConfig, DataConfig]:
    """What a run trained, and on what.

    Raises:
        LqFdaError: The folder is no run, or its recipe is damaged.
    """
    recipe = run.recipe()
    try:
        return ModelConfig(**recipe["model"]), DataConfig(**recipe["data"])
    except (KeyError, TypeError, pydantic.ValidationError) as error:
        raise LqFdaError(
            f"The run's recipe is damaged or of another version. Received: {str(run.recipe_file)!r}.",
            cure="Restore the file from a copy, or train again.",
        ) from error


def load(run: RunDir, *, input_shape: tuple[int, int, int] | None = None) -> keras.Model:
    """Builds a run's network in float32 and loads the weights of its best epoch.

    Args:
        run: The run.
        input_shape: Of an image, in place of the recipe's: for a network that takes images of any size.

    Raises:
        LqFdaError: The folder is no run, has no weights yet, or they are damaged.
    """
    config, _ = configs(run)
    with precision("float32"):
        model = build(config if input_shape is None else dataclasses.replace(config, input_shape=input_shape))
    if not run.best_weights.is_file():
        raise LqFdaError(
            f"The run has no weights yet. Expected {run.best_weights.name}. Received: {str(run.path)!r}.",
            cure="Train at least one epoch: `lq-fda train --resume --output DIR`.",
        )
    try:
        model.load_weights(run.best_weights)
    except (OSError, ValueError, KeyError) as error:
        raise LqFdaError(
            f"The weights cannot be loaded: the file is damaged or belongs to another network. "
            f"Received: {str(run.best_weights)!r}.",
            cure="Restore the file from a copy, or train again.",
        ) from error
    return model


def require_twin(float_run: RunDir, run: RunDir) -> None:
    """Refuses a float run that was not trained on the same images and topology as a binarized one.

    Raises:
        LqFdaError: They differ, or one cannot be read.
    """
    twin, _ = configs(float_run)
    differing = _differences(float_run, run) + (["binarized"] if twin.binarized else [])
    if differing:
        raise LqFdaError(
            f"The float run is no twin of the binarized one: they differ in {', '.join(differing)}. "
            f"Received: {str(float_run.path)!r} and {str(run.path)!r}.",
            cure="Train the twin with the same recipe and model.binarized=False.",
        )


def require_comparable(other: RunDir, run: RunDir) -> None:
    """Refuses a run that was not trained on the same images and topology as another one; their blocks may differ.

    Raises:
        LqFdaError: They differ, or one cannot be read.
    """
    differing = _differences(other, run)
    if differing:
        raise LqFdaError(
            f"The runs cannot be compared: they differ in {', '.join(differing)}. "
            f"Received: {str(other.path)!r} and {str(run.path)!r}.",
            cure="Compare runs of one network on one data set.",
        )


def _differences(one: RunDir, other: RunDir) -> list[str]:
    (ours, our_data), (theirs, their_data) = configs(one), configs(other)
    topology = ("name", "input_shape", "classes", "width", "depth")
    differing = [name for name in topology if getattr(ours, name) != getattr(theirs, name)]
    our_images, their_images = our_data.images(), their_data.images()
    return differing + [f"data.{name}" for name in their_images if our_images.get(name) != their_images[name]]
