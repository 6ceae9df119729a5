"""From a configuration to a data set: finds the files, divides the images, and derives the preprocessing."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lq_fda.artifacts import Preprocessing
from lq_fda.data import digits
from lq_fda.data.cache import remembered
from lq_fda.data.catalog import Entry, look_up
from lq_fda.data.config import DataConfig
from lq_fda.data.dataset import Dataset, Split
from lq_fda.data.pools import MemoryPool, Pool, StreamingPool, load_images
from lq_fda.data.preprocessing import resize, specification
from lq_fda.data.reading import reading
from lq_fda.data.sources import Source, open_source
from lq_fda.data.splits import TEST_FRACTION, TEST_SEED, hold_out
from lq_fda.errors import LqFdaError

# Larger sets stay on disk.
IN_MEMORY_BYTES = 1 << 30
# How many images of a streamed set its mean and deviation are computed from.
_STATISTICS_IMAGES = 2048
_VALIDATION_NAMES = ("validation", "val", "valid")


@dataclass(frozen=True)
class _Opened:
    """A set as it lies on disk: its own splits, before anything is held out."""

    name: str
    folder: str | None
    label_names: tuple[str, ...]
    size: Preprocessing
    splits: dict[str, Split]
    # Wraps a computation on train whose result is to be kept.
    remember: Callable[[Callable[[], np.ndarray]], np.ndarray] | None = None


def load(config: DataConfig) -> Dataset:
    """Opens a data set.

    The splits are the set's own where it has them: a labelled test split, and a validation split beside it. A set
    whose only second split is called validation (`imagenet2012`, whose test labels are secret) is tested on it. What
    is missing is held out of train, stratified by class: first the test split, the same fifth for every
    configuration, then the validation split, by `validation_fraction` and `seed`.

    Grayscale images become RGB. Images of small sets are held in memory, decoded when they are first needed; larger
    sets stream from disk.

    Args:
        config: Which set, and how training sees it.

    Raises:
        LqFdaError: The set is unknown, absent, damaged, not for classification, or has a class that is too small.

    ```python
    from lq_fda import data

    digits = data.load(data.DataConfig(name="digits", seed=1))
    assert sum(digits.sizes.values()) == 1797
    ```
    """
    entry = look_up(config.name)
    opened = _open_digits(config) if config.name == "digits" else _open_files(config, entry)
    splits = _hold_out_missing(opened.splits, config, opened.label_names)
    if entry.mean is not None and entry.std is not None:
        mean, std = entry.mean, entry.std
    else:
        mean, std = _mean_and_deviation(splits["train"], opened)
    return Dataset(
        name=opened.name,
        folder=opened.folder,
        label_names=opened.label_names,
        preprocessing=specification(opened.size.height, opened.size.width, mean=mean, std=std, crop=entry.crop),
        augmentation=entry.augmentation if config.augmentation is None else config.augmentation,
        seed=config.seed,
        splits=splits,
    )


def _open_digits(config: DataConfig) -> _Opened:
    pixels, labels = digits.load_digits()
    size = _size(config.image_size or digits.SIZE, config.image_size or digits.SIZE)
    pool = MemoryPool(labels, lambda: resize(pixels, size.height, size.width))
    split = Split(pool, np.arange(len(labels)))
    return _Opened(config.name, None, digits.LABEL_NAMES, size, {"train": split})


def _open_files(config: DataConfig, entry: Entry) -> _Opened:
    source = open_source(config)
    size = _input_size(config, source, entry)
    names = {"train": "train", "validation": next(filter(source.sizes.get, _VALIDATION_NAMES), None), "test": "test"}
    names = {split: name for split, name in names.items() if source.sizes.get(name)}
    streaming = config.streaming
    if streaming is None:
        images = sum(source.sizes[name] for name in names.values())
        streaming = images * size.height * size.width * 3 > IN_MEMORY_BYTES

    def pool(name: str) -> Pool:
        labels = _labels(source, name, keep=streaming)
        if streaming:
            return StreamingPool(source, name, labels, size)
        return MemoryPool(labels, lambda: load_images(source, name, size))

    pools = {split: pool(name) for split, name in names.items()}
    if "train" not in pools:
        raise LqFdaError(
            f"The data set has no training images. Expected a split named 'train'. "
            f"Received: name={config.name!r} with splits {sorted(source.sizes)}.",
            cure="Choose another data set.",
        )
    # A competition keeps the labels of its test split and publishes -1.
    if "test" in pools and (pools["test"].labels == -1).all():
        del pools["test"]
    if "test" not in pools and "validation" in pools:
        pools["test"] = pools.pop("validation")
    for split, checked in pools.items():
        _check_labels(checked.labels, source, split)

    def remember(compute: Callable[[], np.ndarray]) -> np.ndarray:
        held_out = [config.validation_fraction, config.seed, sorted(pools)]
        shape = [size.height, size.width, size.crop]
        question = {"what": "histogram", **source.fingerprint("train"), "held_out": held_out, "shape": shape}
        return remembered(question, compute)

    splits = {split: Split(pool, np.arange(len(pool.labels))) for split, pool in pools.items()}
    return _Opened(source.name, source.folder, source.label_names, size, splits, remember if streaming else None)


def _input_size(config: DataConfig, source: Source, entry: Entry) -> Preprocessing:
    if config.image_size is not None:
        return _size(config.image_size, config.image_size, entry.crop)
    if source.image_shape is not None:
        return _size(*source.image_shape, entry.crop)
    if entry.image_size is not None:
        return _size(entry.image_size, entry.image_size, entry.crop)
    raise LqFdaError(
        f"The images have no common size. Expected image_size. Received: name={config.name!r}, image_size=None.",
        cure="Set image_size to the network's input size, such as 32 or 224.",
    )


def _size(height: int, width: int, crop: float = 1.0) -> Preprocessing:
    """The geometry, before mean and deviation are known."""
    return Preprocessing(height=height, width=width, crop=crop, scale=(1.0, 1.0, 1.0), offset=(0.0, 0.0, 0.0))


def _labels(source: Source, split: str, *, keep: bool) -> np.ndarray:
    """Every label of a split; `keep` remembers them, because a large set takes minutes to read."""
    with reading(source.name, source.folder):
        if keep:
            return remembered({"what": "labels", **source.fingerprint(split)}, lambda: source.labels(split))
        return source.labels(split)


def _check_labels(labels: np.ndarray, source: Source, split: str) -> None:
    classes = len(source.label_names)
    if classes < 2:
        raise LqFdaError(
            f"This is no classification set. Expected at least 2 classes. "
            f"Received: name={source.name!r} with {classes} ({', '.join(source.label_names)}).",
            cure="Add images of another class, or choose another data set.",
        )
    if labels.min() < 0 or labels.max() >= classes:
        raise LqFdaError(
            f"The labels do not fit the number of classes. Expected labels from 0 to {classes - 1}. "
            f"Received: {labels.min()} to {labels.max()} in split {split!r} of {source.name!r}.",
            cure="Prepare the data set again, with one label name a class.",
        )


def _hold_out_missing(splits: dict[str, Split], config: DataConfig, label_names: tuple[str, ...]) -> dict[str, Split]:
    """Takes out of train what the set does not have of its own."""
    splits = dict(splits)
    for what, fraction, seed in (
        ("test", TEST_FRACTION, TEST_SEED),
        ("validation", config.validation_fraction, config.seed),
    ):
        if what not in splits:
            train = splits["train"]
            kept, held = hold_out(train.labels, fraction, seed=seed, label_names=label_names, what=what)
            splits["train"], splits[what] = train.subset(kept), train.subset(held)
    return splits


def _mean_and_deviation(train: Split, opened: _Opened) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Per channel, of pixels scaled to 0..1; from counts, so that the order of the sum cannot matter."""
    if opened.remember is None:
        counts = _histogram(train)
    else:
        some = train.subset(np.arange(len(train.members))[:_STATISTICS_IMAGES])
        counts = opened.remember(lambda: _histogram(some))
    values = np.arange(256) / 255
    total = counts.sum(axis=1)
    mean = counts @ values / total
    variance = counts @ values**2 / total - mean**2
    # A channel with a single value has nothing to scale; one grey level is the smallest deviation that means anything.
    deviation = np.sqrt(np.maximum(variance, 1 / 255**2))
    return tuple(mean.tolist()), tuple(deviation.tolist())


def _histogram(split: Split) -> np.ndarray:
    """How often each byte occurs in each channel: (3, 256)."""
    counts = np.zeros((3, 256), np.int64)
    for start in range(0, len(split.members), 4096):
        pixels = split.pool.sample(split.members[start : start + 4096])
        for channel in range(3):
            counts[channel] += np.bincount(pixels[..., channel].ravel(), minlength=256)
    return counts
