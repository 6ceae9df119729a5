"""Files are whole or absent, and damage is named."""

import errno
import os

import pytest

from lq_fda.artifacts import RunDir, atomic_directory, read_json, read_records, write_atomic, write_json
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


def test_records_that_are_not_there_are_named(tmp_path):
    with pytest.raises(LqFdaError, match=r"records cannot be read.*x\.jsonl"):
        list(read_records(tmp_path / "x.jsonl"))


@pytest.mark.parametrize("content", ["{}", "[1]", '{"test": 3}'])
def test_a_damaged_result_is_named(tmp_path, content):
    (tmp_path / "result.json").write_text(content)
    with pytest.raises(LqFdaError, match=r"result is damaged.*result\.json"):
        RunDir(tmp_path).result()
