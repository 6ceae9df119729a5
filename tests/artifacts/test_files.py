"""Files are whole or absent, and damage is named."""

import errno
import json
import os
import resource

import pydantic
import pytest

from lq_fda.artifacts import (
    RunDir,
    append_record,
    atomic_directory,
    read_json,
    read_records,
    write_atomic,
    write_json,
)
from lq_fda.errors import LqFdaError


def test_a_failed_directory_leaves_the_old_one(tmp_path):
    target = tmp_path / "bundle"
    with atomic_directory(target) as folder:
        (folder / "a").write_text("old")
    with pytest.raises(KeyError), atomic_directory(target) as folder:
        (folder / "a").write_text("new")
        raise KeyError
    assert (target / "a").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


def test_a_finished_directory_replaces_the_old_one(tmp_path):
    target = tmp_path / "bundle"
    for content in ("old", "new"):
        with atomic_directory(target) as folder:
            (folder / content).write_text(content)
    assert [path.name for path in target.iterdir()] == ["new"]
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


def test_unwritable_place_is_one_clear_error(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    for attempt in (
        lambda: write_atomic(tmp_path / "file" / "x", b""),
        lambda: write_json(tmp_path / "file" / "x", {}),
    ):
        with pytest.raises(LqFdaError, match=r"Could not write.*Choose another output folder"):
            attempt()


def test_full_disk_keeps_what_was_there(tmp_path, monkeypatch):
    target = tmp_path / "x"
    write_atomic(target, "old")

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(LqFdaError, match="No space left on device"):
        write_atomic(target, "new")
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 200_000])
def test_damaged_json_is_named(tmp_path, content):
    (tmp_path / "x.json").write_bytes(content)
    with pytest.raises(LqFdaError, match=r"damaged.*x\.json"):
        read_json(tmp_path / "x.json")


def test_json_of_absurd_size_is_not_read(tmp_path):
    with (tmp_path / "x.json").open("wb") as file:
        file.truncate(1 << 27)
    with pytest.raises(LqFdaError, match="more than"):
        read_json(tmp_path / "x.json")


def test_a_directory_that_cannot_be_moved_into_place_leaves_the_old_one(tmp_path, monkeypatch):
    target = tmp_path / "bundle"
    with atomic_directory(target) as folder:
        (folder / "a").write_text("old")
    replace = os.replace

    def refuse(source, destination):
        if destination == target and "old" not in str(source):
            raise OSError(errno.EACCES, "Permission denied")
        replace(source, destination)

    with pytest.raises(LqFdaError, match="Permission denied"), atomic_directory(target) as folder:
        (folder / "a").write_text("new")
        monkeypatch.setattr(os, "replace", refuse)
    assert (target / "a").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


def test_a_directory_that_can_be_moved_neither_in_nor_back_is_kept_and_comes_back(tmp_path, monkeypatch):
    target = tmp_path / "bundle"
    with atomic_directory(target) as folder:
        (folder / "a").write_text("old")
    replace = os.replace

    def refuse(source, destination):
        if destination == target:
            raise OSError(errno.EACCES, "Permission denied")
        replace(source, destination)

    with pytest.raises(LqFdaError, match="Nothing is lost") as caught, atomic_directory(target) as folder:
        (folder / "a").write_text("new")
        monkeypatch.setattr(os, "replace", refuse)
    (kept,) = tmp_path.glob(".bundle.old.*/bundle")
    assert str(kept) in str(caught.value) and (kept / "a").read_text() == "old"
    monkeypatch.undo()
    with pytest.raises(KeyError), atomic_directory(target):
        raise KeyError
    assert (target / "a").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


def test_leftovers_of_a_killed_call_are_cleared_and_nothing_else(tmp_path):
    theirs = (".bundle.new.abcdefgh", ".bundle.old.abcdefgh", ".bundle.new._0z9_0z9")
    others = (".bundle.abcdefgh", ".bundle.new.abc", ".bundle2.new.abcdefgh", ".bundle.new.new.abcdefgh", "bundle.new")
    for name in (*theirs, *others):
        (tmp_path / name / "bundle").mkdir(parents=True)
    with atomic_directory(tmp_path / "bundle") as folder:
        (folder / "a").write_text("new")
    assert {path.name for path in tmp_path.iterdir()} == {"bundle", *others}
    assert [path.name for path in (tmp_path / "bundle").iterdir()] == ["a"]


def test_a_record_is_appended_whole_or_not_at_all(tmp_path):
    class Record(pydantic.BaseModel):
        text: str

    path = tmp_path / "records.jsonl"
    append_record(path, Record(text="é"))
    whole = path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(whole) + 5, limits[1]))
    try:
        with pytest.raises(LqFdaError, match=r"Could not write a record.*File too large"):
            append_record(path, Record(text="b" * 100))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == whole
    path.write_bytes(whole + b'{"text": "a kill in the midd')
    append_record(path, Record(text="c"))
    assert json.loads(path.read_text().splitlines()[-1]) == {"text": "c"}


def test_records_that_are_no_text_are_named(tmp_path):
    (tmp_path / "x.jsonl").write_bytes(b"\xff\xfe{}\n")
    with pytest.raises(LqFdaError, match=r"no record.*BenchmarkRecord.*x\.jsonl:1"):
        list(read_records(tmp_path / "x.jsonl"))


def test_records_hold_numbers(tmp_path):
    fields = {
        "run": "r", "date": "d", "bundle": "b", "file": "f", "sha256": "s", "runtime": "litert", "runtime_version": "2",
        "threads": 1, "input_shape": [1], "warmups": 0, "rounds": 1, "median_ms": 7, "p90_ms": 8, "min_ms": 6,
        "file_bytes": 1, "environment": {}, "command": "",
    }  # fmt: skip
    path = tmp_path / "x.jsonl"
    for number in ("7", "NaN", "Infinity", "1e999"):
        path.write_text(json.dumps(fields).replace("7", number))
        if number == "7":
            assert next(read_records(path)).median_ms == 7
            continue
        with pytest.raises(LqFdaError, match=r"no record.*BenchmarkRecord.*x\.jsonl:1"):
            list(read_records(path))


def test_records_that_are_not_there_are_named(tmp_path):
    with pytest.raises(LqFdaError, match=r"records cannot be read.*x\.jsonl"):
        list(read_records(tmp_path / "x.jsonl"))


@pytest.mark.parametrize("content", ["{}", "[1]", '{"test": 3}'])
def test_a_damaged_result_is_named(tmp_path, content):
    (tmp_path / "result.json").write_text(content)
    with pytest.raises(LqFdaError, match=r"result is damaged.*result\.json"):
        RunDir(tmp_path).result()
