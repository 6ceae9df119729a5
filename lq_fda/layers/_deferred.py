"""Feature maps that nobody may need to compute.

In training, an elementwise layer returns its map as ever, and notes on the tensor what the map is made of. A layer
behind that can read the note starts from the parts, and does the work of both in one pass over memory; TensorFlow
then drops the map, for nobody reads it. To every other reader the tensor is an ordinary one. Gradients pass the other
way by the same means.
"""

import functools
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from lq_fda._keras import tf
from lq_fda.layers._compiled import compiled, float32


class Affine(NamedTuple):
    """The map gain * x + shift.

    Args:
        x: A map that is in memory, (batch, height, width, channels).
        gain: (1 or batch, 1, 1, channels), float32.
        shift: As `gain`.
        image_mean: The mean of x over every image, (batch, 1, 1, channels), float32.
    """

    x: tf.Tensor
    gain: tf.Tensor
    shift: tf.Tensor
    image_mean: tf.Tensor

    @classmethod
    def identity(cls, x: tf.Tensor) -> "Affine":
        """The map x itself."""
        image_mean = tf.cast(tf.reduce_mean(x, axis=[1, 2], keepdims=True), tf.float32)
        vector = (1, 1, 1, x.shape[-1])
        return cls(x, tf.ones(vector), tf.zeros(vector), image_mean)

    def compute(self) -> tf.Tensor:
        """The map as an ordinary tensor, with this note on it."""
        return _noted(tf.cast(self.gain * tf.cast(self.x, tf.float32) + self.shift, self.x.dtype), self)


class Elementwise(NamedTuple):
    """The map function(*arguments) of float32 arguments, in the dtype of the first one."""

    function: Callable[..., tf.Tensor]
    arguments: tuple[tf.Tensor, ...]

    def compute(self) -> tf.Tensor:
        """The map as an ordinary tensor, with this note on it."""
        return _noted(_computed(self.function)(*self.arguments), self)


@functools.cache
def _computed(function: Callable) -> Callable:
    return compiled(lambda *arguments: tf.cast(function(*float32(*arguments)), arguments[0].dtype))


_Note = TypeVar("_Note", Affine, Elementwise)


def _noted(value: tf.Tensor, note: Affine | Elementwise) -> tf.Tensor:
    value._lq_fda_made_of = note
    return value


def made_of(value: tf.Tensor, kind: type[_Note]) -> _Note | None:
    """What a map is made of, where its layer left a note of this kind."""
    note = getattr(value, "_lq_fda_made_of", None)
    return note if isinstance(note, kind) else None
