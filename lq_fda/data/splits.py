"""Which image belongs to which split: stratified, seeded, and the same on every machine.

`numpy.random.RandomState` is used on purpose: numpy promises that its stream never changes (NEP 19), so a later
version cannot move a validation image into train.
"""

from collections.abc import Sequence

import numpy as np

from lq_fda.errors import LqFdaError

# The held-out test split of a set without one: the same for every configuration, so that results compare.
TEST_FRACTION = 0.2
TEST_SEED = 0


def hold_out(
    labels: np.ndarray, fraction: float, *, seed: int, label_names: Sequence[str], what: str
) -> tuple[np.ndarray, np.ndarray]:
    """Divides the images of a split into those that stay and those that are held out.

    Every class gives up the same share, rounded, and at least one image.

    Args:
        labels: The class of each image.
        fraction: The share that is held out.
        seed: Decides which images are held out.
        label_names: For the message.
        what: What the images are held out for, for the message.

    Returns:
        Two ascending arrays of positions.

    Raises:
        LqFdaError: A class has too few images to appear on both sides.
    """
    random = np.random.RandomState(seed)
    held = []
    for label, name in enumerate(label_names):
        members = np.flatnonzero(labels == label)
        if len(members) < 2:
            raise LqFdaError(
                f"A class is too small for a stratified {what} split. Expected at least 2 training images of each. "
                f"Received: {len(members)} of class {name!r}.",
                cure="Add images of that class, or remove the class.",
            )
        count = min(max(int(len(members) * fraction + 0.5), 1), len(members) - 1)
        held.append(random.permutation(members)[:count])
    chosen = np.zeros(len(labels), bool)
    chosen[np.concatenate(held)] = True
    return np.flatnonzero(~chosen), np.flatnonzero(chosen)


def stratified_sample(labels: np.ndarray, count: int, *, seed: int) -> np.ndarray:
    """Positions of `count` images, as even over the classes as they allow, in a shuffled order."""
    random = np.random.RandomState(seed)
    shuffled = random.permutation(len(labels))
    # The rank of each image within its class: taking the smallest ranks takes the classes in turn.
    by_class = shuffled[np.argsort(labels[shuffled], kind="stable")]
    _, starts, sizes = np.unique(labels[by_class], return_index=True, return_counts=True)
    ranks = np.empty(len(labels), np.int64)
    ranks[by_class] = np.arange(len(labels)) - np.repeat(starts, sizes)
    return shuffled[np.argsort(ranks[shuffled], kind="stable")][:count]
