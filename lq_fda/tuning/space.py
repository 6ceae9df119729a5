"""What a search may change: fields of a recipe, each with its choices or its range.

model.parts=[]|adjustment|adjustment,excitation     one of these values, written as for `--set`
learning_rate=0.001..0.03:log                       a range; `:log` draws the exponent evenly
model.groups=1..4                                   bounds without a decimal point: whole numbers
learning_rate                                       the range of the default space
default                                             the whole default space
"""

import dataclasses
import itertools
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import keras_tuner

from lq_fda.errors import LqFdaError
from lq_fda.models import RECOMMENDED
from lq_fda.training import Recipe, apply_overrides

DEFAULT = "default"
_EXAMPLE = "Write, say, `learning_rate=0.001..0.03:log`, or `model.parts=adjustment|adjustment,excitation`."
_NUMBER = r"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?"
_RANGE = re.compile(rf"({_NUMBER})\.\.({_NUMBER})(:log)?")
# Trials that differ in these cannot be compared by their validation accuracy, or are not a choice of the recipe's.
_SETTLED = {
    "seed": "a good seed is luck, not a better recipe",
    "epochs": "every trial has the same number",
    "model.binarized": "a float network does not become a 1-bit file",
    **dict.fromkeys(
        ("data", "data.name", "data.data_dir", "data.seed", "data.validation_fraction"),
        "accuracies on different validation images cannot be compared",
    ),
    **dict.fromkeys(("model.classes", "model.input_shape"), "the data set decides it"),
    "model": "name its fields, such as model.parts",
}
_PARTS = "model.parts"
_EXCITATION = "excitation"
_OF_THE_EXCITATION = ("model.groups", "model.reduction")


@dataclasses.dataclass(frozen=True)
class Choice:
    """One of several values, each as `--set` takes it."""

    key: str
    values: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.key}={'|'.join(self.values)}"

    @property
    def samples(self) -> tuple[str, ...]:
        return self.values

    def text(self, value: str) -> str:
        return value


@dataclasses.dataclass(frozen=True)
class Range:
    """A number between two bounds, both included; `log` draws its exponent evenly, `whole` no fractions."""

    key: str
    low: float
    high: float
    log: bool
    whole: bool

    def __str__(self) -> str:
        return f"{self.key}={self.low!r}..{self.high!r}{':log' if self.log else ''}"

    @property
    def samples(self) -> tuple[str, ...]:
        return self.text(self.low), self.text(self.high)

    def text(self, value: float) -> str:
        """Four digits: what is left out decides nothing, and a recipe is read by people."""
        return str(round(value)) if self.whole else f"{value:.4g}"


Dimension = Choice | Range
"""One key of a recipe that a search varies."""


def default_space(recipe: Recipe) -> list[str]:
    """The space that suits a recipe: its layers, its size, and how it is trained.

    ```python
    from lq_fda import training, tuning

    assert "learning_rate=0.001..0.016:log" in tuning.default_space(training.digits_demo())
    ```
    """
    rate = recipe.learning_rate
    counts = range(len(RECOMMENDED) + 1)
    subsets = (",".join(parts) for count in counts for parts in itertools.combinations(RECOMMENDED, count))
    return [
        f"learning_rate={rate / 4:.4g}..{rate * 4:.4g}:log",
        f"warmup_epochs=0.0..{recipe.epochs / 5:.4g}",
        "clip_norm=none|1|5",
        *(["weight_decay=1e-06..0.001:log"] if recipe.optimizer in ("sgd", "adamw") else []),
        *(["distillation.weight=0.1..0.9", "distillation.temperature=1|2|4|8"] if recipe.distillation else []),
        f"{_PARTS}={'|'.join(parts or '[]' for parts in subsets)}",
        "model.groups=1|2|4|8",
        "model.reduction=1|2|4",
        "model.width=0.5|0.75|1|1.25|1.5",
        "model.depth=0.5|1|1.5",
    ]


