"""`key=value` on a command line: changes to a recipe, refused where they make no sense."""

import dataclasses
import difflib
import json
import types
from collections.abc import Iterator, Sequence
from typing import Any, Union, get_args, get_origin, get_type_hints

import pydantic
from pydantic import TypeAdapter

from lq_fda.errors import LqFdaError
from lq_fda.training.recipe import Recipe, from_values, refusal, to_values

_DEEPEST = 100
_WORDS = {"none": None, "true": True, "false": False}  # Upper or lower case.


def apply_overrides(recipe: Recipe, overrides: Sequence[str]) -> Recipe:
    """Changes fields of a recipe by their dotted names.

    Values are JSON; quotes around a string and brackets around a list may be left out, and `None`, `True` and `False`
    are understood. Fewer epochs shorten the warm-up in proportion, and another image size is also the network's, unless
    they are given, too.

    Args:
        recipe: Stays as it is.
        overrides: Texts of the form `key=value`, such as `epochs=20` or `data.seed=3`.

    Raises:
        LqFdaError: No such key, a value of the wrong type or out of its range, or no `=`.

    ```python
    from lq_fda import training

    recipe = training.apply_overrides(training.digits_demo(), ["epochs=3", "model.parts=adjustment,excitation"])
    assert recipe.epochs == 3
    ```
    """
    values = to_values(recipe)
    changed = set()
    for text in overrides:
        key, equals, value = text.partition("=")
        if not equals:
            raise LqFdaError(
                f"An override must have the form key=value. Received: {text!r}.", cure="Write, say, `epochs=20`."
            )
        _assign(values, key.strip(), _parse(key.strip(), value.strip()))
        changed.add(key.strip())
    if "warmup_epochs" not in changed and values["epochs"] < recipe.epochs:
        values["warmup_epochs"] *= values["epochs"] / recipe.epochs
    size = values["data"].get("image_size")
    if size not in (None, recipe.data.image_size) and not changed & {"model", "model.input_shape"}:
        values["model"]["input_shape"] = _resized(recipe.model.input_shape, size)
    return from_values(values)


def _resized(shape: tuple[int | None, int | None, int], size: int) -> list[int | None]:
    """The shape of square images; a height or width that the network leaves open stays so."""
    height, width, channels = shape
    return [height and size, width and size, channels]


def override_keys() -> list[str]:
    """Every key that `apply_overrides` knows."""
    return list(_keys(Recipe))


def _keys(kind: type, prefix: str = "") -> Iterator[str]:
    for name, hint in _hints(kind).items():
        yield prefix + name
        if nested := _nested(hint):
            yield from _keys(nested, f"{prefix}{name}.")


def _hints(kind: type) -> dict[str, Any]:
    hints = get_type_hints(kind, include_extras=True)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind)}


def _nested(hint: Any) -> type | None:
    """The dataclass that a field holds, be it optional or not."""
    options = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    return next((option for option in options if dataclasses.is_dataclass(option)), None)


def _hint(key: str) -> Any:
    hint: Any = Recipe
    for part in key.split("."):
        kind = _nested(hint)
        hints = _hints(kind) if kind else {}
        if part not in hints:
            raise _unknown(key)
        hint = hints[part]
    return hint


def _unknown(key: str) -> LqFdaError:
    keys = override_keys()
    last = key.rpartition(".")[2]
    near = [known for known in keys if known.rpartition(".")[2] == last] or difflib.get_close_matches(key, keys, n=3)
    expected = f"Did you mean {' or '.join(near)}?" if near else f"Expected one of {', '.join(keys)}."
    return LqFdaError(f"The recipe has no such key. Received: {key!r}.", cure=expected)


def _parse(key: str, text: str) -> Any:
    """The first reading of the text that fits the field: JSON, a word of Python, a string, a list."""
    adapter = TypeAdapter(_hint(key))
    word = [_WORDS[text.lower()]] if text.lower() in _WORDS else []
    items = [item.strip() for item in text.split(",") if item.strip()]
    failures = []
    for reading in [*_json(text), *word, text, *_json(f"[{text}]"), items]:
        try:
            adapter.validate_json(json.dumps(reading), strict=True)
            return reading
        except pydantic.ValidationError as error:
            failures.append(error)
        except LqFdaError:
            return reading  # right type, wrong range: the whole recipe complains with the field's own words
    # The complaint about an item of a list says more than that a text is no list.
    raise refusal(max(failures, key=lambda error: len(error.errors()[0]["loc"])), key)


def _json(text: str) -> list[Any]:
    """What the text says as JSON, if it is JSON, and not nested so deeply that Python gives up on it."""
    if text.count("[") + text.count("{") > _DEEPEST:
        return []
    try:
        return [json.loads(text)]
    except ValueError:
        return []


def _assign(values: dict[str, Any], key: str, value: Any) -> None:
    *path, last = key.split(".")
    for part in path:
        values[part] = values[part] or {}
        values = values[part]
    values[last] = value
