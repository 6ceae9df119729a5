"""Augmentation that is a pure function of the image and of explicit random draws.

Nothing here keeps a state, so that an image of an epoch looks the same in every run, whatever ran before it and on
however many threads.
"""

from lq_fda._keras import tf

# The share of the size by which an image may move: 4 pixels of 32, as everyone does on CIFAR.
PADDING = 1 / 8
# Random area and aspect ratio of the crop of large images (Szegedy et al., "Going deeper with convolutions").
_AREA, _ASPECT = (0.08, 1.0), (3 / 4, 4 / 3)


def epoch_key(seed: int, epoch: tf.Tensor) -> tf.Tensor:
    """The root of every draw of an epoch."""
    return tf.stack((tf.constant(seed, tf.int64), tf.cast(epoch, tf.int64)))


def branch(key: tf.Tensor, number: int | tf.Tensor) -> tf.Tensor:
    """An independent key below another one."""
    return tf.random.experimental.stateless_fold_in(key, tf.cast(number, tf.int64))


def branches(key: tf.Tensor, numbers: tf.Tensor) -> tf.Tensor:
    """`branch` for a vector of numbers: (n,) to (n, 2)."""
    first = branch(key, 0)[0]
    return tf.stack((tf.fill(tf.shape(numbers), first), tf.cast(numbers, tf.int64)), axis=1)


def padding_of(size: int) -> int:
    """By how many pixels an image of this height or width may move."""
    return round(size * PADDING)


def crop_and_flip(images: tf.Tensor, offsets: tf.Tensor | None, flips: tf.Tensor | None) -> tf.Tensor:
    """Pads with black, cuts back to the size at an offset, and mirrors, a whole batch in one gather.

    Args:
        images: `uint8`, (batch, height, width, 3).
        offsets: Row and column of the cut in the padded image, (batch, 2); `None` moves nothing.
        flips: Whether to mirror, (batch,); `None` mirrors nothing.
    """
    if offsets is None and flips is None:
        return images
    batch = tf.shape(images)[0]
    height, width = images.shape[1:3]
    rows = tf.tile(tf.range(height)[None], (batch, 1))  # (batch, height)
    columns = tf.tile(tf.range(width)[None], (batch, 1))  # (batch, width)
    if flips is not None:
        columns = tf.where(flips[:, None], width - 1 - columns, columns)
    if offsets is not None:
        down, across = padding_of(height), padding_of(width)
        images = tf.pad(images, ((0, 0), (down, down), (across, across), (0, 0)))
        rows, columns = rows + offsets[:, :1], columns + offsets[:, 1:]
    padded_height, padded_width = images.shape[1:3]
    lines = rows + padded_height * tf.range(batch)[:, None]  # (batch, height): row numbers in the whole batch
    pixels = lines[:, :, None] * padded_width + columns[:, None, :]  # (batch, height, width)
    return tf.gather(tf.reshape(images, (-1, 3)), pixels)


def random_area(encoded: tf.Tensor, key: tf.Tensor, height: int, width: int) -> tf.Tensor:
    """Decodes a random rectangle of an image and resizes it; `float32` of 0 to 255, (height, width, 3)."""
    is_jpeg = tf.io.is_jpeg(encoded)

    def decode_all() -> tf.Tensor:
        return tf.ensure_shape(tf.io.decode_image(encoded, channels=3, expand_animations=False), (None, None, 3))

    # A JPEG is decoded only where it is looked at, which is most of this pipeline's time.
    size = tf.cond(is_jpeg, lambda: tf.io.extract_jpeg_shape(encoded), lambda: tf.shape(decode_all()))
    start, extent, _ = tf.image.stateless_sample_distorted_bounding_box(
        tf.stack((size[0], size[1], 3)),
        tf.zeros((1, 0, 4)),
        seed=key,
        area_range=_AREA,
        aspect_ratio_range=[bound * width / height for bound in _ASPECT],
        use_image_if_no_bounding_boxes=True,
    )
    window = tf.concat((start[:2], extent[:2]), axis=0)
    pixels = tf.cond(
        is_jpeg,
        lambda: tf.io.decode_and_crop_jpeg(encoded, window, channels=3),
        lambda: tf.slice(decode_all(), start, tf.concat((extent[:2], (3,)), axis=0)),
    )
    return tf.ensure_shape(tf.image.resize(pixels, (height, width)), (height, width, 3))
