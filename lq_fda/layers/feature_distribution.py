"""Feature distribution adjustment: put the values where the sign loses least."""

from typing import Any

from lq_fda._keras import keras, tf
from lq_fda.layers._checks import channels_of
from lq_fda.layers.normalization import MergingBatchNormalization


@keras.utils.register_keras_serializable(package="lq_fda")
class AtLeast(keras.constraints.Constraint):
    """Keeps every weight at or above a floor.

    Args:
        floor: The smallest value allowed.
    """

    def __init__(self, floor: float):
        self.floor = floor

    def __call__(self, weights: tf.Tensor) -> tf.Tensor:
        return tf.maximum(weights, tf.cast(self.floor, weights.dtype))

    def get_config(self) -> dict[str, Any]:
        return {"floor": self.floor}


@keras.utils.register_keras_serializable(package="lq_fda")
class FeatureDistributionAdjustment(MergingBatchNormalization):
    """Normalizes every channel and moves it to a learned place before it is binarized.

    Put it in front of a binary convolution. The mean decides how many activations become +1 (a channel that is all
    +1 carries nothing), the variance how many fall inside the straight-through window |x'| <= 1, where the gradient
    passes:

        x'_c = gamma_c (x_c - mu_c) / sqrt(var_c + epsilon) + beta_c,  gamma_c > 0

    `mu` and `var` are batch statistics in training and moving statistics at inference.

    This is our reading of "feature distribution adjustment" in Liu and Chen, Control and Decision 39(6):1840-1848,
    2024 (DOI 10.13195/j.kzyjc.2022.1945), of which the abstract alone is public.

    **On device:** gamma is positive, so sign(x') depends on one threshold per channel,
    tau = mu - beta sqrt(var + epsilon) / gamma. Conversion folds the layer to one ADD of -tau. A consumer that is
    neither a sign nor a `GroupExcitation` blocks that, and the layer becomes MUL and ADD.

    Args:
        momentum: Share of the old moving statistics that stays at every step.
        epsilon: Added to the variance.
        gamma_floor: The smallest gamma; positive, so that the sign never flips.

    Input shape: (batch, height, width, channels), any height and width.

    Output shape: the same.

    Raises:
        TypeError: An argument of Keras's BatchNormalization that is fixed here, such as `axis`.
        ValueError: The input is not a feature map, or `gamma_floor` is not positive.

    ```python
    import numpy as np
    from lq_fda.layers import FeatureDistributionAdjustment

    adjusted = FeatureDistributionAdjustment()(np.random.rand(8, 4, 4, 16).astype("float32"), training=True)
    assert abs(float(adjusted.numpy().mean())) < 1e-4
    ```
    """

    def __init__(self, momentum: float = 0.9, epsilon: float = 1e-5, gamma_floor: float = 1e-2, **kwargs: Any):
        if not gamma_floor > 0:
            raise ValueError(
                f"FeatureDistributionAdjustment needs a positive `gamma_floor`. Received: gamma_floor={gamma_floor}."
            )
        super().__init__(momentum, epsilon, **kwargs)
        self.gamma_constraint = AtLeast(gamma_floor)
        self.gamma_floor = gamma_floor

    def build(self, input_shape: tf.TensorShape) -> None:
        channels_of("FeatureDistributionAdjustment", input_shape)
        super().build(input_shape)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "gamma_floor": self.gamma_floor}
