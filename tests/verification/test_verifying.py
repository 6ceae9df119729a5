"""Verification passes what is right and names what is wrong."""

import io
import json
import shutil
import zipfile

import numpy as np
import pytest

from lq_fda import runtimes, verification
from lq_fda.artifacts import Bundle, FileParity, RunDir, SplitAccuracy, Verification, sha256_of, write_json
from lq_fda.errors import LqFdaError
from lq_fda.runtimes import read_tflite
from lq_fda.verification.gates import DELEGATE, gates


@pytest.fixture(scope="module")
def found(trained):
    return verification.verify(trained.bundle, trained.binarized, float_run=trained.float_twin, images=64)


def tampered(bundle, folder, name, change):
    """A copy of a bundle in which one file was changed and the manifest made to agree."""
    shutil.copytree(bundle.path, folder)
    path = folder / name
    path.write_bytes(change(path.read_bytes()))
    manifest = json.loads((folder / Bundle.MANIFEST).read_text())
    manifest["files"][name] = {"sha256": sha256_of(path), "bytes": path.stat().st_size}
    write_json(folder / Bundle.MANIFEST, manifest)
    return Bundle(folder)


def with_flipped_weights(layer_index):
    """Inverts the packed weights of one binary convolution."""

    def change(content):
        file = read_tflite(content)
        operator = [operator for operator in file.operators if operator.name == "LceBconv2d"][layer_index]
        weights = file.tensors[operator.inputs[1]].content
        assert content.count(weights) == 1
        return content.replace(weights, bytes(255 - byte for byte in weights))

    return change


def test_a_good_bundle_passes_every_gate(found, trained):
    assert found.passed and len(found.gates) == 10
    found.require_passed()
    assert Verification.model_validate_json(found.model_dump_json()) == found
    rows = {(row.file, row.reference): row for row in found.files}
    assert set(rows) == {
        (Bundle.MODEL, "keras"),
        (Bundle.MODEL, "keras, equal signs"),
        (Bundle.FLOAT, "keras float"),
        (Bundle.INT8, "keras float"),
        (DELEGATE, "keras"),
        (DELEGATE, "lce"),
        *((name, "golden") for name in (*Bundle.RUNTIMES, DELEGATE)),
    }
    assert rows[DELEGATE, "lce"].agreement == 1 and rows[DELEGATE, "lce"].typical_difference < 1e-5
    assert rows[Bundle.FLOAT, "keras float"].relative_difference < 1e-5
    assert [layer.name for layer in found.layers] == [
        "stage1_1_conv",
        "stage1_2_conv",
        "stage2_1_conv",
        "stage2_2_conv",
    ]
    assert [layer.signs for layer in found.layers] == [64 * 64 * 32] * 3 + [64 * 16 * 64]


def test_accuracy_is_of_the_whole_test_split_and_agrees_with_training(found, trained):
    result = trained.binarized.result().test
    assert found.accuracy["keras"].top1 == pytest.approx(result.top1)
    assert all(row.images == result.images for row in found.accuracy.values())
    assert set(found.accuracy) == {*Bundle.RUNTIMES, DELEGATE, "keras", "keras float"}


@pytest.mark.parametrize("index", [0, 2])
def test_a_wrong_layer_is_named(trained, tmp_path, index):
    bundle = tampered(trained.bundle, tmp_path / "bundle", Bundle.MODEL, with_flipped_weights(index))
    found = verification.verify(bundle, trained.binarized, images=16)
    assert not found.passed
    # The layer in front of whose sign the difference shows is the one behind the layer that is wrong.
    assert found.first_difference.name == found.layers[index + 1].name
    assert found.first_difference.margin > 0.1
    with pytest.raises(LqFdaError, match=r"failed \d of 9 gates: .*distance from zero of a sign that flips first"):
        found.require_passed()


def test_without_the_delegate_lce_alone_is_compared(trained, monkeypatch):
    monkeypatch.setattr(runtimes, "available", lambda: {"lce": "", "litert": "", "lq_fda": "not installed"})
    found = verification.verify(trained.bundle, trained.binarized, images=4)
    assert found.passed and DELEGATE not in {row.file for row in found.files} and DELEGATE not in found.accuracy


