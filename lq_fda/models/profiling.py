"""What a network consists of, counted by Larq."""

from typing import Any

from lq_fda._keras import keras, larq


def profile(model: keras.Model) -> dict[str, Any]:
    """The figures of `summary` for a program: per layer and in all, parameters and multiply-accumulates by bits.

    ```python
    from lq_fda import models

    found = models.profile(models.create("tiny"))
    assert found["total"]["macs"]["1"] > found["total"]["macs"]["32"]
    ```
    """
    whole = larq.models.ModelProfile(model)

    def figures(part: larq.models.LayerProfile) -> dict[str, Any]:
        return {
            "parameters": {str(bits): part.weight_count(bits) for bits in part.unique_param_bidtwidths},
            "macs": {str(bits): part.op_count("mac", bits) for bits in part.unique_op_precisions},
        }

    layers = [{"name": layer.name, **figures(layer)} for layer in whole.layer_profiles]
    return {"name": model.name, "layers": layers, "total": figures(whole)}


def summary(model: keras.Model) -> None:
    """Prints Larq's table: 1-bit and 32-bit parameters and multiply-accumulates, layer by layer."""
    larq.models.summary(model)
