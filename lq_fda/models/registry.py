"""The networks by name."""

import difflib
from collections.abc import Callable
from typing import Any

import pydantic

from lq_fda._keras import keras
from lq_fda.errors import LqFdaError
from lq_fda.models import quicknet, resnet, vgg
from lq_fda.models.config import ModelConfig

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
