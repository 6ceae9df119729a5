"""Files run by the runtime as it is installed."""

from collections.abc import Callable

import numpy as np
import pytest
from lq_fda_runtime import Interpreter
from lq_fda_runtime.delegate import available_isas


@pytest.fixture(scope="session")
def isas() -> tuple[str, ...]:
    """The instruction sets that the library has and this processor runs."""
    return available_isas()


@pytest.fixture(scope="session")
def run_file() -> Callable[..., np.ndarray]:
    """Runs a file on one input in LiteRT with the delegate; options are those of `lq_fda_runtime.Interpreter`."""

    def run(content: bytes, image: np.ndarray, **options) -> np.ndarray:
        interpreter = Interpreter(model_content=content, **options)
        interpreter.allocate_tensors()
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], image)
        interpreter.invoke()
        return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])

    return run
