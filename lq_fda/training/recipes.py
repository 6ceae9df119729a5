"""Recipes by name; each docstring is its lab note."""

import dataclasses
import difflib
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import pydantic

from lq_fda import data
from lq_fda.data import DataConfig
from lq_fda.errors import LqFdaError
from lq_fda.models import ModelConfig
from lq_fda.training.overrides import apply_overrides
from lq_fda.training.recipe import Recipe, SmallImagesConfig, float_twin, refusal

_RECIPES: dict[str, Callable[[], Recipe]] = {}


def _registered(function: Callable[[], Recipe]) -> Callable[[], Recipe]:
    _RECIPES[function.__name__] = function
    return function


def recipe_names() -> list[str]:
    """The recipes that `get_recipe` knows."""
    return sorted(_RECIPES)


def get_recipe(name: str) -> Recipe:
    """A recipe by name.

    Raises:
        LqFdaError: No such recipe.

    ```python
    from lq_fda import training

    assert training.get_recipe("digits_demo").model.name == "tiny"
    ```
    """
    return _function(name)()


def recipe_note(name: str) -> str:
    """A recipe's lab note.

    Raises:
        LqFdaError: No such recipe.
    """
    return inspect.cleandoc(_function(name).__doc__ or "")


def _function(name: str) -> Callable[[], Recipe]:
    if name not in _RECIPES:
        near = difflib.get_close_matches(name, _RECIPES, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise LqFdaError(
            f"No such recipe. Expected one of {', '.join(recipe_names())}. Received: name={name!r}.{hint}",
            cure="Choose a recipe from the list.",
        )
    return _RECIPES[name]


def recipe_for(model: str, dataset: DataConfig, overrides: Sequence[str] = (), **fields: Any) -> Recipe:
    """A recipe for any network on any data set: Adam, a short warm-up, a cosine.

    Opens the data set to learn the number of classes and the size of the images.

    Args:
        model: A name of `lq_fda.models.names()`.
        dataset: The data set.
        overrides: Texts for `apply_overrides`; those of the data hold before the set is opened.
        **fields: Other fields of `Recipe`.

    Raises:
        LqFdaError: The data set cannot be read; a field or key is unknown, has the wrong type or is out of its range.
    """
    draft = _draft(model, dataset, fields)
    opened = data.load(apply_overrides(draft, overrides).data)
    suited = dataclasses.replace(draft.model, classes=opened.classes, input_shape=opened.input_shape)
    return apply_overrides(dataclasses.replace(draft, model=suited), overrides)


def _draft(model: str, dataset: DataConfig, fields: dict[str, Any]) -> Recipe:
    """The recipe without what the data set decides."""
    defaults = {"epochs": 30, "batch_size": 128, "learning_rate": 2e-3, "warmup_epochs": 1.0}
    if fields.get("epochs") == 1:
        defaults["warmup_epochs"] = 0.0
    try:
        return Recipe(model=ModelConfig(name=model), data=dataset, **{**defaults, **fields})
    except pydantic.ValidationError as error:
        raise refusal(error) from error


@_registered
def digits_demo() -> Recipe:
    """The demo: a tiny network on scikit-learn's digits.

    Command:

        lq-fda train --recipe digits_demo --output runs/digits
    """
    return Recipe(
        model=ModelConfig(name="tiny"),
        data=DataConfig(name="digits"),
        epochs=12,
        batch_size=64,
        learning_rate=4e-3,
        warmup_epochs=1.0,
    )


def _cifar(model: str, dataset: str, classes: int) -> Recipe:
    """400 epochs at batch 128, crop and flip, as in the field; optimizer and learning rate are those of our runs."""
    return Recipe(
        model=ModelConfig(name=model, classes=classes),
        data=DataConfig(name=dataset),
        epochs=400,
        batch_size=128,
        optimizer="adamw",
        learning_rate=1e-2,
        warmup_epochs=5.0,
        weight_decay=1e-4,
        precision="mixed_bfloat16",
    )


@_registered
def cifar10_resnet20() -> Recipe:
    """ResNet-20 on CIFAR-10 in 400 epochs: the field's small benchmark, for a GPU.

    Commands, the twin first:

        lq-fda train --recipe cifar10_resnet20 --float-twin --set optimizer=sgd --set learning_rate=0.1 \\
            --set weight_decay=0.005 --set data.data_dir=DIR --output runs/resnet20_float
        lq-fda train --recipe cifar10_resnet20 --set distillation.teacher=runs/resnet20_float \\
            --set data.data_dir=DIR --output runs/resnet20

    Hardware: a GPU with bfloat16. Hours, accuracy: not yet run; `cifar10_resnet20_long` is, with 60 epochs.
    Published for 1W/1A: IR-Net 86.5, ReCU 87.5, AdaBin 88.2, IE-Net 88.5; float 92.1.
    """
    return _cifar("resnet20", "cifar10", 10)


@_registered
def cifar10_resnet20_short() -> Recipe:
    """ResNet-20 on CIFAR-10 in 8 epochs: the budget at which blocks are compared with each other on a CPU.

    Command:

        lq-fda ablate --recipe cifar10_resnet20_short --set data.data_dir=DIR --seeds 0,1,2 --output DIR

    Hardware: 2 cores of an AMD EPYC with bfloat16 instructions, 5 to 35 minutes a run, with other work beside it.
    The learning rate was chosen on validation in runs of 4 epochs, for the plain block and for all three parts alike:
    0.002, 0.005 and 0.01 gave 58.1, 63.8 and 65.7 % with the plain block, 64.8, 69.3 and 71.3 % with all parts.
    """
    return dataclasses.replace(cifar10_resnet20(), epochs=8, warmup_epochs=0.5)


@_registered
def cifar10_resnet20_long() -> Recipe:
    """ResNet-20 on CIFAR-10 in 60 epochs, the float twin as teacher: an hour on a CPU, and another for the twin.

    Commands, the twin first:

        lq-fda train --recipe cifar10_resnet20_long_float --set data.data_dir=DIR --output runs/long/resnet20_float
        lq-fda train --recipe cifar10_resnet20_long --set distillation.teacher=runs/long/resnet20_float \\
            --set data.data_dir=DIR --output runs/long/resnet20

    Hardware: 2 cores of an AMD EPYC with bfloat16 instructions, 57 minutes.
    Accuracy: 88.38 % on validation, 87.16 % on test (seed 0, epoch 58 of 60).
    """
    return dataclasses.replace(cifar10_resnet20_short(), epochs=60, warmup_epochs=1.0)


@_registered
def cifar10_resnet20_long_float() -> Recipe:
    """The float twin of `cifar10_resnet20_long`, with the optimizer that was best for it.

    Command:

        lq-fda train --recipe cifar10_resnet20_long_float --set data.data_dir=DIR --output runs/long/resnet20_float

    Hardware: 2 cores of an AMD EPYC with bfloat16 instructions, 67 minutes.
    Accuracy: 90.86 % on validation, 89.63 % on test (seed 0, epoch 57 of 60).
    """
    return _float_by_sgd(cifar10_resnet20_long())


def _float_by_sgd(recipe: Recipe) -> Recipe:
    """A twin that is not held back: of what docs/accuracy.md lists, float networks learned best from this."""
    return dataclasses.replace(float_twin(recipe), optimizer="sgd", learning_rate=0.1, weight_decay=5e-3)


@_registered
def cifar10_resnet18() -> Recipe:
    """ResNet-18 on CIFAR-10 in 400 epochs, for a GPU.

    Command; the twin, and learning from it, as for `cifar10_resnet20`:

        lq-fda train --recipe cifar10_resnet18 --set data.data_dir=DIR --output runs/resnet18

    Hardware: a GPU with bfloat16. Hours, accuracy: not yet run.
    Published for 1W/1A: IR-Net 91.5, ReCU 92.8, AdaBin 93.1, BiPer 93.75; float 94.8.
    """
    return _cifar("resnet18", "cifar10", 10)


@_registered
def cifar10_resnet18_short() -> Recipe:
    """ResNet-18 on CIFAR-10 in 16 epochs, 8 of them at 24 x 24 pixels, with the float twin as teacher.

    Commands, the twin first:

        lq-fda train --recipe cifar10_resnet18_short_float --set data.data_dir=DIR --output runs/long/resnet18_float
        lq-fda train --recipe cifar10_resnet18_short --set distillation.teacher=runs/long/resnet18_float \\
            --set data.data_dir=DIR --output runs/long/resnet18

    Hardware: 2 cores of an AMD EPYC with bfloat16 instructions, 133 minutes beside other work.
    Accuracy: 90.88 % on validation, 90.83 % on test (seed 0, epoch 16 of 16).
    """
    small = SmallImagesConfig(size=24, epochs=8)
    return dataclasses.replace(cifar10_resnet18(), epochs=16, warmup_epochs=1.0, small_images=small)


@_registered
def cifar10_resnet18_short_float() -> Recipe:
    """The float twin of `cifar10_resnet18_short`.

    Command:

        lq-fda train --recipe cifar10_resnet18_short_float --set data.data_dir=DIR --output runs/long/resnet18_float

    Hardware: 2 cores of an AMD EPYC with bfloat16 instructions, 66 minutes.
    Accuracy: 91.32 % on validation, 90.96 % on test (seed 0, epoch 15 of 16).
    """
    return _float_by_sgd(cifar10_resnet18_short())


@_registered
def cifar10_vgg_small() -> Recipe:
    """VGG-Small on CIFAR-10 in 400 epochs, for a GPU.

    Command; the twin, and learning from it, as for `cifar10_resnet20`:

        lq-fda train --recipe cifar10_vgg_small --set data.data_dir=DIR --output runs/vgg_small

    Hardware: a GPU with bfloat16. Hours, accuracy: not yet run.
    """
    return _cifar("vgg_small", "cifar10", 10)


@_registered
def cifar100_resnet18() -> Recipe:
    """ResNet-18 on CIFAR-100 in 400 epochs, for a GPU.

    Command; the twin, and learning from it, as for `cifar10_resnet20`:

        lq-fda train --recipe cifar100_resnet18 --set data.data_dir=DIR --output runs/cifar100_resnet18

    Hardware: a GPU with bfloat16. Hours, accuracy: not yet run.
    """
    return _cifar("resnet18", "cifar100", 100)


@_registered
def imagenet_resnet18() -> Recipe:
    """ResNet-18 on ImageNet in 120 epochs, for a machine with several GPUs.

    Command:

        lq-fda train --recipe imagenet_resnet18 --strategy mirrored --set data.data_dir=DIR --output runs/imagenet

    Hardware: GPUs with bfloat16. Hours, accuracy: not yet run.
    """
    return Recipe(
        model=ModelConfig(name="resnet18_imagenet", classes=1000, input_shape=(224, 224, 3)),
        data=DataConfig(name="imagenet2012", image_size=224),
        epochs=120,
        batch_size=512,
        optimizer="adamw",
        learning_rate=2e-3,
        warmup_epochs=5.0,
        weight_decay=1e-5,
        label_smoothing=0.1,
        precision="mixed_bfloat16",
    )
