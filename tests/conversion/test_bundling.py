"""A bundle is complete, says what it is, and is written whole or not at all."""

import json
import shutil

import numpy as np
import pytest

from lq_fda import conversion, data, models, runtimes
from lq_fda.artifacts import Bundle, RunDir
from lq_fda.errors import LqFdaError


def copy_of(run, folder, **changes):
    """A copy of a run with some of its recipe's model changed."""
    shutil.copytree(run.path, folder)
    copy = RunDir(folder)
    recipe = copy.recipe()
    recipe["model"].update(changes)
    copy.recipe_file.write_text(json.dumps(recipe))
    return copy


def test_a_bundle_holds_everything_that_a_device_needs(trained):
    bundle = trained.bundle
    bundle.check()
    assert {path.name for path in bundle.path.iterdir()} == {*bundle.manifest.files, Bundle.MANIFEST}
    assert set(bundle.manifest.files) == {*Bundle.RUNTIMES, Bundle.LABELS, Bundle.GOLDEN}
    assert bundle.labels() == [str(digit) for digit in range(10)]
    manifest = bundle.manifest
    assert (manifest.dataset, manifest.classes, manifest.trained_twins) == ("digits", 10, True)
    assert manifest.accuracy["binarized"].top1 == trained.binarized.result().test.top1
    assert manifest.accuracy["float"].top1 == trained.float_twin.result().test.top1
    assert len(manifest.conversion.layers) == 4 and all(layer.binary for layer in manifest.conversion.layers)


def test_golden_outputs_are_what_the_files_and_keras_give(trained):
    with np.load(trained.bundle.file(Bundle.GOLDEN), allow_pickle=False) as golden:
        images, inputs, keras_outputs = golden["images"], golden["inputs"], golden["outputs_keras"]
    np.testing.assert_array_equal(data.normalize(images, trained.bundle.manifest.preprocessing), inputs)
    np.testing.assert_allclose(models.load(trained.binarized).predict(inputs, verbose=0), keras_outputs, atol=1e-5)
    golden = trained.bundle.golden()
    np.testing.assert_array_equal(golden.inputs, inputs)
    for name, runtime in Bundle.RUNTIMES.items():
        session = runtimes.open_session(runtime, trained.bundle.file(name).read_bytes())
        np.testing.assert_allclose(session.predict(inputs), golden.outputs[name], atol=1e-5)


def test_constants_are_folded_away(trained):
    operators = trained.bundle.manifest.conversion.operators
    # A block: one ADD for the adjustment and the excitation, one for the shortcut, at most one for the fine-tuning;
    # on vectors the excitation has up to three more. Unfolded there would be MUL and ADD for every adjustment.
    assert operators["PRELU"] == operators["LceBconv2d"] == operators["LceQuantize"] == 4
    assert operators["MUL"] <= 3 * 4


def test_without_a_float_run_the_twins_are_for_timing_only(trained, tmp_path):
    bundle = conversion.convert(trained.binarized, tmp_path / "bundle")
    assert not bundle.manifest.trained_twins and "float" not in bundle.manifest.accuracy


def test_a_failed_conversion_leaves_the_old_bundle_alone(trained, tmp_path, monkeypatch):
    target = tmp_path / "bundle"
    shutil.copytree(trained.bundle.path, target)
    before = {path.name: path.read_bytes() for path in target.iterdir()}

    def fail(*_):
        raise LqFdaError("Out of luck.", cure="Try again.")

    monkeypatch.setattr("lq_fda.conversion.bundling.to_int8", fail)
    with pytest.raises(LqFdaError, match="Out of luck"):
        conversion.convert(trained.binarized, target)
    assert {path.name: path.read_bytes() for path in target.iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


def test_only_an_old_bundle_is_replaced(trained, tmp_path):
    (tmp_path / "notes.txt").write_text("dear to somebody")
    for target in (tmp_path, tmp_path / "notes.txt", trained.binarized.path):
        with pytest.raises(LqFdaError, match="The output is in use"):
            conversion.convert(trained.binarized, target)
    assert (tmp_path / "notes.txt").read_text() == "dear to somebody"


def test_a_folder_with_a_bundles_names_and_no_manifest_of_ours_is_left_alone(trained, tmp_path):
    target = tmp_path / "somebodys"
    target.mkdir()
    for name, content in ((Bundle.MODEL, "a model"), (Bundle.LABELS, "cat"), (Bundle.MANIFEST, '{"format": 9}')):
        (target / name).write_text(content)
        with pytest.raises(LqFdaError, match=r"The output is in use.*without a manifest that fits"):
            conversion.convert(trained.binarized, target)
    assert len(list(target.iterdir())) == 3 and (target / Bundle.MODEL).read_text() == "a model"


def test_an_unwritable_folder_is_one_clear_error(trained, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(LqFdaError, match="writable folder"):
        conversion.convert(trained.binarized, tmp_path / "file" / "bundle")


def test_runs_that_do_not_belong_together_are_refused(trained, tmp_path):
    with pytest.raises(LqFdaError, match="float network"):
        conversion.convert(trained.float_twin, tmp_path / "bundle")
    with pytest.raises(LqFdaError, match="no twin of the binarized one: they differ in name"):
        other = copy_of(trained.float_twin, tmp_path / "other", name="resnet20")
        conversion.convert(trained.binarized, tmp_path / "bundle", float_run=other)
    with pytest.raises(LqFdaError, match="differ in binarized"):
        conversion.convert(trained.binarized, tmp_path / "bundle", float_run=trained.binarized)
    with pytest.raises(LqFdaError, match="recipe is damaged"):
        conversion.convert(copy_of(trained.binarized, tmp_path / "odd", colour="blue"), tmp_path / "bundle")
    assert not (tmp_path / "bundle").exists()
