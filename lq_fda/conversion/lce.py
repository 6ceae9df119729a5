"""A Keras model to a `.tflite` file with Larq Compute Engine's binary operators."""

from lq_fda._keras import keras
from lq_fda.conversion.saved_model import convert_or_explain, saved_model
from lq_fda.runtimes import compact


def to_lce(model: keras.Model) -> bytes:
    """Converts a network for LCE: float32 in and out, one image at a time.

    Fold it first (`fold`), and look at what became of its layers (`report`).

    Raises:
        LqFdaError: The network does not take one image of known size, or LCE fails.

    ```python
    from lq_fda import conversion, models

    content = conversion.to_lce(conversion.fold(models.create("tiny")))
    assert content[4:8] == b"TFL3"
    ```
    """
    import larq_compute_engine

    with saved_model(model) as folder:
        return compact(convert_or_explain("LCE's converter", lambda: larq_compute_engine.convert_saved_model(folder)))
