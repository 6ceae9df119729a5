import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from lq_fda._keras import tf
from lq_fda.data import DataConfig, load, loading
from lq_fda.data.cache import cache_folder
from lq_fda.data.reading import reading
from lq_fda.errors import LqFdaError


@pytest.fixture
def damaged(tfds_folder, tmp_path) -> Path:
    """A copy to spoil: the folder of the set's version."""
    shutil.copytree(tfds_folder, tmp_path / "tfds")
    return tmp_path / "tfds" / "tiny" / "1.0.0"


def load_from(version_folder: Path, **changes):
    return load(DataConfig(name="tiny", data_dir=str(version_folder.parents[1]), **changes))


def train_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*train*tfrecord*"))


def change_info(folder: Path, name: str, change) -> None:
    path = folder / name
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def test_cifar10_is_itself(shared_tfds, collect):
    dataset = load(DataConfig(name="cifar10", data_dir=str(shared_tfds)))
    assert dataset.sizes == {"train": 45000, "validation": 5000, "test": 10000}
    assert dataset.name == "cifar10/3.0.2" and dataset.label_names[3] == "cat"
    assert dataset.input_shape == (32, 32, 3) and dataset.augmentation == ("crop", "flip")
    pixels, labels = dataset.raw("test", 10000)
    assert (np.bincount(labels) == 1000).all()
    # The published constants of the training split describe the test split too.
    inputs = collect(dataset.test(500))[0]
    np.testing.assert_allclose(inputs.mean(axis=(0, 1, 2)), 0, atol=0.03)
    np.testing.assert_allclose(inputs.std(axis=(0, 1, 2)), 1, atol=0.03)
    assert pixels[0].std() > 10


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("cut", [1, 20, 1000])
def test_a_truncated_file_is_one_clear_error(damaged, streaming, cut):
    last = train_files(damaged)[-1]
    last.write_bytes(last.read_bytes()[:-cut])
    with pytest.raises(LqFdaError, match=r"damaged.*data_dir=.*Copy the data set again"):
        load_from(damaged, streaming=streaming)


def test_a_flipped_bit_is_noticed(damaged):
    file = train_files(damaged)[1]
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(LqFdaError, match="checksum"):
        load_from(damaged)


def test_a_file_cut_between_two_records_is_noticed(damaged):
    last = train_files(damaged)[-1]
    records = list(tf.data.TFRecordDataset(str(last)).as_numpy_iterator())
    with tf.io.TFRecordWriter(str(last)) as writer:
        for record in records[:-1]:
            writer.write(record)
    with pytest.raises(LqFdaError, match=r"Expected 90 images in split 'train'. Received: 89"):
        load_from(damaged)


def test_a_missing_file_is_named(damaged):
    train_files(damaged)[2].unlink()
    with pytest.raises(LqFdaError, match=r"1 of 4 files of split 'train' are missing.*00002-of-00004"):
        load_from(damaged)


def test_a_file_that_vanishes_during_training(damaged):
    dataset = load_from(damaged, streaming=True)
    shutil.rmtree(damaged)
    with pytest.raises(LqFdaError, match="cannot be read"), dataset.reading():
        list(dataset.train(8, epochs=1, seed=0))


def test_other_errors_pass_the_reading_context(tfds_folder):
    dataset = load(DataConfig(name="tiny", data_dir=str(tfds_folder)))
    with pytest.raises(tf.errors.InvalidArgumentError), dataset.reading():
        tf.matmul([[1.0]], [[1.0], [2.0]])


@pytest.mark.parametrize("name", ["dataset_info.json", "features.json"])
def test_damaged_descriptions_are_one_clear_error(damaged, name):
    (damaged / name).write_text("{")
    with pytest.raises(LqFdaError, match=r"cannot be opened.*name='tiny'"):
        load_from(damaged)


def test_an_image_that_cannot_be_decoded_is_named(damaged):
    file = train_files(damaged)[0]
    records = list(tf.data.TFRecordDataset(str(file)).as_numpy_iterator())
    with tf.io.TFRecordWriter(str(file)) as writer:
        for number, record in enumerate(records):
            example = tf.train.Example.FromString(record)
            if number == 2:
                example.features.feature["image"].bytes_list.value[0] = b"no image"
            writer.write(example.SerializeToString())
    with pytest.raises(LqFdaError, match=r"cannot be decoded.*record 2 of split 'train'"):
        load_from(damaged)  # computes the mean, so reads the images
    with pytest.raises(LqFdaError, match="cannot be decoded"):
        load_from(damaged, streaming=True)


def test_labels_beyond_the_classes(damaged):
    def two_classes(content):
        content["featuresDict"]["features"]["label"]["classLabel"]["numClasses"] = "2"

    change_info(damaged, "features.json", two_classes)
    with pytest.raises(LqFdaError, match=r"Expected labels from 0 to 1. Received: 0 to 2 in split 'train'"):
        load_from(damaged)


def test_a_set_without_an_image_or_a_label(damaged):
    def no_class(content):
        label = content["featuresDict"]["features"]["label"]
        label.clear()
        label.update({"pythonClassName": "tensorflow_datasets.core.features.text_feature.Text", "text": {}})

    change_info(damaged, "features.json", no_class)
    with pytest.raises(LqFdaError, match=r"no image classification set.*features \['image', 'label'\]"):
        load_from(damaged)


