"""What a device may say: lines of JSON of known kinds, bounded in length, without anything that a terminal obeys."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

import pydantic
from pydantic import Field

from lq_fda.artifacts import BenchmarkRecord, parse_json
from lq_fda.errors import LqFdaError, printable, reason


class _Message(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Machine(_Message):
    """What the device is."""

    kind: Literal["device"]
    system: str = Field(max_length=100)
    machine: str = Field(max_length=100)
    bits: int
    python: tuple[int, int, int]


class Want(_Message):
    """Whether it wants the job's files, or has them from an earlier connection."""

    kind: Literal["want"]
    files: bool


class Stage(_Message):
    """What it does now."""

    kind: Literal["stage"]
    text: str = Field(max_length=100)


class Progress(_Message):
    """How many rounds of how many are done."""

    kind: Literal["progress"]
    done: int = Field(ge=0)
    total: int = Field(ge=1)


class Record(_Message):
    """A result."""

    kind: Literal["record"]
    record: BenchmarkRecord


class Failure(_Message):
    """Why there will be no more."""

    kind: Literal["error"]
    problem: str = Field(max_length=2000)
    cure: str = Field(max_length=2000)


class Sign(_Message):
    """Without content: still there; all said; all removed."""

    kind: Literal["alive", "end", "forgotten"]


Message = Machine | Want | Stage | Progress | Record | Failure | Sign
_MESSAGES = pydantic.TypeAdapter(Annotated[Message, Field(discriminator="kind")])


def parse_message(line: bytes) -> Message:
    """Reads a line that a device sent.

    ```python
    from lq_fda.benchmarking.devices.messages import parse_message

    assert parse_message(b'{"kind": "progress", "done": 3, "total": 8}').total == 8
    ```

    Raises:
        LqFdaError: It is no message, or holds what is no printable text.
    """
    return _checked(line, _MESSAGES)


def parse_record(line: bytes) -> BenchmarkRecord:
    """Reads a line of a file of records that a device wrote.

    Raises:
        LqFdaError: It is no record, or holds what is no printable text.
    """
    return _checked(line, pydantic.TypeAdapter(BenchmarkRecord))


def _checked(line: bytes, adapter: pydantic.TypeAdapter) -> Any:
    try:
        value = parse_json(line)
        for text in _texts(value):
            if not text.isprintable():
                raise ValueError(f"control characters in {text[:60]!r}")
        return adapter.validate_python(value)
    except pydantic.ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise refused(line, f"{first['msg']} at {'.'.join(map(str, first['loc'])) or 'its top'}") from error
    except (ValueError, RecursionError) as error:
        raise refused(line, reason(error)) from error


def refused(line: bytes, why: str) -> LqFdaError:
    """The error for what a device should not have sent."""
    shown = printable(line[:80].decode("utf-8", "replace"))
    return LqFdaError(
        f"The device sent what is no message of lq-fda. Received: {shown!r} ({printable(why)[:300]}).",
        cure="See that the device is the one that you mean, and that it runs this version.",
    )


def _texts(value: Any) -> Iterator[str]:
    """The keys and texts in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
