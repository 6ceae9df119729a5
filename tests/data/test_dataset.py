"""What `Dataset` promises, of images in memory and of images streamed from disk alike."""

import numpy as np
import pytest

from lq_fda._keras import tf
from lq_fda.data import DataConfig, load, normalize, throughput
from lq_fda.errors import LqFdaError


@pytest.fixture(scope="module", params=[False, True], ids=["memory", "streaming"])
def open_tiny(tfds_folder, request):
    """90 training images of 3 classes in 4 files; the first pixel of each names it."""

    def open_with(**changes):
        fields = {"augmentation": (), "validation_fraction": 0.2, **changes}
        return load(DataConfig(name="tiny", data_dir=str(tfds_folder), streaming=request.param, **fields))

    return open_with


@pytest.fixture(scope="module")
def tiny(open_tiny):
    return open_tiny()


@pytest.fixture(scope="module")
def augmented(open_tiny):
    return open_tiny(augmentation=("crop", "flip"))


def names(dataset, images):
    """Which images these are, from their first pixel."""
    pixels = (images[:, 0, 0, 0] - dataset.preprocessing.offset[0]) / dataset.preprocessing.scale[0]
    return np.round(pixels).astype(int).tolist()


def everything(dataset, collect):
    validation, test = collect(dataset.validation(16))[0], collect(dataset.test(16))[0]
    train = collect(dataset.train(1, epochs=1, seed=0))[0]
    return {
        "train": names(dataset, train),
        "validation": names(dataset, validation),
        "test": names(dataset, test),
    }


def test_the_splits_are_disjoint_and_stratified(tiny, collect):
    splits = everything(tiny, collect)
    assert {split: len(images) for split, images in splits.items()} == tiny.sizes
    assert tiny.sizes == {"train": 72, "validation": 18, "test": 21}
    assert sorted(splits["train"] + splits["validation"]) == list(range(90))
    assert np.bincount([image % 3 for image in splits["validation"]]).tolist() == [6, 6, 6]


def test_the_configurations_seed_moves_validation_alone(open_tiny, collect):
    first, again, other = (everything(open_tiny(seed=seed), collect) for seed in (0, 0, 1))
    assert first == again
    assert sorted(first["validation"]) != sorted(other["validation"])
    assert first["test"] == other["test"]


def test_labels_stay_with_their_images(tiny, collect):
    for batches in (tiny.train(8, epochs=2, seed=0), tiny.validation(5), tiny.test(5)):
        images, labels = collect(batches)
        assert labels.dtype == np.int32
        assert [image % 3 for image in names(tiny, images)] == labels.tolist()


