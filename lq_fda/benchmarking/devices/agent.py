"""What a device answers with: ssh feeds this file to the device's Python, which then speaks in lines of JSON.

It takes the files of a measurement, starts `worker.py`, which outlives the connection, and passes on what that says. It
stands alone: Python's standard library is all that it has.

    ~/.cache/lq-fda/
        lock            held by whoever works; names the job and the process
        runtime-KEY/    the virtual environment; kept for the next time
        job-NAME/       the files of one measurement, and messages.jsonl; removed when its records have been fetched
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import platform
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import time

GREETING = "lq-fda agent 1"
MESSAGES, JOB = "messages.jsonl", "job.json"
_LOG, _AGENT, _WORKER = "log.txt", "agent.py", "worker.py"
_JOB_NAME = re.compile(r"[0-9a-f]{32}")
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_WEEK = 7 * 24 * 3600
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_ALIVE_AFTER = 3.0  # Seconds of silence after which it says that it is still there.


class Refusal(Exception):
    """What the user is to read: what is wrong, and what to do."""

    def __init__(self, problem, cure):
        super().__init__(problem)
        self.problem = problem
        self.cure = cure


def serve(source):
    """Talks to the other end of the connection, which may break at any time: then the work goes on."""
    sys.stdout.write("\n" + GREETING + "\n")  # What a login prints need not end its line.
    _send(
        kind="device",
        system=platform.system(),
        machine=platform.machine(),
        bits=8 * struct.calcsize("P"),
        python=list(sys.version_info[:3]),
    )
    request = _receive()
    if request is None:
        return
    home = os.path.join(os.path.expanduser("~"), ".cache", "lq-fda")
    name = request["name"]
    if not _JOB_NAME.fullmatch(name):
        raise ValueError("no name of a job")
    folder = os.path.join(home, "job-" + name)
    try:
        with explained(home):
            os.makedirs(home, exist_ok=True)
            _tidy(home)
            known = os.path.exists(os.path.join(folder, JOB))
            _send(kind="want", files=not known)
            if not known:
                _take(request, source, folder)
            _start(home, name, folder)
            finished = _follow(home, folder)
    except Refusal as refusal:
        _send(kind="error", problem=refusal.problem, cure=refusal.cure)
        finished = True
    # Nothing is removed before the other end has said that it has everything.
    if not finished or _receive() is not None:
        _forget(home, name, folder)
        _send(kind="forgotten")


def _send(**message):
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def _receive():
    """The next line of the other end; None when it has gone."""
    line = sys.stdin.buffer.readline()
    return json.loads(line) if line.endswith(b"\n") else None


def _tidy(home):
    """Removes measurements that nobody has come back for in a week."""
    for entry in os.scandir(home):
        if entry.name.startswith("job-") and time.time() - entry.stat().st_mtime > _WEEK:
            shutil.rmtree(entry.path, ignore_errors=True)


def _take(request, source, folder):
    """Reads the files of a job; the folder appears when all of them are there and are the right ones."""
    staging = f"{folder}.{os.getpid()}"
    try:
        os.mkdir(staging)
        for entry in request["files"]:
            if not _FILE_NAME.fullmatch(entry["name"]):
                raise ValueError("no name of a file")
            _take_file(os.path.join(staging, entry["name"]), entry)
        for name, content in ((_AGENT, source), (JOB, json.dumps(request["job"]).encode())):
            with open(os.path.join(staging, name), "wb") as file:
                file.write(content)
        shutil.rmtree(folder, ignore_errors=True)
        os.rename(staging, folder)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _take_file(path, entry):
    digest, left, said = hashlib.sha256(), entry["bytes"], time.monotonic()
    with open(path, "wb") as file:
        while left:
            block = sys.stdin.buffer.read(min(left, 1 << 16))
            if not block:
                sys.exit(1)  # The connection broke; the other end comes back.
            left -= len(block)
            digest.update(block)
            file.write(block)
            if time.monotonic() - said > _ALIVE_AFTER:  # The other end has sent all long before it is here.
                _send(kind="alive")
                said = time.monotonic()
    if digest.hexdigest() != entry["sha256"]:
        raise Refusal(f"A file arrived damaged. Received: {entry['name']}.", "Run the same command again.")


def _start(home, name, folder):
    """Starts the work, unless it is under way or done."""
    with open(os.path.join(home, "lock"), "a+") as lock:
        # It is held for a moment by whoever looks, too.
        if not _taken(lock, tries=5):
            if _holder(home)[:1] == [name]:
                return
            raise Refusal(
                "The device is busy with another measurement; two at once would disturb each other.",
                "Wait until that has ended, and run the same command again.",
            )
        if _ended(folder):
            return
        _keep_records(folder)
        lock.truncate(0)
        with open(os.path.join(folder, _LOG), "ab") as log:
            worker = subprocess.Popen(
                [sys.executable, _WORKER],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=(lock.fileno(),),  # The lock lives as long as somebody has it open.
            )
        lock.write(f"{name} {worker.pid}\n")


def _keep_records(folder):
    """Of an attempt that a power cut ended, the runs that are whole stay: a record for each network; the rest goes."""
    path, found = os.path.join(folder, MESSAGES), []
    for line in whole_lines(path, 0):
        with contextlib.suppress(ValueError):
            found.append(json.loads(line))
    records = [message for message in found if message["kind"] == "record"]
    runs = [message["record"]["run"] for message in records]
    networks = sum(name.endswith(".tflite") for name in os.listdir(folder))
    kept = [message for message in records if runs.count(message["record"]["run"]) == networks]
    with open(path + ".new", "w") as file:
        file.write("".join(json.dumps(message) + "\n" for message in kept))
    os.replace(path + ".new", path)


def _taken(lock, tries=1):
    """Whether the lock is ours now."""
    for again in reversed(range(tries)):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except OSError:
            time.sleep(0.1 if again else 0)
    return False


def _holder(home):
    with open(os.path.join(home, "lock")) as file:
        return file.read().split()


def _works(home):
    """Whether somebody works on this device."""
    with open(os.path.join(home, "lock"), "a+") as lock:
        return not _taken(lock)


def _ended(folder):
    with contextlib.suppress(FileNotFoundError), open(os.path.join(folder, MESSAGES), "rb") as file:
        return any(_is_last(line) for line in file)
    return False


def _is_last(line):
    return line.endswith(b"\n") and json.loads(line)["kind"] in ("end", "error")


def _follow(home, folder):
    """Passes on the messages of the work, from the first; returns whether that has ended."""
    place, said = 0, time.monotonic()
    path = os.path.join(folder, MESSAGES)
    while True:
        works = _works(home)  # Asked first, so that its last words are not missed.
        lines = whole_lines(path, place)
        for line in lines:
            place += len(line)
            sys.stdout.write(line.decode())
            if _is_last(line):
                sys.stdout.flush()
                return True
        if lines:
            sys.stdout.flush()
            said = time.monotonic()
        elif not works:
            raise _died(folder)
        elif time.monotonic() - said > _ALIVE_AFTER:
            _send(kind="alive")
            said = time.monotonic()
        if select.select([sys.stdin.buffer], [], [], 0.3)[0]:
            if _receive() is None:
                sys.exit(1)  # The connection broke; the work goes on.
            return False


def whole_lines(path, place):
    """The whole lines of a file from a place on."""
    try:
        with open(path, "rb") as file:
            file.seek(place)
            return [line for line in file.readlines() if line.endswith(b"\n")]
    except FileNotFoundError:
        return []


def _died(folder):
    with open(os.path.join(folder, _LOG), "rb") as file:
        log = file.read().decode(errors="replace")
    if shutil.disk_usage(folder).free < 1 << 20:
        return full(folder)
    last = (log.strip().splitlines() or ["nothing"])[-1]
    return Refusal(
        f"The measurement on the device ended before it was done. Received: {last[:300]}.",
        "See whether the device has enough memory, and run the same command again.",
    )


def _forget(home, name, folder):
    """Stops the work on a job and removes it."""
    holder = _holder(home) if os.path.exists(os.path.join(home, "lock")) else []
    if holder[:1] == [name] and len(holder) == 2 and _works(home):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(int(holder[1]), signal.SIGKILL)
        while _works(home):
            time.sleep(0.1)
    shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def explained(home):
    """Turns what the operating system refuses into a sentence with a cure."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        if error.errno in FULL:
            raise full(home) from error
        raise Refusal(
            f"The device's file system refuses. Received: {error.filename} ({error.strerror}).",
            "See that you may write to ~/.cache on the device.",
        ) from error


def full(home):
    return Refusal(
        "The device is full: the files or the runtime do not fit. What was sent has been removed. "
        f"Received: {shutil.disk_usage(os.path.expanduser('~')).free >> 20} MiB free in {home}.",
        "Free some space there (the runtime takes about 200 MiB, once), and run the same command again.",
    )


if __name__ == "__main__":
    serve(globals()["source"])
