import shutil

import numpy as np
import pytest
from PIL import Image

from lq_fda.data import DataConfig, load, preprocess
from lq_fda.errors import LqFdaError


@pytest.fixture
def folder(image_folder, tmp_path):
    return shutil.copytree(image_folder, tmp_path / "images")


def open_folder(folder, **changes):
    return load(DataConfig(name="folder", data_dir=str(folder), **{"image_size": 24, **changes}))


def test_splits_and_labels_come_from_the_folders(image_folder):
    dataset = open_folder(image_folder)
    assert dataset.label_names == ("cat", "dog") and dataset.sizes == {"train": 36, "validation": 4, "test": 10}
    assert dataset.input_shape == (24, 24, 3)


@pytest.mark.parametrize("streaming", [False, True])
def test_evaluation_equals_preprocess_of_the_files_bit_for_bit(image_folder, collect, streaming):
    dataset = open_folder(image_folder, streaming=streaming)
    inputs, labels = collect(dataset.test(3))
    expected = {
        preprocess(np.asarray(Image.open(path)), dataset.preprocessing).tobytes(): path.parent.name
        for path in (image_folder / "test").rglob("*.png")
    }
    assert {i.tobytes(): dataset.label_names[n] for i, n in zip(inputs, labels, strict=True)} == expected


@pytest.mark.parametrize("streaming", [False, True])
def test_classes_are_mixed_from_the_first_images_on(image_folder, streaming):
    labels = open_folder(image_folder, streaming=streaming).raw("train", 12)[1]
    assert 0 < labels.sum() < 12


def test_without_a_test_split_one_is_held_out(folder):
    shutil.rmtree(folder / "test")
    assert open_folder(folder).sizes == {"train": 28, "validation": 4, "test": 8}


@pytest.mark.parametrize("name", ["validation", "val", "valid"])
def test_a_lone_validation_folder_is_the_test_split(folder, name):
    (folder / "test").rename(folder / name)
    assert open_folder(folder).sizes == {"train": 36, "validation": 4, "test": 10}


def test_remembered_labels_follow_the_names_of_all_splits(folder, save_image):
    shutil.copytree(folder / "test", folder / "validation")

    def classes():
        dataset = open_folder(folder, streaming=True)
        return [dataset.label_names[label] for label in np.unique(dataset.raw("train", 100)[1])]

    assert classes() == ["cat", "dog"]
    save_image(folder / "test" / "ant" / "1.png", np.zeros((20, 20, 3), np.uint8))  # Now a cat is 1, and a dog 2.
    assert classes() == ["cat", "dog"]


def test_all_formats_modes_and_cases_are_read(folder, save_image):
    grey = np.full((30, 30), 7, np.uint8)
    for name in ("a.bmp", "b.JPG", "c.jpeg", "d.PNG"):
        save_image(folder / "train" / "cat" / name, grey)
    save_image(folder / "train" / "cat" / "alpha.png", np.full((30, 30, 4), 7, np.uint8))
    (folder / "train" / "cat" / "notes.txt").write_text("not an image")
    (folder / "train" / ".hidden").mkdir()
    dataset = open_folder(folder)
    assert sum(dataset.sizes.values()) == 55
    pixels = np.concatenate([dataset.raw(split, 100)[0] for split in ("train", "validation")])
    assert ((pixels == 7).all(axis=(1, 2, 3))).sum() == 5


@pytest.mark.parametrize("streaming", [False, True])
def test_a_damaged_image_is_one_clear_error(folder, streaming):
    image = folder / "train" / "dog" / "3.png"
    image.write_bytes(image.read_bytes()[:100])
    with pytest.raises(LqFdaError, match="cannot be decoded" if streaming else r"cannot be decoded.*dog.3\.png"):
        open_folder(folder, streaming=streaming)


@pytest.mark.parametrize("content", [b"", b"no image", b"\xff\xd8\xff\xe0 no JPEG", b"BM no bitmap"])
def test_an_image_that_is_damaged_during_training(folder, content):
    dataset = open_folder(folder, streaming=True, augmentation=("crop",))
    for image in (folder / "train" / "dog").iterdir():
        image.write_bytes(content)
    with pytest.raises(LqFdaError, match="cannot be decoded"), dataset.reading():
        list(dataset.train(4, epochs=1, seed=0))


def test_no_folder_no_train_one_class_tiny_class(folder):
    with pytest.raises(LqFdaError, match="data_dir=None"):
        load(DataConfig(name="folder"))
    with pytest.raises(LqFdaError, match="image folder is missing"):
        open_folder(folder / "nowhere")
    with pytest.raises(LqFdaError, match="Set image_size"):
        open_folder(folder, image_size=None)
    with pytest.raises(LqFdaError, match="no training images"):
        open_folder(folder / "train")
    for image in list((folder / "train" / "dog").iterdir())[1:]:
        image.unlink()
    with pytest.raises(LqFdaError, match=r"too small.*1 of class 'dog'"):
        open_folder(folder)
    for split in ("train", "test"):
        shutil.rmtree(folder / split / "dog")
    with pytest.raises(LqFdaError, match="at least 2 classes"):
        open_folder(folder)


def test_a_class_that_train_lacks(folder, save_image):
    save_image(folder / "test" / "emu" / "1.png", np.zeros((20, 20, 3), np.uint8))
    with pytest.raises(LqFdaError, match="0 of class 'emu'"):
        open_folder(folder)