def test_keys_are_found_with_and_without_supervised_keys(damaged):
    change_info(damaged, "dataset_info.json", lambda content: content.pop("supervisedKeys", None))
    assert load_from(damaged).classes == 3


def test_a_missing_folder():
    with pytest.raises(LqFdaError, match=r"data folder is missing.*data_dir='nowhere'"):
        load(DataConfig(name="cifar10", data_dir="nowhere"))


def test_a_known_set_that_is_not_there(tfds_folder):
    with pytest.raises(LqFdaError, match=r"not in the folder.*download=True"):
        load(DataConfig(name="cifar100", data_dir=str(tfds_folder)))


@pytest.mark.parametrize(
    ("name", "near"), [("cifar11", "cifar10"), ("fashion-mnist", "fashion_mnist"), ("digit", "digits")]
)
def test_an_unknown_set_suggests_near_names(tfds_folder, name, near):
    with pytest.raises(LqFdaError, match=f"no data set of this name.*Did you mean.*'{near}'"):
        load(DataConfig(name=name, data_dir=str(tfds_folder)))


@pytest.mark.parametrize(
    "name", ["", "no such set", "../tiny", "tiny/../tiny", "tiny:nine", "tiny:9.9.9", "tiny/other"]
)
def test_odd_names_are_one_clear_error(tfds_folder, name):
    with pytest.raises(LqFdaError, match="Received: name="):
        load(DataConfig(name=name, data_dir=str(tfds_folder)))


def test_errors_that_say_nothing_are_named_by_their_kind(tfds_folder, tmp_path, monkeypatch):
    import tensorflow_datasets as tfds

    def fail(*_, **__):
        raise AssertionError

    with monkeypatch.context() as patch:
        patch.setattr(tfds.core.read_only_builder, "builder_from_files", fail)
        with pytest.raises(LqFdaError, match=r"cannot be opened \(AssertionError\)"):
            load(DataConfig(name="tiny", data_dir=str(tfds_folder)))
    monkeypatch.setattr(tfds, "builder", fail)
    with pytest.raises(LqFdaError, match=r"could not prepare the data set \(AssertionError\)"):
        load(DataConfig(name="mnist", data_dir=str(tmp_path), download=True))
    with pytest.raises(LqFdaError, match=r"cannot be read.*\(NotFoundError\)"), reading("tiny", None):
        raise tf.errors.NotFoundError(None, None, "")


def test_a_failed_download_is_one_clear_error(tmp_path, monkeypatch):
    import tensorflow_datasets as tfds

    def offline(*_, **__):
        raise OSError("no network")

    monkeypatch.setattr(tfds, "builder", offline)
    with pytest.raises(LqFdaError, match=r"could not prepare.*no network.*Check the network"):
        load(DataConfig(name="mnist", data_dir=str(tmp_path), download=True))


def test_a_competition_keeps_its_test_labels(tmp_path, store_tfds):
    """As imagenet2012: test is published with label -1, so validation is the test split."""
    store_tfds(tmp_path, "secret", {"train": 60, "validation": 30, "test": 9}, unlabelled=("test",))
    dataset = load(DataConfig(name="secret", data_dir=str(tmp_path)))
    assert dataset.sizes == {"train": 54, "validation": 6, "test": 30}


def test_own_splits_are_used_as_they_are(tmp_path, store_tfds):
    store_tfds(tmp_path, "whole", {"train": 60, "validation": 12, "test": 9})
    assert load(DataConfig(name="whole", data_dir=str(tmp_path))).sizes == {"train": 60, "validation": 12, "test": 9}


def test_a_set_without_train(tmp_path, store_tfds):
    store_tfds(tmp_path, "trainless", {"test": 9})
    with pytest.raises(LqFdaError, match=r"split named 'train'.*\['test'\]"):
        load(DataConfig(name="trainless", data_dir=str(tmp_path)))


def test_sizes_that_vary_need_an_image_size(tmp_path, store_tfds):
    store_tfds(tmp_path, "varied", {"train": 30}, shape=(None, None, 3))
    with pytest.raises(LqFdaError, match="no common size"):
        load(DataConfig(name="varied", data_dir=str(tmp_path)))
    assert load(DataConfig(name="varied", data_dir=str(tmp_path), image_size=16)).input_shape == (16, 16, 3)


def test_images_need_not_be_square(tmp_path, store_tfds):
    store_tfds(tmp_path, "wide", {"train": 30}, shape=(12, 20, 3))
    assert load(DataConfig(name="wide", data_dir=str(tmp_path))).input_shape == (12, 20, 3)


def test_large_sets_stream_by_themselves_and_remember_their_labels(damaged, tmp_path, monkeypatch):
    monkeypatch.setenv("LQ_FDA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(loading, "IN_MEMORY_BYTES", 1000)
    first = load_from(damaged)
    files = sorted(cache_folder().iterdir())
    assert len(files) == 3  # labels of two splits, and the histogram
    stamps = [file.stat().st_mtime_ns for file in files]
    second = load_from(damaged)
    assert [file.stat().st_mtime_ns for file in files] == stamps
    assert first.preprocessing == second.preprocessing
    files[0].write_bytes(b"\x93NUMPY cut short")
    assert load_from(damaged).preprocessing == first.preprocessing


def test_a_cache_that_cannot_be_written(damaged, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("LQ_FDA_CACHE", str(tmp_path / "file"))
    with pytest.raises(LqFdaError, match="LQ_FDA_CACHE to a writable folder"):
        load_from(damaged, streaming=True)
