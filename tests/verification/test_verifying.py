"""Verification passes what is right and names what is wrong."""

import json
import shutil

import numpy as np
import pytest

from lq_fda import verification
from lq_fda.artifacts import Bundle, Verification, sha256_of, write_json
from lq_fda.errors import LqFdaError
from lq_fda.runtimes import read_tflite


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
    assert found.passed and len(found.gates) == 6
    found.require_passed()
    assert Verification.model_validate_json(found.model_dump_json()) == found
    rows = {(row.file, row.reference): row for row in found.files}
    assert set(rows) == {
        (Bundle.MODEL, "keras"),
        (Bundle.FLOAT, "keras float"),
        (Bundle.INT8, "keras float"),
        *((name, "golden") for name in Bundle.RUNTIMES),
    }
    assert rows[Bundle.FLOAT, "keras float"].relative_difference < 1e-5
    assert [layer.name for layer in found.layers] == [
        "stage1_1_conv",
        "stage1_2_conv",
        "stage2_1_conv",
        "stage2_2_conv",
    ]
    assert [layer.signs for layer in found.layers] == [64 * 64 * 32] * 3 + [64 * 16 * 64]


def test_accuracy_is_of_the_whole_test_split_and_agrees_with_training(found, trained):
    result = trained.binarized.result()["test"]
    assert found.accuracy["keras"].top1 == pytest.approx(result["top1"])
    assert all(row.images == result["images"] for row in found.accuracy.values())
    assert set(found.accuracy) == {*Bundle.RUNTIMES, "keras", "keras float"}


@pytest.mark.parametrize("index", [0, 2])
def test_a_wrong_layer_is_named(trained, tmp_path, index):
    bundle = tampered(trained.bundle, tmp_path / "bundle", Bundle.MODEL, with_flipped_weights(index))
    found = verification.verify(bundle, trained.binarized, images=16)
    assert not found.passed
    # The layer in front of whose sign the difference shows is the one behind the layer that is wrong.
    assert found.first_difference.name == found.layers[index + 1].name
    assert found.first_difference.margin > 0.1
    with pytest.raises(LqFdaError, match=r"failed \d of 5 gates: .*distance from zero of a sign that flips first"):
        found.require_passed()


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


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content[:100],
        lambda content: b"",
        lambda content: content.replace(b"outputs_model", b"outputs_medel"),
    ],
    ids=["truncated", "empty", "renamed"],
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
