"""A Keras model to a `.tflite` file with Larq Compute Engine's binary operators."""

import importlib.util

from lq_fda._keras import keras
from lq_fda.conversion.saved_model import convert_or_explain, saved_model
from lq_fda.errors import LqFdaError
from lq_fda.runtimes import compact


def require_lce() -> None:
    """Refuses a machine without Larq Compute Engine's converter.

    Raises:
        LqFdaError: It is not installed.
    """
    if importlib.util.find_spec("larq_compute_engine") is None:
        raise LqFdaError(
            "Larq Compute Engine, whose converter makes the 1-bit file, is not installed; it has wheels for x86_64 "
            "Linux and arm64 macOS only. Received: no package larq_compute_engine.",
            cure="Train with `lq-fda train`, copy the run directory to such a machine, and convert it there.",
        )


def to_lce(model: keras.Model) -> bytes:
    """Converts a network for LCE: float32 in and out, one image at a time.

    Fold it first (`fold`), and look at what became of its layers (`report`).

    Raises:
        LqFdaError: LCE is not installed or fails, or the network does not take one image of known size.

    ```python
    from lq_fda import conversion, models

    content = conversion.to_lce(conversion.fold(models.create("tiny")))
    assert content[4:8] == b"TFL3"
    ```
    """
    require_lce()
    import larq_compute_engine

    with saved_model(model) as folder:
        return compact(convert_or_explain("LCE's converter", lambda: larq_compute_engine.convert_saved_model(folder)))