def parse_space(texts: Sequence[str], recipe: Recipe, *, fixed: Collection[str] = ()) -> list[Dimension]:
    """Reads a search space; see the module's docstring for the forms of a text.

    Args:
        texts: One a dimension.
        recipe: What the dimensions change.
        fixed: Keys that somebody has set by hand: the default space leaves them out.

    Raises:
        LqFdaError: A text has none of the forms, a key is unknown, named twice or nothing to search over, or a value
            is refused by the recipe.

    ```python
    from lq_fda import training, tuning

    space = tuning.parse_space(["learning_rate=0.001..0.03:log", "clip_norm=none|1"], training.digits_demo())
    assert [dimension.key for dimension in space] == ["learning_rate", "clip_norm"]
    ```
    """
    suggested = {text.partition("=")[0]: text for text in default_space(recipe)}
    found: dict[str, Dimension] = {}
    for text in texts:
        if text.strip() == DEFAULT:
            idle = _OF_THE_EXCITATION if _PARTS in fixed and _EXCITATION not in recipe.model.parts else ()
            named = [suggestion for key, suggestion in suggested.items() if key not in (*fixed, *idle)]
        else:
            named = [suggested.get(text.strip(), text)]
        for dimension in map(_parse, named):
            if dimension.key in found:
                raise LqFdaError(
                    f"The search space names a key twice. Received: {dimension.key!r}.", cure="Name it once."
                )
            found[dimension.key] = dimension
    if not found:
        raise LqFdaError(
            f"The search space is empty. Expected at least one key. Received: space={list(texts)}.", cure=_EXAMPLE
        )
    for dimension in found.values():
        _require_fitting(dimension, recipe)
    _require_excitation(found, recipe)
    return list(found.values())


def _parse(text: str) -> Dimension:
    key, equals, values = (part.strip() for part in text.partition("="))
    choices = tuple(value.strip() for value in values.split("|"))
    if bounds := _RANGE.fullmatch(values):
        low, high = (float(bound) for bound in bounds.groups()[:2])
        whole = all(re.fullmatch(r"[-+]?\d+", bound) for bound in bounds.groups()[:2])
        if low < high and (low > 0 or not bounds[3]):
            return Range(key, *((int(low), int(high)) if whole else (low, high)), bool(bounds[3]), whole)
        raise LqFdaError(
            f"The range is empty, or reaches zero where its exponent is drawn. Expected LOW..HIGH with LOW below HIGH, "
            f"and above 0 with :log. Received: {text!r}.",
            cure=_EXAMPLE,
        )
    if not equals or not all(choices) or len(set(choices)) < 2:
        raise LqFdaError(
            f"A dimension of the search space needs a range or several different values. Received: {text!r}.",
            cure=f"{_EXAMPLE} A single value is no search: give it with --set.",
        )
    return Choice(key, choices)


def _require_fitting(dimension: Dimension, recipe: Recipe) -> None:
    if dimension.key in _SETTLED:
        raise LqFdaError(
            f"This key cannot be searched: {_SETTLED[dimension.key]}. Received: {dimension.key!r}.",
            cure="Leave it out of --space; --set gives it to all trials.",
        )
    for value in dimension.samples:
        apply_overrides(recipe, [f"{dimension.key}={value}"])


def _require_excitation(space: Mapping[str, Dimension], recipe: Recipe) -> None:
    """Refuses to vary the excitation's fields where no trial has an excitation."""
    idle = [key for key in _OF_THE_EXCITATION if key in space]
    some = _excited(space[_PARTS]) if _PARTS in space else _EXCITATION in recipe.model.parts
    if idle and not some:
        raise LqFdaError(
            f"This key decides nothing: no trial has an excitation. Expected `excitation` among {_PARTS}. "
            f"Received: {idle[0]!r}.",
            cure="Leave it out of --space, or let some trials have one.",
        )


def _excited(parts: Dimension) -> list[str]:
    """The choices of parts that have an excitation."""
    return [value for value in parts.samples if _EXCITATION in value]


def hyperparameters(space: Sequence[Dimension]) -> keras_tuner.HyperParameters:
    """The space in Keras Tuner's words; groups and reduction count only where there is an excitation."""
    declared = keras_tuner.HyperParameters()
    parts = next((dimension for dimension in space if dimension.key == _PARTS), None)
    for dimension in sorted(space, key=lambda dimension: dimension is not parts):
        if parts is not None and dimension.key in _OF_THE_EXCITATION:
            with declared.conditional_scope(_PARTS, _excited(parts)):
                _declare(declared, dimension)
        else:
            _declare(declared, dimension)
    return declared


def _declare(declared: keras_tuner.HyperParameters, dimension: Dimension) -> None:
    if isinstance(dimension, Choice):
        declared.Choice(dimension.key, list(dimension.values))
    else:
        kind = declared.Int if dimension.whole else declared.Float
        kind(dimension.key, dimension.low, dimension.high, sampling="log" if dimension.log else "linear")


def overrides(space: Sequence[Dimension], values: Mapping[str, Any]) -> list[str]:
    """What Keras Tuner drew, as texts for `training.apply_overrides`."""
    return [
        f"{dimension.key}={dimension.text(values[dimension.key])}" for dimension in space if dimension.key in values
    ]
