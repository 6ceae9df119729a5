"""Bundles that are damaged, newer or malicious."""

import io
import json
import zipfile

import numpy as np
import pytest
from lq_fda_runtime import Bundle, LqFdaRuntimeError, preprocess

FILES = ("model.tflite", "float.tflite", "int8.tflite", "golden.npz", "labels.txt")


def test_an_intact_bundle_passes(intact):
    opened = Bundle(intact)
    opened.check()
    assert opened.models() == ["model.tflite", "int8.tflite", "float.tflite"]
    assert opened.labels() == [str(digit) for digit in range(10)]
    assert opened.golden().inputs.shape[1:] == (8, 8, 3)


@pytest.mark.parametrize("name", FILES)
def test_a_changed_bit_is_found_before_the_file_is_used(bundle, name):
    content = bytearray((bundle / name).read_bytes())
    content[len(content) // 2] ^= 1
    (bundle / name).write_bytes(content)
    with pytest.raises(LqFdaRuntimeError, match="is not the file that the manifest describes"):
        Bundle(bundle).read(name)
    with pytest.raises(LqFdaRuntimeError, match="is not the file that the manifest describes"):
        Bundle(bundle).check()


@pytest.mark.parametrize("name", FILES)
def test_missing_cut_and_longer_files_are_found(bundle, name):
    content = (bundle / name).read_bytes()
    for wrong in (content[:-1], content + b"\0", None):
        (bundle / name).unlink()
        if wrong is not None:
            (bundle / name).write_bytes(wrong)
        with pytest.raises(LqFdaRuntimeError, match=f"damaged: '{name}'"):
            Bundle(bundle).read(name)


def test_a_newer_format_has_its_own_message(bundle, edit):
    edit("format", to=2)
    edit("preprocessing", to="something else by then")
    with pytest.raises(LqFdaRuntimeError, match=r"newer than this program.*Received: format=2.*Update"):
        Bundle(bundle)


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (("format",), 0, "format=0"),
        (("format",), True, "format=True"),
        (("format",), "1", "format='1'"),
        (("format",), 1.0, r"format=1\.0"),
        (("name",), 7, "name is no text"),
        (("classes",), 1, "classes=1"),
        (("classes",), 10**9, "classes=1000000000"),
        (("output",), "probabilities", "output='probabilities'"),
        (("preprocessing",), [], "preprocessing is no table"),
        (("preprocessing", "height"), 0, "height=0"),
        (("preprocessing", "height"), 5000, "height=5000"),
        (("preprocessing", "width"), 8.0, r"width=8\.0"),
        (("preprocessing", "crop"), 0, "crop=0"),
        (("preprocessing", "crop"), 1.5, r"crop=1\.5"),
        (("preprocessing", "scale"), [1, 2], "scale does not hold 3 numbers"),
        (("preprocessing", "offset"), [1, 2, "3"], "offset='3'"),
        (("preprocessing", "offset"), [1, 2, float("nan")], "offset=nan"),
        (("preprocessing", "offset"), [1, 2, float("-inf")], "offset=-inf"),
        (("preprocessing", "offset"), [1, 2, 1e300], r"offset=1e\+300"),
        (("preprocessing", "scale"), [1, 2, -(10**400)], "scale=-1000.* is no number"),
        (("preprocessing", "scale"), [1, 2, 2.0**119 * 1.01], "scale=.* is no number"),
        (("preprocessing", "crop"), 10**400, "crop=1000.* is no number"),
        (("accuracy",), {"float": {"top1": 10**400}}, "accuracy.float.top1=1000.* is no number"),
        (("preprocessing", "antialias"), True, r"unknown fields \['antialias'\]"),
        (("files",), None, "files is no table"),
        (("files", "../up.tflite"), {"sha256": "0" * 64, "bytes": 1}, "no plain file name"),
        (("files", "/etc/passwd"), {"sha256": "0" * 64, "bytes": 1}, "no plain file name"),
        (("files", "sub\\x.tflite"), {"sha256": "0" * 64, "bytes": 1}, "no plain file name"),
        (("files", ".."), {"sha256": "0" * 64, "bytes": 1}, "no plain file name"),
        (("files", "model.tflite", "sha256"), "00", "is no sha256"),
        (("files", "model.tflite", "bytes"), -1, "bytes=-1"),
        (("files", "model.tflite", "bytes"), 1 << 40, "bytes=1099511627776"),
        (("files", "model.tflite", "url"), "http://", "unknown fields"),
    ],
)
def test_an_odd_manifest_is_refused(bundle, edit, path, value, words):
    edit(*path, to=value)
    with pytest.raises(LqFdaRuntimeError, match=words):
        Bundle(bundle)


def test_the_largest_numbers_give_finite_inputs(bundle, edit):
    for scale, offset in (((2.0**119,) * 3, (2.0**119,) * 3), ((-(2.0**119),) * 3, (-(2.0**119),) * 3)):
        edit("preprocessing", "scale", to=scale)
        edit("preprocessing", "offset", to=offset)
        spec = Bundle(bundle).preprocessing
        assert np.isfinite(preprocess(np.full((8, 8, 3), 255, np.uint8), spec)).all()


