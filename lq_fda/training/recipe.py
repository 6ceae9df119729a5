"""What a training run is, as plain values: the content of `recipe.json`."""

import dataclasses
import json
from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic
from pydantic import ConfigDict, Field, TypeAdapter
from pydantic.dataclasses import dataclass

from lq_fda.artifacts import RunDir, read_json
from lq_fda.data import DataConfig
from lq_fda.errors import LqFdaError
from lq_fda.models import ModelConfig

_CONFIG = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

Count = Annotated[int, Field(ge=1)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(ge=0, lt=1)]


@dataclass(frozen=True, config=_CONFIG)
class DistillationConfig:
    """How much to learn from a teacher, normally the float twin.

    Args:
        teacher: The teacher's run directory.
        weight: The teacher's share of the loss; the labels have the rest.
        temperature: Softens both distributions, so that the small probabilities count.
    """

    teacher: str
    weight: Annotated[float, Field(gt=0, le=1)] = 0.5
    temperature: Positive = 4.0


@dataclass(frozen=True, config=_CONFIG)
class SmallImagesConfig:
    """Progressive resolution: the first epochs see the images at a smaller size, which costs its square less.

    What a convolution learns there holds at the full size; the last epochs should see that, for the statistics of the
    normalizations belong to a size. Howard, fast.ai's entry to DAWNBench, 2018.

    Args:
        size: Height and width of the images in these epochs.
        epochs: How many there are.
    """

    size: Annotated[int, Field(ge=8)]
    epochs: Count


@dataclass(frozen=True, config=_CONFIG)
class Recipe:
    """Everything that decides what a run learns.

    Where it runs (folder, strategy) is no part of it.

    Args:
        model: The network.
        data: The data set.
        epochs: Passes over the training split.
        batch_size: Images a step, over all devices together.
        optimizer: `"bop"` trains the binary kernels with Larq's Bop, and everything else with Adam.
        learning_rate: The highest one: reached after the warm-up, then lowered to zero along a cosine.
        warmup_epochs: Epochs of linear increase from zero.
        momentum: Of SGD.
        nesterov: Of SGD.
        weight_decay: Share of a weight that is taken away at every step, times the learning rate (decoupled, for SGD
            too). Binary kernels and one-dimensional weights (biases, norms, shifts) are spared. For `"sgd"` and
            `"adamw"`; a paper's L2 penalty d for SGD with momentum m has the effect of d / (1 - m) here.
        bop_threshold: How strong the mean gradient must be to flip a binary weight.
        bop_gamma: Rate of that mean; follows the shape of the learning rate.
        clip_norm: The largest norm of all gradients together (Bop's apart); None leaves them alone.
        label_smoothing: Share of the label that is spread over all classes.
        ema: Decay of the running mean of the weights, which is then what is validated and shipped; None ships the
            weights themselves.
        precision: `"mixed_bfloat16"` is fast on new CPUs and GPUs. Weights stay float32, and so does what is shipped.
        small_images: Epochs at the beginning that see smaller images; None has none.
        distillation: A teacher; None learns from the labels alone.
        start: A run directory, the weights of whose best epoch training starts from: the second of two stages, the
            first of which had float weights (model.parts with `float_weights`). None draws random ones.
        seed: Of initial weights, order of images and augmentation.

    Raises:
        pydantic.ValidationError: A value has the wrong type or is out of its range, or there is no such field.

    ```python
    from lq_fda.data import DataConfig
    from lq_fda.models import ModelConfig
    from lq_fda.training import Recipe

    recipe = Recipe(model=ModelConfig(name="tiny"), data=DataConfig(name="digits"), epochs=5, batch_size=64)
    ```
    """

    model: ModelConfig
    data: DataConfig
    epochs: Count
    batch_size: Count
    optimizer: Literal["adam", "sgd", "adamw", "bop"] = "adam"
    learning_rate: Positive = 1e-3
    warmup_epochs: NotNegative = 0.0
    momentum: Share = 0.9
    nesterov: bool = True
    weight_decay: NotNegative = 0.0
    bop_threshold: NotNegative = 1e-8
    bop_gamma: Annotated[float, Field(gt=0, le=1)] = 1e-4
    clip_norm: Positive | None = None
    label_smoothing: Share = 0.0
    ema: Annotated[float, Field(gt=0, lt=1)] | None = None
    precision: Literal["float32", "mixed_bfloat16", "mixed_float16"] = "float32"
    small_images: SmallImagesConfig | None = None
    distillation: DistillationConfig | None = None
    start: str | None = None
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0

    @pydantic.model_validator(mode="after")
    def _choices_agree(self) -> "Recipe":
        if self.warmup_epochs >= self.epochs:
            raise ValueError(
                "`warmup_epochs` must be fewer than `epochs`. "
                f"Received: warmup_epochs={self.warmup_epochs}, epochs={self.epochs}."
            )
        if self.small_images and self.small_images.epochs >= self.epochs:
            raise ValueError(
                "`small_images.epochs` must be fewer than `epochs`: the statistics of the normalizations belong to a "
                f"size. Received: small_images.epochs={self.small_images.epochs}, epochs={self.epochs}."
            )
        if self.weight_decay and self.optimizer not in ("sgd", "adamw"):
            raise ValueError(
                "`weight_decay` needs an optimizer that has it: 'sgd' or 'adamw'. "
                f"Received: optimizer={self.optimizer!r}, weight_decay={self.weight_decay}."
            )
        if self.optimizer == "bop" and not self.model.binarized:
            raise ValueError("`optimizer='bop'` needs binary kernels. Received: model.binarized=False.")
        return self


