"""Lays out a data set with 100 classes, made from CIFAR-10 where CIFAR-100 cannot be had: pairs of its images.

    python results/cifar10_pairs.py ~/tensorflow_datasets cifar10_pairs
    PAIRS="--recipe cifar10_resnet20_short --set epochs=16 --set model.classes=100 --set data.name=folder
        --set data.data_dir=cifar10_pairs --set data.image_size=32 --set data.augmentation=crop"
    lq-fda train $PAIRS --float-twin --set optimizer=sgd --set learning_rate=0.1 --set weight_decay=0.005 \\
        --output runs/pairs_float
    lq-fda train $PAIRS --set distillation.teacher=runs/pairs_float --output runs/pairs

Each image of CIFAR-10 is in one pair, squeezed to half its width, so that a pair has 32 x 32 pixels again and no image
is in two splits. A pair's class is the ordered pair of the two: `cat_ship` is a cat on the left and a ship on the
right. A pair must not be flipped: that would change its class.
"""

from pathlib import Path
from typing import Annotated

import numpy as np
import tensorflow_datasets as tfds
import typer
from PIL import Image
from rich.progress import track


def pairs(images: np.ndarray, labels: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Images side by side at half their width, and both of their labels; an odd one is left out."""
    order = np.random.default_rng(seed).permutation(len(images))[: len(images) // 2 * 2].reshape(-1, 2)
    count, height, width, channels = images.shape
    columns = images.reshape(count, height, width // 2, 2, channels).mean(axis=3).round().astype(np.uint8)
    return np.concatenate([columns[order[:, 0]], columns[order[:, 1]]], axis=2), labels[order]


def lay_out(
    data_dir: Annotated[Path, typer.Argument(help="The folder of TensorFlow Datasets that holds cifar10/.")],
    output: Annotated[Path, typer.Argument(help="A new folder: 25,000 training and 5,000 test images.")],
) -> None:
    """Writes the pairs as OUTPUT/SPLIT/LEFT_RIGHT/NUMBER.png, the layout of `tfds.ImageFolder`."""
    if output.exists():
        raise typer.BadParameter(f"Expected a folder that is not there yet. Received: {output}.")
    builder = tfds.builder("cifar10", data_dir=data_dir.expanduser())
    names = builder.info.features["label"].names
    for seed, split in enumerate(("train", "test")):
        stored = tfds.as_numpy(builder.as_dataset(split=split, batch_size=-1))
        combined, labels = pairs(stored["image"], stored["label"], seed)
        for left in names:
            for right in names:
                (output / split / f"{left}_{right}").mkdir(parents=True)
        for number, (image, (left, right)) in enumerate(
            track(zip(combined, labels, strict=True), description=split, total=len(combined))
        ):
            Image.fromarray(image).save(output / split / f"{names[left]}_{names[right]}" / f"{number:05}.png")


if __name__ == "__main__":
    typer.run(lay_out)