def test_fields_that_a_device_does_not_need_are_passed_over(bundle, edit):
    edit("conversion", to={"anything": 1})
    edit("remark", to="new in some later lq_fda")
    assert Bundle(bundle).manifest.classes == 10


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 100_000])
def test_a_manifest_that_is_no_json_table_is_refused(bundle, content):
    (bundle / "manifest.json").write_bytes(content)
    with pytest.raises(LqFdaRuntimeError, match="manifest is damaged"):
        Bundle(bundle)


def test_a_manifest_without_end_is_refused(bundle):
    manifest = bundle / "manifest.json"
    manifest.write_bytes(manifest.read_bytes() + b" " * (1 << 24))
    with pytest.raises(LqFdaRuntimeError, match="more than 16777216 bytes"):
        Bundle(bundle)


def test_labels_have_to_match_the_classes(bundle, put):
    put("labels.txt", b"one\ntwo\n")
    with pytest.raises(LqFdaRuntimeError, match="2 labels for 10 classes"):
        Bundle(bundle).labels()
    put("labels.txt", b"\xff\xfe")
    with pytest.raises(LqFdaRuntimeError, match="not UTF-8"):
        Bundle(bundle).labels()


def test_a_label_may_hold_what_other_programs_take_for_the_end_of_a_line(bundle, put):
    names = ["a\u0085b", "c\u2028d", "e\x0cf", *map(str, range(7))]
    for end in ("\n", "\r\n"):
        put("labels.txt", "".join(f"{name}{end}" for name in names).encode())
        assert Bundle(bundle).labels() == names
    put("labels.txt", "\n".join(names).encode())
    assert Bundle(bundle).labels() == names


def test_the_network_has_to_match_the_preprocessing(bundle, edit):
    edit("preprocessing", "height", to=16)
    with pytest.raises(LqFdaRuntimeError, match=r"input shape \(1, 8, 8, 3\) where the manifest says \(1, 16, 8, 3\)"):
        Bundle(bundle).session()


@pytest.mark.parametrize("file", ["labels.txt", "other.tflite", "../model.tflite"])
def test_only_networks_of_the_bundle_run(intact, file):
    with pytest.raises(LqFdaRuntimeError, match=r"no network|no such file"):
        Bundle(intact).session(file)


def npz(**arrays):
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def lying_header():
    """An array of 8 bytes whose header claims a terabyte."""
    member = io.BytesIO()
    np.lib.format.write_array_header_1_0(member, {"descr": "<f4", "fortran_order": False, "shape": (10**9, 8, 8, 3)})
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("inputs.npy", member.getvalue() + bytes(8))
    return buffer.getvalue()


def header(text, compression=zipfile.ZIP_STORED):
    """An array whose header is a text."""
    member = np.lib.format.magic(1, 0) + len(text).to_bytes(2, "little") + text.encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        archive.writestr("inputs.npy", member)
    return buffer.getvalue()


GOOD = np.ones((2, 8, 8, 3), np.float32)
OUT = np.ones((2, 10), np.float32)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK\x03\x04 no archive",
        npz(),
        npz(inputs=GOOD, outputs_model=OUT, outputs_int8=OUT),
        npz(inputs=GOOD, outputs_model=OUT, outputs_int8=OUT, outputs_float=OUT[:1]),
        npz(inputs=GOOD, outputs_model=OUT, outputs_int8=OUT, outputs_float=OUT[:, :9]),
        npz(inputs=GOOD, outputs_model=OUT, outputs_int8=OUT, outputs_float=OUT.astype(float)),
        npz(inputs=GOOD, outputs_model=OUT, outputs_int8=OUT, outputs_float=OUT * np.nan),
        npz(inputs=GOOD[:0], outputs_model=OUT[:0], outputs_int8=OUT[:0], outputs_float=OUT[:0]),
        npz(inputs=GOOD[:, :4], outputs_model=OUT, outputs_int8=OUT, outputs_float=OUT),
        npz(inputs=np.array([{}], object)),
        lying_header(),
        header("{'descr': '<f4', ("),
        header(f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({10**40}, 8, 8, 3), }}\n"),
        header("\\"),
        header("{" * 5000),
        header("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 8, 8, 3), }\n", zipfile.ZIP_LZMA),
    ],
    ids=[
        "empty",
        "cut",
        "nothing",
        "one less",
        "short",
        "classes",
        "float64",
        "nan",
        "no images",
        "size",
        "pickle",
        "lie",
        "open bracket",
        "huge shape",
        "backslash",
        "deep",
        "lzma",
    ],
)
def test_odd_golden_archives_are_refused(bundle, put, content):
    put("golden.npz", content)
    with pytest.raises(LqFdaRuntimeError, match="no golden inputs and outputs"):
        Bundle(bundle).golden()


def test_golden_archives_that_unpack_to_too_much_are_refused(intact, monkeypatch):
    golden = Bundle(intact).golden()
    monkeypatch.setattr("lq_fda_runtime.golden._LARGEST_ARRAY", golden.inputs.nbytes)  # The header comes on top.
    with pytest.raises(LqFdaRuntimeError, match=f"inputs unpacks to {golden.inputs.nbytes + 128} bytes"):
        Bundle(intact).golden()


def test_classify_takes_pixels_and_is_confident_where_the_network_is(intact, golden):
    best = Bundle(intact).classify(golden["images"][0], top=1)
    assert best[0].label == str(golden["outputs_model"][0].argmax())
    assert json.dumps(best[0].probability)  # A plain float.
