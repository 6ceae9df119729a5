"""The benchmark's protocol and its records, on a bundle of real (small) files."""

from pathlib import Path

import numpy as np
import pytest

from lq_fda import benchmarking
from lq_fda._keras import keras, tf
from lq_fda.artifacts import Bundle, Preprocessing, append_record, read_records, usable_cores, write_json
from lq_fda.artifacts.bundle import ConversionReport, Manifest, file_entry
from lq_fda.benchmarking.memory import peak_memory
from lq_fda.errors import LqFdaError


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundle")
    inputs = keras.Input((8, 8, 3), batch_size=1)
    model = keras.Model(inputs, keras.layers.Dense(3)(keras.layers.GlobalAveragePooling2D()(inputs)))
    content = tf.lite.TFLiteConverter.from_keras_model(model).convert()
    for name in (Bundle.FLOAT, Bundle.INT8):
        (folder / name).write_bytes(content)
    manifest = Manifest(
        name="small",
        created="2026-01-01",
        model={},
        dataset="none",
        preprocessing=Preprocessing(height=8, width=8, scale=(1, 1, 1), offset=(0, 0, 0)),
        classes=3,
        files={name: file_entry(folder / name) for name in (Bundle.FLOAT, Bundle.INT8)},
        trained_twins=False,
        versions={},
        conversion=ConversionReport(layers=(), operators={}),
    )
    write_json(folder / Bundle.MANIFEST, manifest.model_dump(mode="json"))
    return Bundle(folder)


def test_records_are_of_one_run_and_survive_a_file(bundle, tmp_path):
    seen = []
    records = benchmarking.benchmark(
        bundle,
        threads=(1, usable_cores()),
        protocol=benchmarking.Protocol(warmups=1, rounds=5),
        progress=lambda done, total: seen.append((done, total)),
    )
    assert [(record.file, record.threads) for record in records] == [
        (Bundle.INT8, 1),
        (Bundle.FLOAT, 1),
        (Bundle.INT8, usable_cores()),
        (Bundle.FLOAT, usable_cores()),
    ]
    assert records[0].run == records[1].run != records[2].run
    assert seen == [(done, 10) for done in range(1, 11)]
    for record in records:
        assert 0 < record.min_ms <= record.median_ms <= record.p90_ms
        assert record.file_bytes == bundle.manifest.files[record.file].bytes
    assert benchmarking.ratio_to_int8(records[0], records) == 1
    assert benchmarking.ratio_to_int8(records[1], records) == records[1].median_ms / records[0].median_ms
    assert benchmarking.ratio_to_int8(records[1], records[2:]) is None
    for record in records:
        append_record(tmp_path / "records.jsonl", record)
    assert list(read_records(tmp_path / "records.jsonl")) == records


def test_bad_requests_are_named(bundle):
    for settings in ({"rounds": 0}, {"warmups": -1}):
        with pytest.raises(LqFdaError, match="nothing to measure"):
            benchmarking.Protocol(**settings)
    for threads in ((), (0,), (1, -2), (1, 10**6)):
        with pytest.raises(LqFdaError, match="threads"):
            benchmarking.benchmark(bundle, threads=threads)


def test_a_damaged_bundle_is_refused(bundle, tmp_path):
    for name in (*bundle.manifest.files, Bundle.MANIFEST):
        (tmp_path / name).write_bytes((bundle.path / name).read_bytes())
    content = bytearray((tmp_path / Bundle.INT8).read_bytes())
    content[np.random.default_rng(0).integers(len(content))] ^= 1
    (tmp_path / Bundle.INT8).write_bytes(content)
    with pytest.raises(LqFdaError, match=r"damaged: 'int8\.tflite'"):
        benchmarking.benchmark(Bundle(tmp_path))


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="memory is measured on Linux only")
def test_memory_does_not_hold_what_verifies_the_file(bundle):
    path = bundle.file(Bundle.FLOAT)
    litert, lce = (peak_memory(runtime, path) for runtime in ("litert", "lce"))
    # A second runtime in the same process would more than double it.
    assert litert > 0 and lce > 0 and lce < 1.6 * litert + 2**20


def test_memory_of_a_file_that_does_not_run_is_unknown(tmp_path):
    (tmp_path / "x.tflite").write_bytes(b"nothing")
    assert peak_memory("litert", tmp_path / "x.tflite") is None