def last(operator):
    """The number of a constant of the last operator of a name, and that operator's place among the inputs."""

    def find(file, place):
        return [found for found in file.operators if found.name == operator][-1].inputs[place]

    return find


@pytest.mark.parametrize(
    ("operator", "place", "change"),
    [
        ("FULLY_CONNECTED", 1, lambda values: 2 * values),
        ("FULLY_CONNECTED", 2, lambda values: 0 * values),
        ("PRELU", 1, lambda values: 1.1 * values),
        ("LceBconv2d", 3, lambda values: 0.95 * values),
    ],
    ids=["doubled weights", "no bias", "PReLU", "last shift"],
)
def test_an_error_behind_the_last_sign_is_noticed(trained, tmp_path, operator, place, change):
    def changed(content):
        file = read_tflite(content)
        constant = file.tensors[last(operator)(file, place)]
        assert content.count(constant.content) == 1
        return content.replace(constant.content, change(constant.values).astype(np.float32).tobytes())

    bundle = tampered(trained.bundle, tmp_path / "bundle", Bundle.MODEL, changed)
    found = verification.verify(bundle, trained.binarized, images=16)
    assert "relative difference of the 1-bit file from Keras where all signs agree" in [
        gate.name for gate in found.gates if not gate.passed
    ]


def test_no_image_with_equal_signs_is_no_proof():
    rows = [verification_row("keras"), verification_row("golden")]
    top1 = {name: SplitAccuracy(split="test", images=1, top1=1) for name in (Bundle.MODEL, "keras")}
    found = gates(rows, [], top1, verification.Limits(), trained_twins=False)
    (failed,) = [gate for gate in found if not gate.passed]
    assert failed.value is None and failed.found == "nothing to compare" and "compare more images" in failed.why


def verification_row(reference):
    numbers = {"difference": 0, "relative_difference": 0, "typical_difference": 0}
    return FileParity(file=Bundle.MODEL, runtime="lce", reference=reference, images=1, agreement=1, **numbers)


def test_numbers_that_are_not_finite_are_named(trained, tmp_path):
    def broken(content):
        file = read_tflite(content)
        bias = file.tensors[last("FULLY_CONNECTED")(file, 2)]
        return content.replace(bias.content, np.full_like(bias.values, np.nan).tobytes())

    bundle = tampered(trained.bundle, tmp_path / "bundle", Bundle.MODEL, broken)
    with pytest.raises(LqFdaError, match=r"not finite.*from model\.tflite"):
        verification.verify(bundle, trained.binarized, images=4)


def test_a_report_that_hides_a_layer_is_refused(trained, tmp_path):
    shutil.copytree(trained.bundle.path, tmp_path / "bundle")
    manifest = json.loads((tmp_path / "bundle" / Bundle.MANIFEST).read_text())
    manifest["conversion"]["layers"].pop()
    write_json(tmp_path / "bundle" / Bundle.MANIFEST, manifest)
    with pytest.raises(LqFdaError, match="does not fit the file: it misses"):
        verification.verify(Bundle(tmp_path / "bundle"), trained.binarized, images=4)


def test_a_bundle_for_other_data_is_refused(trained, tmp_path):
    shutil.copytree(trained.bundle.path, tmp_path / "bundle")
    manifest = json.loads((tmp_path / "bundle" / Bundle.MANIFEST).read_text())
    manifest["preprocessing"]["scale"][1] *= 2
    write_json(tmp_path / "bundle" / Bundle.MANIFEST, manifest)
    with pytest.raises(LqFdaError, match=r"not made for this data set\. Expected preprocessing"):
        verification.verify(Bundle(tmp_path / "bundle"), trained.binarized, images=4)
    swapped = tampered(trained.bundle, tmp_path / "swapped", Bundle.LABELS, lambda _: b"1\n0\n2\n3\n4\n5\n6\n7\n8\n9\n")
    with pytest.raises(LqFdaError, match=r"not made for this data set. Expected labels \['0', '1'"):
        verification.verify(swapped, trained.binarized, images=4)
    no_text = tampered(trained.bundle, tmp_path / "no_text", Bundle.LABELS, lambda _: b"\xff")
    with pytest.raises(LqFdaError, match=r"damaged: labels\.txt holds no text"):
        verification.verify(no_text, trained.binarized, images=4)