def test_an_epoch_shows_every_image_at_most_once_and_drops_the_remainder(tiny, collect):
    batches = tiny.train(16, epochs=3, seed=0)
    assert tiny.steps_per_epoch(16) == 4 and batches.cardinality() == 12
    assert batches.element_spec[0].shape == (16, 12, 12, 3) and batches.element_spec[0].dtype == tf.float32
    shown = names(tiny, collect(batches)[0])
    assert len(shown) == 3 * 64
    epochs = [shown[start : start + 64] for start in (0, 64, 128)]
    assert all(len(set(epoch)) == 64 for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 3


@pytest.mark.parametrize("augmentation", [("crop", "flip"), ("flip", "randaugment", "cutout")], ids=["fast", "library"])
def test_resuming_shows_what_an_uninterrupted_run_shows(open_tiny, collect, augmentation):
    whole_images, whole_labels = collect(open_tiny(augmentation=augmentation).train(16, epochs=2, seed=5))
    images, labels = collect(open_tiny(augmentation=augmentation).train(16, epochs=2, start_epoch=1, seed=5))
    np.testing.assert_array_equal(images, whole_images[64:])
    np.testing.assert_array_equal(labels, whole_labels[64:])


def test_the_seed_decides_and_the_number_of_epochs_does_not(augmented, collect):
    one, many, other = (
        collect(augmented.train(16, epochs=epochs, seed=seed))[0] for epochs, seed in ((1, 5), (3, 5), (1, 6))
    )
    np.testing.assert_array_equal(one, many[:64])
    assert (one != other).any()


@pytest.mark.parametrize("seed", [0, 7])
def test_the_programs_global_seed_changes_nothing(augmented, collect, seed):
    expected = collect(augmented.train(16, epochs=2, seed=5))[0]
    tf.random.set_seed(seed)
    np.testing.assert_array_equal(collect(augmented.train(16, epochs=2, seed=5))[0], expected)


def test_there_may_be_no_epoch_left(tiny):
    batches = tiny.train(16, epochs=2, start_epoch=2, seed=0)
    assert batches.cardinality() == 0 and list(batches) == []


def test_augmentation_depends_on_the_epoch_and_the_image_not_on_the_batch(augmented, collect):
    def shown(batch_size, seed):
        return {image.tobytes() for image in collect(augmented.train(batch_size, epochs=1, seed=seed))[0]}

    assert shown(72, seed=0) == shown(8, seed=0) != shown(72, seed=1)


def test_workers_share_each_batch(augmented, collect):
    workers = 4
    whole = collect(augmented.train(16, epochs=2, seed=0))[0].reshape(8, workers, 16 // workers, 12, 12, 3)
    for worker in range(workers):
        part = augmented.train(16, epochs=2, seed=0, worker=worker, workers=workers)
        assert part.cardinality() == 8
        np.testing.assert_array_equal(collect(part)[0].reshape(whole[:, worker].shape), whole[:, worker])


@pytest.mark.parametrize("batch_size", [1, 7, 21, 22])
def test_evaluation_keeps_the_remainder_and_the_order(tiny, collect, batch_size):
    batches = tiny.test(batch_size)
    assert batches.cardinality() == -(-21 // batch_size)
    images, labels = collect(batches)
    pixels, raw_labels = tiny.raw("test", 1000)
    assert pixels.dtype == np.uint8 and raw_labels.dtype == np.int32
    np.testing.assert_array_equal(images, normalize(pixels, tiny.preprocessing))
    np.testing.assert_array_equal(labels, raw_labels)


def test_raw_gives_the_first_images(tiny):
    pixels, labels = tiny.raw("train", 72)
    some, some_labels = tiny.raw("train", 5)
    np.testing.assert_array_equal(some, pixels[:5])
    np.testing.assert_array_equal(some_labels, labels[:5])
    assert len(set(pixels[:, 0, 0, 0])) == 72


def test_calibration_is_stratified_unaugmented_and_from_train(augmented):
    inputs = augmented.calibration(30)
    assert inputs.dtype == np.float32 and inputs.shape == (30, 12, 12, 3)
    chosen = names(augmented, inputs)
    assert np.bincount([image % 3 for image in chosen]).tolist() == [10, 10, 10]
    train = {image.tobytes() for image in normalize(augmented.raw("train", 72)[0], augmented.preprocessing)}
    assert len({image.tobytes() for image in inputs} & train) == 30
    np.testing.assert_array_equal(inputs, augmented.calibration(30))
    assert len(augmented.calibration(1000)) == 72


def test_grayscale_becomes_three_equal_channels(tiny):
    pixels, _ = tiny.raw("train", 72)
    assert (pixels == pixels[..., :1]).all() and pixels.max() > 200


def test_mean_and_deviation_are_those_of_train(tiny, collect):
    images, _ = collect(tiny.train(72, epochs=1, seed=0))
    np.testing.assert_allclose(images.mean(axis=(0, 1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(images.std(axis=(0, 1, 2)), 1, atol=1e-5)


def test_memory_and_streaming_agree_where_they_must(tfds_folder, collect):
    in_memory, streamed = (
        load(DataConfig(name="tiny", data_dir=str(tfds_folder), streaming=streaming)) for streaming in (False, True)
    )
    assert in_memory.preprocessing == streamed.preprocessing and in_memory.sizes == streamed.sizes
    np.testing.assert_array_equal(in_memory.calibration(20), streamed.calibration(20))
    np.testing.assert_array_equal(collect(in_memory.validation(4))[0], collect(streamed.validation(4))[0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"batch_size": 73}, "1 to 72"),
        ({"batch_size": 0}, "1 to 72"),
        ({"batch_size": 8, "start_epoch": 2}, "start_epoch <= epochs"),
        ({"batch_size": 8, "start_epoch": -1}, "start_epoch <= epochs"),
        ({"batch_size": 9, "workers": 2}, "multiple of workers"),
        ({"batch_size": 8, "workers": 2, "worker": 2}, "worker < workers"),
        ({"batch_size": 8, "workers": 0}, "worker < workers"),
    ],
)
def test_refuses_numbers_that_do_not_fit(tiny, arguments, message):
    with pytest.raises(LqFdaError, match=message):
        tiny.train(**{"epochs": 1, "seed": 0, **arguments})


def test_refuses_an_unknown_split_and_an_empty_batch(tiny):
    with pytest.raises(LqFdaError, match="train, validation, test"):
        tiny.raw("valid", 1)
    with pytest.raises(LqFdaError, match="batch_size=0"):
        tiny.test(0)


def test_digits_are_real_upright_and_divided(collect):
    dataset = load(DataConfig())
    assert dataset.name == "digits" and dataset.classes == 10 and dataset.input_shape == (32, 32, 3)
    assert dataset.augmentation == ("crop",)
    assert sum(dataset.sizes.values()) == 1797
    pixels, labels = dataset.raw("train", 2000)
    assert pixels.shape[1:] == (32, 32, 3) and np.bincount(labels).min() > 100
    # A nought is dark in the middle; a one is light there.
    centre = pixels[:, 12:20, 14:18].mean(axis=(1, 2, 3))
    assert centre[labels == 0].mean() < 60 < 150 < centre[labels == 1].mean()


def test_the_test_split_of_digits_does_not_depend_on_the_configuration():
    first, second = (load(DataConfig(seed=s, validation_fraction=f)).raw("test", 400) for s, f in ((0, 0.1), (9, 0.3)))
    np.testing.assert_array_equal(first[0], second[0])


def test_digits_in_another_size():
    dataset = load(DataConfig(image_size=48))
    assert dataset.input_shape == (48, 48, 3) and dataset.raw("test", 2)[0].shape == (2, 48, 48, 3)


def test_throughput_is_a_number_of_images():
    assert throughput(load(DataConfig()), 64, seconds=0.1) > 100
