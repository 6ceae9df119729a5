"""What is known about a data set before its files are opened.

The constants of the big sets are the published ones, so that a network's normalization does not depend on which
images were held out. For every other set they are computed from the training split.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """What suits one set.

    Args:
        augmentation: Used when the configuration names none.
        image_size: The input's size when the set's images have no common size.
        crop: The share of the height and width that evaluation looks at.
        mean: Per RGB channel, of pixels scaled to 0..1.
        std: Likewise.
    """

    augmentation: tuple[str, ...] = ("crop", "flip")
    image_size: int | None = None
    crop: float = 1.0
    mean: tuple[float, float, float] | None = None
    std: tuple[float, float, float] | None = None


# A mirrored 2 is no 2, and a mirrored b is a d.
_CHARACTERS = Entry(augmentation=("crop",))
_IMAGENET = Entry(image_size=224, crop=0.875, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))

_ENTRIES = {
    "digits": _CHARACTERS,
    "binary_alpha_digits": _CHARACTERS,
    "emnist": _CHARACTERS,
    "kmnist": _CHARACTERS,
    "mnist": _CHARACTERS,
    "mnist_corrupted": _CHARACTERS,
    "omniglot": _CHARACTERS,
    "svhn_cropped": _CHARACTERS,
    "cifar10": Entry(mean=(0.4914, 0.4822, 0.4465), std=(0.2470, 0.2435, 0.2616)),
    "cifar100": Entry(mean=(0.5071, 0.4865, 0.4409), std=(0.2673, 0.2564, 0.2762)),
    "imagenet2012": _IMAGENET,
    "imagenet2012_subset": _IMAGENET,
    "imagenette": _IMAGENET,
    "imagewang": _IMAGENET,
}


def look_up(name: str) -> Entry:
    """The entry of a set; `name` may carry a configuration and a version."""
    return _ENTRIES.get(name.split("/")[0].split(":")[0], Entry())
