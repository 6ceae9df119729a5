"""What measures on a device: a process of its own, which no connection ends. It lies beside `agent.py` there.

First it makes a virtual environment with lq_fda_runtime, then it goes on in that. The working directory is the job's.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import time

from agent import FULL, JOB, MESSAGES, Refusal, explained, full, whole_lines


def prepare():
    """Makes the environment and goes on in it. What it has to say goes into a file, which `agent.py` passes on."""
    with _reported():
        with open(JOB) as file:
            python = _environment(json.load(file)["wheel"])
        os.execv(python, [python, __file__, "measure"])


def _note(*messages):
    """Adds messages, all in one go: after a power cut a part of them can be told."""
    with open(MESSAGES, "ab", buffering=0) as file:
        file.write("".join(json.dumps(message) + "\n" for message in messages).encode())


@contextlib.contextmanager
def _reported():
    try:
        with explained(os.getcwd()):
            yield
    except Refusal as refusal:
        _note({"kind": "error", "problem": refusal.problem, "cure": refusal.cure})


def _environment(wheel):
    """The Python of an environment with the runtime in it; installing takes minutes, so it is kept."""
    with open(wheel, "rb") as file:
        key = hashlib.sha256(file.read() + sys.version.encode() + platform.machine().encode()).hexdigest()[:16]
    home = os.path.dirname(os.getcwd())
    folder = os.path.join(home, "runtime-" + key)
    python = os.path.join(folder, "bin", "python")
    if os.path.exists(os.path.join(folder, "ready")):
        return python
    _note({"kind": "stage", "text": "installing the runtime"})
    try:
        import ensurepip  # noqa: F401
    except ImportError:
        raise Refusal(
            "Python on the device cannot make virtual environments.", "Install there: sudo apt install python3-venv."
        ) from None
    shutil.rmtree(folder, ignore_errors=True)
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--no-cache-dir"]
    try:
        _run([sys.executable, "-m", "venv", folder])
        _run([*pip, os.path.join(os.getcwd(), wheel)])
        open(os.path.join(folder, "ready"), "w").close()
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    for entry in os.scandir(home):
        if entry.name.startswith("runtime-") and entry.path != folder:
            shutil.rmtree(entry.path, ignore_errors=True)
    return python


def _run(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    said = done.stdout.decode(errors="replace").strip()
    if done.returncode == 0:
        return
    print(said, flush=True)
    if any(os.strerror(number) in said for number in FULL):
        raise full(os.path.dirname(os.getcwd()))
    errors = [line for line in said.splitlines() if line.startswith("ERROR")] or said.splitlines() or ["nothing"]
    raise Refusal(
        f"The runtime cannot be installed on the device. Received: {errors[-1][:300]}.",
        "The device needs its package index (pip), and Python 3.9 or later, on 32-bit ARM no later than 3.11.",
    )


def measure():
    """Runs in the environment: first whether the device computes what the converting machine did, then how fast."""
    from pathlib import Path

    from lq_fda_runtime import Bundle, LqFdaRuntimeError, benchmark, machine, selftest

    with open(JOB) as file:
        job = json.load(file)
    folder = Path.cwd()
    with _reported():
        try:
            _note({"kind": "stage", "text": "self-test"})
            selftest.require_passed(selftest.selftest(Bundle(folder)))
            messages = [json.loads(line) for line in whole_lines(MESSAGES, 0)]
            done = {message["record"]["threads"] for message in messages if message["kind"] == "record"}
            wanted = list(dict.fromkeys(machine.usable_cores() if one == "all" else one for one in job["threads"]))
            rounds = job["protocol"]["rounds"]
            for index, count in enumerate(wanted):
                if count in done:
                    continue
                records = benchmark.benchmark(
                    folder,
                    threads=(count,),
                    protocol=benchmark.Protocol(**job["protocol"]),
                    command=job["command"],
                    progress=_Progress(index * rounds, len(wanted) * rounds),
                )
                _note(*({"kind": "record", "record": record} for record in records))
        except LqFdaRuntimeError as error:
            raise Refusal("On the device: " + error.problem, error.cure) from error
        except MemoryError:
            raise Refusal("The device has too little memory.", "Close other programs there.") from None
        _note({"kind": "end"})


class _Progress:
    """Notes how far it is, once a second: writing costs time."""

    def __init__(self, offset, total):
        self._offset = offset
        self._total = total
        self._next = 0.0

    def __call__(self, done, _):
        if time.monotonic() > self._next:
            self._next = time.monotonic() + 1
            _note({"kind": "progress", "done": self._offset + done, "total": self._total})


if __name__ == "__main__":
    measure() if sys.argv[1:] == ["measure"] else prepare()