_ADAPTER = TypeAdapter(Recipe)


def to_values(recipe: Recipe) -> dict[str, Any]:
    """The recipe as values that JSON knows."""
    return _ADAPTER.dump_python(recipe, mode="json")


def from_values(values: dict[str, Any]) -> Recipe:
    """The recipe that `to_values` described.

    Raises:
        LqFdaError: A value has the wrong type or is out of its range, or there is no such key.
    """
    try:
        return _ADAPTER.validate_json(json.dumps(values), strict=True)
    except pydantic.ValidationError as error:
        raise refusal(error) from error


def refusal(error: pydantic.ValidationError, key: str = "") -> LqFdaError:
    """The first complaint of a validation as one sentence with a cure."""
    first = error.errors()[0]
    where = ".".join(part for part in (key, *map(str, first["loc"])) if part)
    if first["type"] == "missing":
        return LqFdaError(f"The recipe is wrong: {where} is missing.", cure=f"Give it a value, too: {where}=VALUE.")
    received = f" Received: {where}={first['input']!r}." if where else ""
    problem = first["msg"].removeprefix("Value error, ").rstrip(".")
    return LqFdaError(
        f"The recipe is wrong: {problem}.{received}", cure="Correct the value; `lq_fda.training.Recipe` has the fields."
    )


def load_recipe(run: RunDir) -> Recipe:
    """The recipe of a run.

    Raises:
        LqFdaError: The folder is no run directory, or its recipe is damaged or of another version.
    """
    return from_values(run.recipe())


def read_recipe(path: Path) -> Recipe:
    """Reads a recipe that somebody wrote: a JSON file like a run's `recipe.json`.

    Raises:
        LqFdaError: The file is missing or no JSON, or the recipe is wrong.
    """
    return from_values(read_json(path))


def float_twin(recipe: Recipe) -> Recipe:
    """The same recipe for the same topology without a sign: the yardstick of the accuracy gap.

    It learns from the labels alone, from random weights, and Adam takes the place of Bop.
    """
    return dataclasses.replace(
        recipe,
        model=dataclasses.replace(recipe.model, binarized=False),
        optimizer="adam" if recipe.optimizer == "bop" else recipe.optimizer,
        distillation=None,
        start=None,
    )
