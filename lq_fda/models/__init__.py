"""Backbones, each with its float twin.

```python
from lq_fda import models

binarized = models.create("resnet20", classes=10)
twin = models.create("resnet20", classes=10, binarized=False)
```
"""

import difflib
from collections.abc import Callable
from typing import Any

import pydantic

from lq_fda._keras import keras, larq
from lq_fda.artifacts import RunDir
from lq_fda.errors import LqFdaError
from lq_fda.models import quicknet, resnet, vgg
from lq_fda.models.blocks import Block, residual_conv
from lq_fda.models.config import PARTS, ModelConfig

__all__ = [
    "PARTS",
    "Block",
    "ModelConfig",
    "build",
    "create",
    "describe",
    "load",
    "names",
    "profile",
    "residual_conv",
    "summary",
]

_FAMILIES: dict[str, Callable[[ModelConfig], keras.Model]] = {
    "mobile": quicknet.mobile,
    "resnet18": resnet.resnet18,
    "resnet18_imagenet": resnet.resnet18_imagenet,
    "resnet20": resnet.resnet20,
    "resnet34_imagenet": resnet.resnet34_imagenet,
    "tiny": resnet.tiny,
    "vgg_small": vgg.vgg_small,
}


def names() -> list[str]:
    """The networks that `create` knows."""
    return sorted(_FAMILIES)


def describe(name: str) -> str:
    """One line about a network.

    Raises:
        LqFdaError: No such network.
    """
    return (_family(name).__doc__ or "").splitlines()[0]


def _family(name: str) -> Callable[[ModelConfig], keras.Model]:
    if name not in _FAMILIES:
        near = difflib.get_close_matches(name, _FAMILIES, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise LqFdaError(
            f"No such model. Expected one of {', '.join(names())}. Received: name={name!r}.{hint}",
            cure="Run `lq-fda models` for the list.",
        )
    return _FAMILIES[name]


def build(config: ModelConfig) -> keras.Model:
    """Builds a network in the current precision policy; its output is float32 logits.

    Raises:
        LqFdaError: No such network, or its options do not fit together.
    """
    family = _family(config.name)
    try:
        return family(config)
    except ValueError as error:
        raise LqFdaError(
            f"The model cannot be built: {error}", cure="See `lq_fda.models.ModelConfig` for the options."
        ) from error


def create(name: str, **options: Any) -> keras.Model:
    """Builds a network by name.

    Args:
        name: A name that `names` lists.
        **options: Fields of `ModelConfig`.

    Raises:
        LqFdaError: No such network or option, or an option of the wrong type.

    ```python
    from lq_fda import models

    plain = models.create("tiny", parts=())
    assert plain.output_shape == (None, 10)
    ```
    """
    try:
        config = ModelConfig(name=name, **options)
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        option = ".".join(map(str, first["loc"]))
        raise LqFdaError(
            f"The model cannot be built: {first['msg']}. Received: {option}={first['input']!r}.",
            cure="See `lq_fda.models.ModelConfig` for the options.",
        ) from error
    return build(config)


def load(run: RunDir) -> keras.Model:
    """Builds a run's network in float32 and loads the weights of its best epoch.

    Raises:
        LqFdaError: The folder is no run, has no weights yet, or they are damaged.
    """
    try:
        config = ModelConfig(**run.recipe()["model"])
    except (KeyError, TypeError, pydantic.ValidationError) as error:
        raise LqFdaError(
            f"The run's recipe is damaged or of another version. Received: {str(run.recipe_file)!r}.",
            cure="Restore the file from a copy, or train again.",
        ) from error
    model = build(config)
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
            cure="Resume the training, or restore the file from a copy.",
        ) from error
    return model


def profile(model: keras.Model) -> dict[str, Any]:
    """The figures of `summary` for a program: per layer and in all, parameters and multiply-accumulates by bits.

    ```python
    from lq_fda import models

    found = models.profile(models.create("tiny"))
    assert found["total"]["macs"]["1"] > found["total"]["macs"]["32"]
    ```
    """
    whole = larq.models.ModelProfile(model)

    def figures(part: larq.models.LayerProfile) -> dict[str, Any]:
        return {
            "parameters": {str(bits): part.weight_count(bits) for bits in part.unique_param_bidtwidths},
            "macs": {str(bits): part.op_count("mac", bits) for bits in part.unique_op_precisions},
        }

    layers = [{"name": layer.name, **figures(layer)} for layer in whole.layer_profiles]
    return {"name": model.name, "layers": layers, "total": figures(whole)}


def summary(model: keras.Model) -> None:
    """Prints Larq's table: 1-bit and 32-bit parameters and multiply-accumulates, layer by layer."""
    larq.models.summary(model)
