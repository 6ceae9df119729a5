"""What to train on: a data set by name, its held-out validation split and its augmentation."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

from lq_fda.errors import LqFdaError

AUGMENTATIONS = ("crop", "flip", "randaugment", "cutout")
"""What may be done to the images of training, in the order in which it is done."""


@dataclass(frozen=True, config=ConfigDict(extra="forbid", strict=True))
class DataConfig:
    """A data set and how training sees it; plain values, so that a recipe can hold it.

    Args:
        name: `"digits"` (scikit-learn's, needs no files), `"folder"` (images as `SPLIT/LABEL/image.png`), or any
            image classification set of TensorFlow Datasets: `"cifar10"`, `"imagenet2012"`, `"name/config:version"`.
        data_dir: The TFDS folder (the one that holds `cifar10/`), or the image folder. `None` is TFDS's own default.
        image_size: Height and width of the network's input; `None` is the set's own size. An image folder
            needs one.
        validation_fraction: The share of each class that is held out of train, above 0 and at most 0.5.
        seed: Decides which images are held out for validation. Order and augmentation have a seed of their own.
        augmentation: Any of `crop`, `flip`, `randaugment`, `cutout`; `None` is what suits the set.
        streaming: Read images from disk in every epoch instead of holding them in memory; `None` decides by size.
        download: Let TFDS download and prepare the set when `data_dir` lacks it.

    Raises:
        LqFdaError: A value is outside its range.
        pydantic.ValidationError: A value has the wrong type, or there is no such field.

    ```python
    from lq_fda.data import DataConfig

    config = DataConfig(name="cifar10", data_dir="~/tensorflow_datasets", augmentation=("crop", "flip", "cutout"))
    ```
    """

    name: str = "digits"
    data_dir: str | None = None
    image_size: int | None = None
    validation_fraction: float = 0.1
    seed: int = 0
    # JSON has lists only, so a list passes for the tuple.
    augmentation: Annotated[tuple[str, ...], Field(strict=False)] | None = None
    streaming: bool | None = None
    download: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.validation_fraction <= 0.5:
            raise LqFdaError(
                "The validation split cannot have this size. Expected a fraction above 0 and at most 0.5. "
                f"Received: validation_fraction={self.validation_fraction}.",
                cure="Choose a fraction such as 0.1.",
            )
        if not 0 <= self.seed < 2**32:
            raise LqFdaError(
                f"The seed is out of range. Expected 0 <= seed < 2**32. Received: seed={self.seed}.",
                cure="Choose a small number such as 0.",
            )
        if self.image_size is not None and not 8 <= self.image_size <= 1024:
            raise LqFdaError(
                f"The image size is out of range. Expected 8 to 1024 pixels. Received: image_size={self.image_size}.",
                cure="Choose a size such as 32 or 224.",
            )
        unknown = [name for name in self.augmentation or () if name not in AUGMENTATIONS]
        if unknown or len(set(self.augmentation or ())) != len(self.augmentation or ()):
            raise LqFdaError(
                f"No such augmentation, or one twice. Expected each of {', '.join(AUGMENTATIONS)} at most once. "
                f"Received: augmentation={list(self.augmentation or ())}.",
                cure="Name augmentations from the list.",
            )

    def images(self) -> dict[str, Any]:
        """What decides which images are in which split, by field: equal for runs that may be compared.

        A set of TFDS is the same wherever it lies; an image folder is known by its place.
        """
        fields = ("name", "image_size", "validation_fraction", "seed")
        folder = {"data_dir": str(Path(self.data_dir or "").expanduser().resolve())} if self.name == "folder" else {}
        return {name: getattr(self, name) for name in fields} | folder