def test_a_float_run_that_is_no_twin_is_refused(trained):
    with pytest.raises(LqFdaError, match=r"no twin.*binarized"):
        verification.verify(trained.bundle, trained.binarized, float_run=trained.binarized)


@pytest.mark.parametrize("recipe", ["{}", "[]", '{"model": {}, "data": 3}'])
def test_a_damaged_recipe_is_one_clear_error(trained, tmp_path, recipe):
    (tmp_path / "recipe.json").write_text(recipe)
    with pytest.raises(LqFdaError, match=r"recipe is damaged"):
        verification.verify(trained.bundle, RunDir(tmp_path), images=4)


def test_golden_outputs_of_another_file_are_noticed(trained, tmp_path):
    def change(content):
        path = tmp_path / "golden.npz"
        path.write_bytes(content)
        with np.load(path, allow_pickle=False) as golden:
            arrays = dict(golden)
        arrays["outputs_model"] = -arrays["outputs_model"]
        np.savez(path, **arrays)
        return path.read_bytes()

    bundle = tampered(trained.bundle, tmp_path / "bundle", Bundle.GOLDEN, change)
    found = verification.verify(bundle, trained.binarized, images=8)
    assert [gate.name for gate in found.gates if not gate.passed] == [
        "relative difference of the files from their golden outputs"
    ]


def golden_that_claims(header):
    """A small archive whose arrays say that they are something else."""
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "<f4", "fortran_order": False, "shape": (1,)})
    array = stream.getvalue().replace(b"(1,)", header.ljust(4))
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("inputs.npy", array[:8] + (len(array) - 10).to_bytes(2, "little") + array[10:])
    return archive.getvalue()


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content[:100],
        lambda content: b"",
        lambda content: content.replace(b"outputs_model", b"outputs_medel"),
        lambda content: golden_that_claims(b"(1000000, 1000000000)"),
        lambda content: golden_that_claims(b"(" + b"-" * 5000 + b"1,)"),
    ],
    ids=["truncated", "empty", "renamed", "larger than memory", "nested"],
)
def test_damaged_golden_outputs_are_one_clear_error(trained, tmp_path, change):
    bundle = tampered(trained.bundle, tmp_path / "bundle", Bundle.GOLDEN, change)
    with pytest.raises(LqFdaError, match=r"golden\.npz holds no golden"):
        bundle.golden()


@pytest.mark.parametrize("length", [0, 1000, -1])
def test_a_truncated_file_is_one_clear_error(trained, tmp_path, length):
    bundle = tampered(trained.bundle, tmp_path / "bundle", Bundle.MODEL, lambda content: content[:length])
    with pytest.raises(LqFdaError):
        verification.verify(bundle, trained.binarized, images=8)


def test_a_bundle_without_a_network_is_refused(trained, tmp_path):
    shutil.copytree(trained.bundle.path, tmp_path / "bundle")
    manifest = json.loads((tmp_path / "bundle" / Bundle.MANIFEST).read_text())
    del manifest["files"][Bundle.FLOAT]
    write_json(tmp_path / "bundle" / Bundle.MANIFEST, manifest)
    with pytest.raises(LqFdaError, match=r"no such file.*float\.tflite"):
        verification.verify(Bundle(tmp_path / "bundle"), trained.binarized)


def test_a_changed_file_or_another_run_is_refused(trained, tmp_path):
    with pytest.raises(LqFdaError, match="networks differ"):
        verification.verify(trained.bundle, trained.float_twin)
    shutil.copytree(trained.bundle.path, tmp_path / "bundle")
    (tmp_path / "bundle" / Bundle.FLOAT).write_bytes(b"something else")
    with pytest.raises(LqFdaError, match=r"damaged: 'float\.tflite'"):
        verification.verify(Bundle(tmp_path / "bundle"), trained.binarized)
    with pytest.raises(LqFdaError, match="at least one image"):
        verification.verify(trained.bundle, trained.binarized, images=0)
