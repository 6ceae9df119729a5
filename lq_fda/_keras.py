"""The one place that decides which Keras: Larq speaks Keras 2, which TensorFlow calls `tf_keras`.

Everything else imports `tf`, `keras` and `larq` from here. TensorFlow reads `TF_USE_LEGACY_KERAS` when
`tf.keras` is first touched, so the variable must be set before that.
"""

import contextlib
import os
import sys
from collections.abc import Iterator

from lq_fda.errors import LqFdaError

if "tensorflow" not in sys.modules:
    os.environ["TF_USE_LEGACY_KERAS"] = "1"

import tensorflow as tf

_keras_module = tf.keras.layers.Layer.__module__
if not _keras_module.startswith("tf_keras."):
    raise LqFdaError(
        "TensorFlow was imported with Keras 3 before lq_fda, and Larq needs Keras 2 (tf_keras). "
        f"Received: tf.keras.layers.Layer from {_keras_module!r}.",
        cure="Import lq_fda before tensorflow, or set the environment variable TF_USE_LEGACY_KERAS=1.",
    )

import larq  # noqa: E402
import tf_keras as keras  # noqa: E402

__all__ = ["keras", "larq", "precision", "tf"]


@contextlib.contextmanager
def precision(policy: str) -> Iterator[None]:
    """Layers made in this context compute in a Keras precision policy; the policy before it comes back."""
    before = keras.mixed_precision.global_policy()
    keras.mixed_precision.set_global_policy(policy)
    try:
        yield
    finally:
        keras.mixed_precision.set_global_policy(before)
