"""The embedded default: scikit-learn's handwritten digits, real data that needs no download.

1797 images of 8 x 8 pixels with 17 grey levels (E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten
Digits", UCI), enlarged to 32 x 32 RGB so that the CIFAR networks take them.
"""

import numpy as np

from lq_fda.data.preprocessing import resize

SIZE = 32
LABEL_NAMES = tuple("0123456789")


def load_digits() -> tuple[np.ndarray, np.ndarray]:
    """Images, `uint8`, (1797, 32, 32, 3), and labels, `int32`, (1797,)."""
    from sklearn import datasets

    digits = datasets.load_digits()
    grey = np.floor(digits.images * (255 / 16) + 0.5).astype(np.uint8)
    images = np.repeat(grey[..., None], 3, axis=-1)
    return resize(images, SIZE, SIZE), digits.target.astype(np.int32)
