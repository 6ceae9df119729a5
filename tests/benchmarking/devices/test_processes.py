"""Talking to a program that takes its time, or does not listen."""

import hashlib
import io
from types import SimpleNamespace

import pytest

from lq_fda.benchmarking.devices import agent, ssh
from lq_fda.benchmarking.devices.processes import Process, Silence

MUCH = b"x" * (1 << 20)  # More than a pipe holds.


def test_what_a_program_takes_late_arrives_whole():
    with Process(["sh", "-c", "sleep 0.5; sha256sum"]) as process:
        process.send(MUCH, timeout=20)
        process._process.stdin.close()
        (line,) = process.lines(timeout=20)
    assert line.split()[0].decode() == hashlib.sha256(MUCH).hexdigest()


def test_a_program_that_takes_nothing_is_not_waited_for_for_ever(monkeypatch):
    monkeypatch.setattr(ssh, "PATIENCE", 0.2)
    with Process(["sleep", "60"]) as process:
        with pytest.raises(Silence):
            process.send(MUCH, timeout=0.2)
        with pytest.raises(ssh.Unreachable, match=r"fallen silent.*taken from board in 0 seconds"):
            ssh.send(process, ssh.Address("board"), MUCH)


def test_what_a_program_that_has_ended_does_not_take_is_lost():
    with Process(["true"]) as process:
        process.wait()
        process.send(MUCH, timeout=1)


def test_a_device_that_takes_files_slowly_says_that_it_is_alive(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(agent, "_ALIVE_AFTER", -1.0)
    monkeypatch.setattr(agent.sys, "stdin", SimpleNamespace(buffer=io.BytesIO(MUCH + b"next")))
    entry = {"name": "a", "bytes": len(MUCH), "sha256": hashlib.sha256(MUCH).hexdigest()}
    agent._take_file(tmp_path / "a", entry)
    assert (tmp_path / "a").read_bytes() == MUCH and agent.sys.stdin.buffer.read() == b"next"
    assert capsys.readouterr().out.splitlines() == ['{"kind": "alive"}'] * 16
