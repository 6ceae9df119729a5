"""A stand-in for adb and for a phone with the demo app.

No phone was attached where these tests were written, and no adb was installed: what it says on errors, and its exit
codes, are adb's as far as we know them, and have not been compared with a real one. Its shell is this machine's
/bin/sh, which reads joined arguments as a phone's does; paths of the phone are found under a folder, and `am`, `pm`,
`pidof` and `dumpsys` are small programs there. The app's record has the fields of Benchmark.kt, and made-up times.

The folder's state.json says how it behaves: `phones`, serials with their states; `full`, whether nothing can be
written; `app`, what becomes of the app: ok, error, dies, hangs, old, absent; `gone`, for how many commands the phone is
unplugged once the app runs; `lines`, what the record holds instead.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(os.environ["STAND_IN"])
STATE = ROOT / "state.json"
APP = "org.lqfda.demo"
FILES = ROOT / "sdcard/Android/data" / APP / "files"


def fail(text, code=1):
    sys.stderr.write(text + "\n")
    sys.exit(code)


def choose(state, serial, prefix):
    phones = state["phones"]
    if serial is None and not phones:
        fail(f"{prefix}no devices/emulators found")
    if serial is None and len(phones) > 1:
        fail(f"{prefix}more than one device/emulator")
    serial = serial or next(iter(phones))
    if state.get("gone") and (FILES / "started").exists():
        STATE.write_text(json.dumps({**state, "gone": state["gone"] - 1}))
        fail(f"{prefix}device '{serial}' not found")
    if serial not in phones:
        fail(f"{prefix}device '{serial}' not found")
    if phones[serial] == "unauthorized":
        fail(
            f"{prefix}device unauthorized.\nThis adb server's $ADB_VENDOR_KEYS is not set\n"
            "Try 'adb kill-server' if that seems wrong.\nOtherwise check for a confirmation dialog on your device."
        )
    if phones[serial] == "offline":
        fail(f"{prefix}device offline")


def main(arguments):
    state = json.loads(STATE.read_text())
    with (ROOT / "calls.txt").open("a") as calls:
        calls.write(json.dumps(arguments) + "\n")
    if arguments == ["devices"]:
        print("List of devices attached")
        for serial, condition in state["phones"].items():
            print(f"{serial}\t{condition}")
        print()
        return
    serial = None
    if arguments[0] == "-s":
        serial, arguments = arguments[1], arguments[2:]
    if arguments[0] == "push":
        choose(state, serial, "adb: error: failed to get feature set: ")
        push(state, Path(arguments[1]), arguments[2])
    elif arguments[0] == "shell":
        choose(state, serial, "adb: ")
        shell(" ".join(arguments[1:]))
    else:
        fail(f"adb: unknown command {arguments[0]}")


def push(state, source, target):
    place = ROOT / target.lstrip("/")
    if state.get("full"):
        name = sorted(path.name for path in source.iterdir())[0]
        fail(f"adb: error: failed to copy '{source}/{name}' to '{target}/{name}': remote No space left on device")
    # As adb does: into a folder that exists, else as that folder.
    shutil.copytree(source, place / source.name if place.exists() else place)
    print(f"{source}/: {len(list(source.iterdir()))} files pushed, 0 skipped.")


def shell(command):
    mapped = re.sub(r"(?<![\w./-])/(sdcard|data|sys)/", rf"{ROOT}/\1/", command)
    path = f"{ROOT}/system/bin:/usr/bin:/bin"
    sys.exit(subprocess.run(["/bin/sh", "-c", mapped], env={"PATH": path, "STAND_IN": str(ROOT)}).returncode)


def app(arguments):
    """`am`: starts the app, which has done its work before the command returns."""
    state = json.loads(STATE.read_text())
    if arguments[0] == "force-stop":
        (FILES / "started").unlink(missing_ok=True)
        return
    extras = {arguments[i + 1]: arguments[i + 2] for i, one in enumerate(arguments) if one in ("--es", "--ez", "--ei")}
    assert arguments[:3] == ["start", "-n", f"{APP}/.FromAdb"] and extras["benchmark"] == "true"
    print(f"Starting: Intent {{ cmp={APP}/.FromAdb (has extras) }}")
    if state["app"] == "old":
        print(f"Error type 3\nError: Activity class {{{APP}/{APP}.FromAdb}} does not exist.")
        return
    (FILES / "started").touch()
    if state["app"] == "hangs":
        return
    if state["app"] == "dies":
        (FILES / "started").unlink()
        return
    done = {"status": "error", "message": "The bundle is damaged.\x1b[2J"}
    if state["app"] == "ok":
        lines = state.get("lines") or [json.dumps(one) for one in records(extras)]
        (FILES / "benchmark.jsonl").write_text("".join(line + "\n" for line in lines))
        done = {"status": "ok", "records": len(lines)}
    (FILES / "benchmark.done").write_text(json.dumps(done) + "\n")


def records(extras):
    folder = FILES / extras["bundle"]
    manifest = json.loads((folder / "manifest.json").read_text())
    options = f"--es bundle {extras['bundle']} --ez benchmark true --ei rounds {extras['rounds']}"
    command = f"am start -n {APP}/.FromAdb {options}"
    for threads in (1, 8):
        for file in ("model.tflite", "int8.tflite", "float.tflite"):
            yield {
                "kind": "latency", "run": f"{threads:032x}", "date": "2026-01-01T00:00:00+00:00",
                "bundle": manifest["name"], "threads": threads, "rounds": int(extras["rounds"]), "warmups": 20,
                "settle": 8,
                "environment": {
                    "system": "Android", "release": "14", "machine": "arm64-v8a", "board": "Nobody's phone",
                    "cpu": "none", "cores": 8, "memory_bytes": 8 << 30,
                    "versions": {"android_sdk": "34", "tflite": "2.16.1"},
                    "thermal_before": "none", "thermal_after": "light",
                },
                "command": command, "file": file, "sha256": manifest["files"][file]["sha256"],
                "runtime": "lq_fda" if file == "model.tflite" else "litert", "runtime_version": "0",
                "settings": {"interpreter": "tflite 2.16.1", "xnnpack": True}, "input_shape": [1, 8, 8, 3],
                "file_bytes": manifest["files"][file]["bytes"], "peak_memory_bytes": None, "delegated_nodes": None,
                "total_nodes": 9, "median_ms": 1.5, "p90_ms": 2.5, "min_ms": 1.0,
            }  # fmt: skip


def make_phone(folder, **state):
    """Puts a phone into a folder."""
    STATE.write_text(json.dumps({"phones": {"ABC123": "device"}, "app": "ok", **state}))
    programs = folder / "system" / "bin"
    programs.mkdir(parents=True)
    FILES.mkdir(parents=True)
    (folder / "data/local/tmp").mkdir(parents=True)
    clocks = folder / "sys/devices/system/cpu"
    for cpu, clock in enumerate((1800000, 2400000)):
        (clocks / f"cpu{cpu}/cpufreq").mkdir(parents=True)
        (clocks / f"cpu{cpu}/cpufreq/scaling_cur_freq").write_text(f"{clock}\n")
    (clocks / "cpu0/cpufreq/scaling_governor").write_text("schedutil\n")
    scripts = {
        "am": f'exec {sys.executable} -I {__file__} app "$@"',
        "pm": "exit 1" if state.get("app") == "absent" else f"echo package:/data/app/{APP}/base.apk",
        "pidof": f"test -e {FILES}/started && echo 4711",
        "dumpsys": "printf 'Current Battery Service state:\\n  level: 80\\n  temperature: 287\\n'",
    }
    for name, script in scripts.items():
        (programs / name).write_text(f"#!/bin/sh\n{script}\n")
        (programs / name).chmod(0o755)


if __name__ == "__main__":
    if sys.argv[1:2] == ["app"]:
        app(sys.argv[2:])
    elif sys.argv[1:2] == ["make"]:
        make_phone(ROOT, **json.load(sys.stdin))
    else:
        main(sys.argv[1:])
