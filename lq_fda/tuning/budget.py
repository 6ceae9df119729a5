"""What a network may cost on the device."""

import math
from collections.abc import Sequence

import pydantic
from pydantic import Field

from lq_fda.errors import LqFdaError
from lq_fda.tuning.costs import NetworkCost


class Budget(pydantic.BaseModel):
    """The most that the converted network may cost; None leaves it open.

    Args:
        latency_ms: Median milliseconds an image, one thread, on the machine that runs the trial.
        size_bytes: Of the `.tflite` file.
        macs: Multiply-accumulates an image, binary ones included.
    """

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")

    latency_ms: float | None = Field(default=None, gt=0)
    size_bytes: float | None = Field(default=None, gt=0)
    macs: float | None = Field(default=None, gt=0)

    def excess(self, cost: NetworkCost) -> str:
        """What is over the budget, with what was measured; empty if nothing is.

        ```python
        from lq_fda.tuning import Budget

        assert Budget().limits == {}
        ```
        """
        over = [
            f"{name}={getattr(cost, name):.9g}, at most {limit:.9g}"
            for name, limit in self.limits.items()
            if getattr(cost, name) > limit
        ]
        return "; ".join(over)

    @property
    def limits(self) -> dict[str, float]:
        return self.model_dump(exclude_none=True)


def parse_budget(texts: Sequence[str]) -> Budget:
    """Reads limits of the form `latency_ms=0.5`, `size_bytes=60000` or `macs=40e6`.

    Raises:
        LqFdaError: No such limit, one twice, or no number above zero.

    ```python
    from lq_fda import tuning

    assert tuning.parse_budget(["size_bytes=60e3"]).limits == {"size_bytes": 60000}
    ```
    """
    limits: dict[str, float] = {}
    for text in texts:
        name, _, value = (part.strip() for part in text.partition("="))
        try:
            limit = float(value)
        except ValueError:
            limit = math.nan
        if name not in Budget.model_fields or name in limits or not (math.isfinite(limit) and limit > 0):
            raise LqFdaError(
                f"This is no budget. Expected each of {', '.join(Budget.model_fields)} at most once, with a number "
                f"above zero. Received: {text!r}.",
                cure="Write, say, `--budget latency_ms=0.5 --budget size_bytes=60000`, or leave it out.",
            )
        limits[name] = limit
    return Budget(**limits)
