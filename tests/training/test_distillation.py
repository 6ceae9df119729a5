"""Losses against their closed forms, and teachers that taught something else."""

import dataclasses

import numpy as np
import pytest

from lq_fda import training
from lq_fda._keras import keras, tf
from lq_fda.errors import LqFdaError
from lq_fda.training.distillation import build_loss, cross_entropy, distillation

RANDOM = np.random.default_rng(0)
LOGITS = (3 * RANDOM.normal(size=(6, 5))).astype(np.float32)
TAUGHT = (3 * RANDOM.normal(size=(6, 5))).astype(np.float32)
LABELS = np.array([0, 1, 2, 3, 4, 0], np.int32)


def log_softmax(logits):
    logits = logits.astype(np.float64)
    return logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))


def labels_loss(smoothing):
    targets = (1 - smoothing) * np.eye(5)[LABELS] + smoothing / 5
    return -(targets * log_softmax(LOGITS)).sum(axis=-1).mean()


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.9])
def test_label_smoothing_spreads_its_share_over_all_classes(smoothing):
    loss = cross_entropy(smoothing)(None, LABELS, LOGITS)
    assert float(loss) == pytest.approx(labels_loss(smoothing), rel=1e-6)


@pytest.mark.parametrize(("weight", "temperature"), [(0.5, 4.0), (1.0, 1.0), (0.1, 0.5)])
def test_distillation_adds_the_divergence_from_the_teacher(weight, temperature):
    config = training.DistillationConfig("x", weight, temperature)
    teacher = keras.Sequential([keras.layers.Lambda(tf.identity, input_shape=(5,))])  # its images are its logits
    loss = distillation(config, cross_entropy(0.1), teacher)(TAUGHT, LABELS, LOGITS)
    ours, theirs = log_softmax(LOGITS / temperature), log_softmax(TAUGHT / temperature)
    divergence = (np.exp(theirs) * (theirs - ours)).sum(axis=-1).mean()
    assert float(loss) == pytest.approx(
        (1 - weight) * labels_loss(0.1) + weight * temperature**2 * divergence, rel=1e-5
    )


def test_a_perfect_student_has_nothing_to_learn_from_its_teacher():
    config = training.DistillationConfig("x", weight=1.0)
    teacher = keras.Sequential([keras.layers.Lambda(tf.identity, input_shape=(5,))])
    with tf.GradientTape() as tape:
        logits = tf.Variable(TAUGHT)
        loss = distillation(config, cross_entropy(), teacher)(TAUGHT, LABELS, logits)
    assert float(loss) == pytest.approx(0, abs=1e-6)
    np.testing.assert_allclose(tape.gradient(loss, logits), 0, atol=1e-6)


def student(small_recipe, teacher, **changes):
    distilled = dataclasses.replace(small_recipe, distillation=training.DistillationConfig(str(teacher)))
    return dataclasses.replace(distilled, **changes)


def test_the_teacher_is_the_best_epoch_of_its_run_and_stays_as_it_is(small_recipe, float_reference):
    teacher = training.load_teacher(student(small_recipe, float_reference))
    assert not teacher.trainable_variables
    images = RANDOM.normal(size=(4, 8, 8, 3)).astype(np.float32)
    logits = RANDOM.normal(size=(4, 10)).astype(np.float32)
    before = [value.copy() for value in teacher.get_weights()]
    assert np.isfinite(build_loss(student(small_recipe, float_reference))(images, LABELS[:4], logits))
    for old, new in zip(before, teacher.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize(
    ("override", "name"),
    [
        ("data.name=mnist", "data.name"),
        ("data.seed=1", "data.seed"),
        ("data.validation_fraction=0.2", "data.validation_fraction"),
        ("data.image_size=16", "data.image_size"),
        ("model.classes=11", "model.classes"),
        ("model.input_shape=16,16,3", "model.input_shape"),
    ],
)
def test_a_teacher_that_learned_something_else_is_refused(override, name, small_recipe, float_reference):
    changed = training.apply_overrides(student(small_recipe, float_reference), [override])
    with pytest.raises(LqFdaError, match=rf"teacher learned something else. Expected {name}="):
        training.load_teacher(changed)


def test_a_teacher_of_another_image_folder_is_refused(small_recipe, write_recipe, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = dataclasses.replace(small_recipe, data=dataclasses.replace(small_recipe.data, name="folder"))
    taught = training.apply_overrides(folder, ["data.data_dir=images"])
    write_recipe(taught).rename(tmp_path / "recipe.json")
    with pytest.raises(LqFdaError, match=r"learned something else. Expected data.data_dir='.*others'"):
        training.load_teacher(training.apply_overrides(student(taught, tmp_path), ["data.data_dir=others"]))
    with pytest.raises(LqFdaError, match="no weights yet"):  # The same folder by another name.
        training.load_teacher(training.apply_overrides(student(taught, "."), [f"data.data_dir={tmp_path}/images"]))


def test_a_missing_teacher_is_refused(small_recipe, tmp_path):
    with pytest.raises(LqFdaError, match="no run directory"):
        training.load_teacher(student(small_recipe, tmp_path))
