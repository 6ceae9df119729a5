"""Elementwise clusters that XLA compiles for training: one pass over memory instead of one for every operator.

Inference, and thereby conversion, never takes these paths: LCE and LiteRT have fusions of their own. Inside a cluster
all arithmetic is in float32, whatever the dtype of the maps.
"""

from collections.abc import Callable, Sequence

from lq_fda._keras import tf

_MOST_SLICES = 8


def compiled(function: Callable) -> Callable:
    """Compiles an elementwise function with XLA, once for every shape and dtype."""
    return tf.function(function, jit_compile=True, autograph=False)


def float32(*maps: tf.Tensor) -> list[tf.Tensor]:
    """The maps in the dtype that clusters compute in."""
    return [tf.cast(map_, tf.float32) for map_ in maps]


def image_sums(terms: Callable, maps: Sequence[tf.Tensor]) -> list[tf.Tensor]:
    """Sums what `terms` makes of some maps over the pixels of every image, inside a cluster.

    XLA's CPU backend does not fuse a computation into the reduction of it: the computed maps would go to memory first.
    A sum of a few slices is elementwise, and what is left to reduce is that much smaller.

    Args:
        terms: Elementwise; the maps in float32 -> maps of the same shape.
        maps: (batch, height, width, channels).

    Returns:
        (batch, 1, 1, channels) for every term.
    """
    rows = maps[0].shape[1] or 1
    slices = max(count for count in range(1, _MOST_SLICES + 1) if rows % count == 0)
    parts = [terms(*part) for part in zip(*(tf.split(map_, slices, axis=1) for map_ in float32(*maps)), strict=True)]
    return [tf.reduce_sum(tf.add_n(term), axis=[1, 2], keepdims=True) for term in zip(*parts, strict=True)]


def total(sums: tf.Tensor, like: tf.Tensor) -> tf.Tensor:
    """The gradient of a (1 or batch, 1, 1, channels) tensor from that of every image."""
    return tf.reduce_sum(sums, axis=0, keepdims=True) if like.shape[0] == 1 else sums
