"""A run from recipe to result: what it writes, how it chooses, and how it fails."""

import csv
import json
import resource
import shutil

import h5py
import numpy as np
import pytest
from PIL import Image

from lq_fda import models, training
from lq_fda._keras import tf
from lq_fda.artifacts import RunDir, usable_cores
from lq_fda.errors import LqFdaError
from lq_fda.training import loop
from lq_fda.training.recorder import EpochRecorder


def rows(folder):
    with (folder / "history.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def from_second_epoch(monkeypatch):
    """Does something when a second epoch begins, the first time."""

    def arrange(act) -> None:
        original, acts = EpochRecorder.on_epoch_begin, [act]

        def begin(self, epoch, logs=None):
            if epoch == 1 and acts:
                acts.pop()()
            original(self, epoch, logs)

        monkeypatch.setattr(EpochRecorder, "on_epoch_begin", begin)

    return arrange


@pytest.mark.parametrize("name", ["reference", "float_reference"])
def test_the_epoch_that_is_shipped_is_the_best_on_validation(name, request):
    folder = request.getfixturevalue(name)
    result = RunDir(folder).result()
    history = [float(row["validation_accuracy"]) for row in rows(folder)]
    assert result.epochs == len(history)
    assert result.best_epoch == int(np.argmax(history)) + 1
    assert result.validation.top1 == history[result.best_epoch - 1]
    assert training.evaluate(RunDir(folder), "validation") == result.validation
    assert training.evaluate(RunDir(folder), "test") == result.test
    assert result.test.top1 > 0.2, "better than chance"


def test_a_run_directory_has_everything_that_the_later_stages_read(reference, small_recipe):
    run = RunDir(reference)
    assert training.load_recipe(run) == small_recipe
    environment = json.loads(run.environment_file.read_text())
    assert (environment["strategy"], environment["replicas"]) == ("none", 1)
    assert [row["epoch"] for row in rows(reference)] == ["1", "2", "3"]
    assert float(rows(reference)[-1]["learning_rate"]) < 1e-4 < float(rows(reference)[0]["learning_rate"])
    (events,) = run.tensorboard.glob("events.out.tfevents.*")
    tags = {value.tag for event in tf.compat.v1.train.summary_iterator(str(events)) for value in event.summary.value}
    assert tags >= {"loss", "validation_accuracy", "learning_rate"}
    assert any(tag.startswith("channels/") for tag in tags)


def test_a_run_that_goes_on_says_with_how_many_threads(float_recipe, float_reference, tmp_path, monkeypatch):
    run = RunDir(shutil.copytree(float_reference, tmp_path / "run"))
    for asked, threads in (("1", 1), ("all of them", usable_cores())):
        run.result_file.unlink()
        monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", asked)
        training.train(float_recipe, run.path, resume=True, progress=False)
        assert json.loads(run.environment_file.read_text())["threads"] == threads


def test_a_finished_run_is_left_alone(float_recipe, float_reference):
    before = {file: file.stat().st_mtime_ns for file in float_reference.rglob("*")}
    result = training.train(float_recipe, float_reference, resume=True, progress=False)
    assert result == RunDir(float_reference).result()
    assert {file: file.stat().st_mtime_ns for file in float_reference.rglob("*")} == before


def test_a_run_that_stops_early_reads_no_test_image_and_goes_on_to_the_same_end(
    float_recipe, float_reference, outcome, assert_same, monkeypatch, tmp_path
):
    folder, read = tmp_path / "run", []
    split_of = loop.split_of
    monkeypatch.setattr(loop, "split_of", lambda dataset, split: read.append(split) or split_of(dataset, split))
    for epoch in (1, 2):
        assert training.train(float_recipe, folder, resume=epoch > 1, progress=False, until=epoch) is None
        assert [row["epoch"] for row in RunDir(folder).history()] == list(range(1, epoch + 1))
        assert not RunDir(folder).finished and "test" not in read
    training.train(float_recipe, folder, resume=True, progress=False)
    assert "test" in read
    assert_same(outcome(folder), outcome(float_reference))


@pytest.mark.parametrize("until", [0, 3])
def test_stopping_after_an_epoch_that_there_is_not_is_refused(until, float_recipe, tmp_path):
    with pytest.raises(LqFdaError, match=rf"Expected 1 to 2\. Received: until={until}"):
        training.train(float_recipe, tmp_path / "run", until=until)
    assert not list(tmp_path.iterdir())


def test_an_output_folder_with_something_in_it_is_refused(float_recipe, float_reference, tmp_path):
    with pytest.raises(LqFdaError, match=r"not empty.*train --resume --output"):
        training.train(float_recipe, float_reference)
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(LqFdaError, match="not empty"):
        training.train(float_recipe, tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["notes.txt"]


def test_resuming_with_another_recipe_or_without_a_run_is_refused(float_recipe, float_reference, tmp_path):
    changed = training.apply_overrides(float_recipe, ["data.seed=4", "epochs=9"])
    with pytest.raises(LqFdaError, match=r"data.seed=4 instead of 0; epochs=9 instead of 2"):
        training.train(changed, float_reference, resume=True)
    with pytest.raises(LqFdaError, match="no run directory"):
        training.train(float_recipe, tmp_path, resume=True)


def test_an_output_folder_that_cannot_be_made_is_refused(float_recipe, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(LqFdaError, match="Could not write"):
        training.train(float_recipe, tmp_path / "file" / "run", progress=False)


def test_a_log_that_cannot_be_written_is_one_error(float_recipe, tmp_path, write_recipe):
    write_recipe(float_recipe).rename(tmp_path / "recipe.json")
    (tmp_path / "tensorboard").write_text("in the way")
    with pytest.raises(LqFdaError, match="Could not write the TensorBoard log"):
        training.train(float_recipe, tmp_path, resume=True, progress=False)


@pytest.mark.parametrize(
    ("override", "complaint"),
    [
        ("model.classes=11", "Expected model.classes=10"),
        ("model.input_shape=9,8,3", r"Expected model.input_shape=\(8, 8, 3\)"),
        ("batch_size=100000", "no full batch"),
    ],
)
def test_data_that_do_not_suit_the_network_are_refused(override, complaint, float_recipe, tmp_path):
    with pytest.raises(LqFdaError, match=complaint):
        training.train(training.apply_overrides(float_recipe, [override]), tmp_path / "run", progress=False)
    assert not (tmp_path / "run").exists()


def test_evaluating_what_is_no_run_has_no_weights_or_names_no_split_is_refused(
    float_recipe, float_reference, write_recipe, tmp_path
):
    with pytest.raises(LqFdaError, match="no run directory"):
        training.evaluate(RunDir(tmp_path), "test")
    write_recipe(float_recipe).rename(tmp_path / "recipe.json")
    with pytest.raises(LqFdaError, match=r"no weights yet.*`lq-fda train --resume --output DIR`"):
        training.evaluate(RunDir(tmp_path), "test")
    with pytest.raises(LqFdaError, match=r"has not ended.*`lq-fda train --resume --output DIR`"):
        RunDir(tmp_path).result()
    with pytest.raises(LqFdaError, match="No such split"):
        training.evaluate(RunDir(float_reference), "train")


def test_a_damaged_result_is_refused(float_recipe, write_recipe, tmp_path):
    write_recipe(float_recipe).rename(tmp_path / "recipe.json")
    (tmp_path / "result.json").write_text('{"epochs": 2}')
    with pytest.raises(LqFdaError, match="damaged or of another version"):
        training.train(float_recipe, tmp_path, resume=True)


def test_a_loss_that_is_no_number_stops_a_run_that_can_go_on(
    float_recipe, float_reference, outcome, assert_same, from_second_epoch, monkeypatch, tmp_path
):
    folder, trainers = tmp_path / "run", []
    build = loop.build_trainer
    monkeypatch.setattr(loop, "build_trainer", lambda *args: trainers.append(build(*args)) or trainers[-1])
    from_second_epoch(lambda: trainers[0].network.set_weights([w * np.nan for w in trainers[0].network.get_weights()]))
    with pytest.raises(LqFdaError, match="loss=nan") as caught:
        training.train(float_recipe, folder, progress=False)
    assert "learning_rate" in caught.value.cure
    assert [row["epoch"] for row in rows(folder)] == ["1"]
    assert all(np.isfinite(weight).all() for weight in models.load(RunDir(folder)).get_weights())
    training.train(float_recipe, folder, resume=True, progress=False)
    assert_same(outcome(folder), outcome(float_reference))


def test_a_learning_rate_that_is_far_too_high_is_one_error(float_recipe, tmp_path):
    recipe = training.apply_overrides(float_recipe, ["learning_rate=1e30", "warmup_epochs=0"])
    with pytest.raises(training.TrainingDiverged, match="Training diverged"):
        training.train(recipe, tmp_path / "run", progress=False)
    assert not (tmp_path / "run" / "checkpoints").exists(), "nothing is kept of it"


def test_a_disk_that_fills_up_stops_a_run_that_can_go_on(
    float_recipe, float_reference, outcome, assert_same, from_second_epoch, tmp_path
):
    folder = tmp_path / "run"
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    from_second_epoch(lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1])))
    try:
        with pytest.raises(LqFdaError, match=r"Could not write.*epoch-00002.npz.*File too large"):
            training.train(float_recipe, folder, progress=False)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [file.name for file in (folder / "checkpoints").iterdir()] == ["epoch-00001.npz"]
    assert training.evaluate(RunDir(folder), "validation").images > 0
    training.train(float_recipe, folder, resume=True, progress=False)
    assert_same(outcome(folder), outcome(float_reference))


