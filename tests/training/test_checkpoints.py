"""Checkpoints: damage is noticed, and the one before takes over."""

import numpy as np
import pytest

from lq_fda._keras import tf
from lq_fda.errors import LqFdaError
from lq_fda.training import checkpoints
from lq_fda.training.checkpoints import Checkpoint


def checkpoint(epochs: int) -> Checkpoint:
    values = np.random.default_rng(epochs).normal(size=(3, 4)).astype(np.float32)
    return Checkpoint([{"epoch": epoch + 1, "loss": 0.1} for epoch in range(epochs)], [values, np.int64(epochs)])


def assert_equal(left: Checkpoint, right: Checkpoint) -> None:
    assert left.history == right.history
    for ours, theirs in zip(left.values, right.values, strict=True):
        np.testing.assert_array_equal(ours, theirs, strict=True)


@pytest.fixture
def folder(tmp_path):
    for epochs in (1, 2, 3):
        checkpoints.save(tmp_path, checkpoint(epochs))
    return tmp_path


def test_the_newest_is_read_and_two_are_kept(folder):
    assert sorted(file.name for file in folder.iterdir()) == ["epoch-00002.npz", "epoch-00003.npz"]
    assert_equal(checkpoints.load_latest(folder), checkpoint(3))


def test_no_checkpoint_is_no_error(tmp_path):
    assert checkpoints.load_latest(tmp_path) is None
    assert checkpoints.load_latest(tmp_path / "missing") is None


def test_after_any_truncation_or_flipped_bit_the_one_before_takes_over(folder, caplog):
    newest = folder / "epoch-00003.npz"
    whole = newest.read_bytes()
    random = np.random.default_rng(0)
    damaged = [whole[:length] for length in range(0, len(whole), 7)]
    for position in range(0, len(whole), 3):
        content = bytearray(whole)
        content[position] ^= 1 << random.integers(8)
        damaged.append(bytes(content))
    for content in [*damaged, whole + b"\0"]:
        newest.write_bytes(content)
        caplog.clear()
        assert_equal(checkpoints.load_latest(folder), checkpoint(2))
        assert "epoch-00003.npz is damaged" in caplog.text


def test_a_renamed_checkpoint_is_not_trusted(folder):
    (folder / "epoch-00003.npz").rename(folder / "epoch-00009.npz")
    assert_equal(checkpoints.load_latest(folder), checkpoint(2))


def test_all_damaged_is_an_error(folder):
    for file in folder.iterdir():
        file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(LqFdaError, match=r"every one is damaged.*epoch-00003.npz, epoch-00002.npz"):
        checkpoints.load_latest(folder)


@pytest.mark.parametrize("shapes", [[(3, 4)], [(3, 4), (), ()], [(4, 3), ()]])
def test_a_checkpoint_of_another_network_is_refused_and_changes_nothing(shapes, folder):
    variables = [tf.Variable(tf.zeros(shape)) for shape in shapes]
    with pytest.raises(LqFdaError, match="another network or optimizer"):
        checkpoints.restore(variables, checkpoint(3), folder)
    assert not any(variable.numpy().any() for variable in variables)