def test_a_damaged_newest_checkpoint_costs_one_epoch(
    float_recipe, float_reference, outcome, assert_same, tmp_path, caplog
):
    folder = tmp_path / "run"
    shutil.copytree(float_reference, folder)
    (folder / "result.json").unlink()
    newest = folder / "checkpoints" / "epoch-00002.npz"
    newest.write_bytes(newest.read_bytes()[:1000])
    training.train(float_recipe, folder, resume=True, progress=False)
    assert "epoch-00002.npz is damaged" in caplog.text
    assert_same(outcome(folder), outcome(float_reference))


def test_checkpoints_of_another_network_are_refused(float_reference, small_recipe, write_recipe, tmp_path):
    write_recipe(small_recipe).rename(tmp_path / "recipe.json")
    (tmp_path / "checkpoints").symlink_to(float_reference / "checkpoints")
    with pytest.raises(LqFdaError, match="another network or optimizer"):
        training.train(small_recipe, tmp_path, resume=True, progress=False)


def test_images_that_vanish_while_training_are_one_error(float_recipe, monkeypatch, tmp_path):
    random = np.random.default_rng(0)
    for split in ("train", "test"):
        for label in "ab":
            (tmp_path / "images" / split / label).mkdir(parents=True)
            for index in range(20):
                pixels = random.integers(256, size=(8, 8, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(tmp_path / "images" / split / label / f"{index}.png")
    recipe = training.apply_overrides(
        float_recipe,
        [
            *("data.name=folder", f"data.data_dir={tmp_path / 'images'}", "data.streaming=true"),
            *("model.classes=2", "batch_size=8"),
        ],
    )
    count = loop._steps_per_epoch

    def count_and_remove(*args):
        for file in (tmp_path / "images" / "train").rglob("*.png"):
            file.unlink()
        return count(*args)

    monkeypatch.setattr(loop, "_steps_per_epoch", count_and_remove)
    with pytest.raises(LqFdaError, match="cannot be read"):
        training.train(recipe, tmp_path / "run", progress=False)
    assert isinstance(RunDir(tmp_path / "run").recipe(), dict)


def test_ctrl_c_before_the_first_step_leaves_nothing(float_recipe, monkeypatch, tmp_path):
    def press(*args) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(loop, "build_trainer", press)
    with pytest.raises(training.TrainingInterrupted, match="before it began"):
        training.train(float_recipe, tmp_path / "run", progress=False)
    assert not (tmp_path / "run").exists()


def test_mixed_precision_ships_float32_weights(float_recipe, tmp_path):
    changes = ["precision=mixed_bfloat16", "epochs=1", "warmup_epochs=0"]
    result = training.train(training.apply_overrides(float_recipe, changes), tmp_path / "run")
    network = models.load(RunDir(tmp_path / "run"))
    assert {layer.compute_dtype for layer in network.layers} == {"float32"}
    assert training.evaluate(RunDir(tmp_path / "run"), "validation") == result.validation
    with h5py.File(RunDir(tmp_path / "run").best_weights) as file:
        kinds = set()
        file.visititems(lambda _, item: kinds.add(item.dtype) if isinstance(item, h5py.Dataset) else None)
    assert kinds == {np.dtype(np.float32)}
