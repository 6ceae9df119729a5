"""Measuring on a phone by adb: against a stand-in for adb, the phone and the app; no phone was attached."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lq_fda.artifacts import Bundle, Condition, read_records
from lq_fda.benchmarking import Protocol
from lq_fda.benchmarking.devices import AdbDevice, phone
from lq_fda.cli import app
from lq_fda.errors import LqFdaError

STAND_IN = Path(__file__).with_name("stand_in_adb.py")
QUICK = Protocol(rounds=7)


@pytest.fixture
def bundle(trained):
    return trained.bundle


@pytest.fixture
def plug_in(tmp_path, monkeypatch):
    """Attaches a stand-in that behaves as it is told; returns its folder."""
    monkeypatch.setattr(phone, "_POLL", 0.01)
    monkeypatch.setattr(phone, "_WAITS", (0.01,) * 4)
    monkeypatch.setattr(phone, "_PATIENCE", 30.0)
    folder = tmp_path / "phone"
    folder.mkdir()
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "adb").write_text(f'#!/bin/sh\nexec {sys.executable} -I {STAND_IN} "$@"\n')
    (tools / "adb").chmod(0o755)
    monkeypatch.setenv("STAND_IN", str(folder))
    monkeypatch.setenv("PATH", f"{tools}:/usr/bin:/bin")

    def attach(**state):
        subprocess.run([sys.executable, "-I", str(STAND_IN), "make"], input=json.dumps(state).encode(), check=True)
        return folder

    return attach


def refusal(bundle, name="adb", **settings):
    with pytest.raises(LqFdaError) as caught:
        list(AdbDevice(name).measure(bundle, **{"protocol": QUICK, **settings}))
    assert str(caught.value).isprintable()
    return str(caught.value)


def left(folder):
    """What is on the phone of ours."""
    places = (folder / "data/local/tmp", folder / "sdcard/Android/data/org.lqfda.demo/files")
    return sorted(path.name for place in places for path in place.iterdir() if path.name != "started")


def test_the_record_comes_back_with_what_the_phone_knows_of_itself(plug_in, bundle):
    folder = plug_in()
    records = list(AdbDevice("adb").measure(bundle, protocol=QUICK))
    assert [(record.file, record.threads) for record in records] == [
        (file, count) for count in (1, 8) for file in (Bundle.MODEL, Bundle.INT8, Bundle.FLOAT)
    ]
    expected = {"governor": "schedutil", "frequency_mhz": (1800, 2400), "temperature_c": 28.7}
    for record in records:
        assert record.device == "adb" and record.rounds == 7
        assert record.before == Condition(**expected, throttling="none")
        assert record.after == Condition(**expected, throttling="light")
    assert left(folder) == []


def test_nothing_but_constants_reaches_the_phones_shell(plug_in, bundle):
    folder = plug_in()
    list(AdbDevice("adb").measure(bundle, protocol=QUICK))
    calls = [json.loads(line) for line in (folder / "calls.txt").read_text().splitlines()]
    shells = {call[3] for call in calls if call[2:3] == ["shell"]}
    assert all(call[:2] == ["-s", "ABC123"] and len(call) == 4 for call in calls if "shell" in call)
    assert bundle.manifest.name not in " ".join(shells) and str(bundle.path) not in " ".join(shells)
    (start,) = (command for command in shells if command.startswith("am start"))
    assert start.endswith("--es bundle lq_fda_bundle --ez benchmark true --ei rounds 7")


def test_the_command_line_prints_the_phones_table(plug_in, bundle, tmp_path):
    plug_in()
    command = ("benchmark", bundle.path, "--device", "adb:ABC123", "--rounds", 7, "--output", tmp_path / "r.jsonl")
    result = CliRunner().invoke(app, [*map(str, command)], env={"COLUMNS": "160"})
    assert result.exception is None, result.exception
    assert "Nobody's phone" in result.stdout and "1800–2400" in result.stdout and "yes" in result.stdout  # noqa: RUF001
    assert {record.device for record in read_records(tmp_path / "r.jsonl")} == {"adb:ABC123"}


def test_a_phone_that_is_unplugged_loses_nothing(plug_in, bundle):
    folder = plug_in(gone=3)
    seen = []
    records = list(AdbDevice("adb").measure(bundle, protocol=QUICK, progress=lambda step, *_: seen.append(step)))
    assert len(records) == 6 and sum("unplugged" in step for step in seen) == 3
    assert left(folder) == []


def test_what_was_measured_while_the_phone_was_away_is_fetched_by_the_same_call(plug_in, bundle):
    folder = plug_in(gone=5)
    assert "it goes on where it was" in refusal(bundle)
    assert "benchmark.jsonl" in left(folder), "the app works on, and its record stays"
    before = (folder / "calls.txt").read_text().count("am start")
    assert len(list(AdbDevice("adb").measure(bundle, protocol=QUICK))) == 6
    assert (folder / "calls.txt").read_text().count("am start") == before == 1
    assert left(folder) == []


def test_a_record_of_another_measurement_is_not_taken_for_this_one(plug_in, bundle):
    folder = plug_in(gone=5)
    refusal(bundle)
    assert {one.rounds for one in AdbDevice("adb").measure(bundle, protocol=Protocol(rounds=8))} == {8}
    assert (folder / "calls.txt").read_text().count("am start") == 2


@pytest.mark.parametrize(
    ("phones", "name", "said"),
    [
        ({}, "adb", "adb finds no phone"),
        ({"A": "device", "B": "device"}, "adb", "more than one phone.*--device adb:A"),
        ({"A": "device"}, "adb:B", "does not find that phone"),
        ({"A": "unauthorized"}, "adb", "allow USB debugging"),
        ({"A": "offline"}, "adb", "adb reconnect"),
        ({"A": "no permissions (missing udev rules?); see [http://x]"}, "adb", "no permissions"),
        ({"\x1b[2J": "offline"}, "adb", r"\\x1b"),
    ],
)
def test_each_way_to_have_no_phone_is_one_error(plug_in, bundle, phones, name, said):
    folder = plug_in(phones=phones)
    with pytest.raises(LqFdaError, match=said) as caught:
        list(AdbDevice(name).measure(bundle))
    assert str(caught.value).isprintable()
    assert "push" not in (folder / "calls.txt").read_text()


def test_one_of_two_phones_is_chosen_by_its_serial(plug_in, bundle):
    plug_in(phones={"A": "device", "192.168.1.5:5555": "device"})
    assert len(list(AdbDevice("adb:192.168.1.5:5555").measure(bundle, protocol=QUICK))) == 6


@pytest.mark.parametrize("name", ["adb:", "adb:a b", "adb:$(reboot)", "adb:-s", "adb:a;b", "adbx"])
def test_odd_serials_are_refused(name):
    with pytest.raises(LqFdaError, match="names no phone"):
        AdbDevice(name)


def test_adb_is_found_in_the_sdk_or_missed(plug_in, bundle, tmp_path, monkeypatch):
    plug_in()
    tools = tmp_path / "sdk" / "platform-tools"
    tools.parent.mkdir()
    (tmp_path / "tools").rename(tools)
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.delenv("ANDROID_SDK_ROOT", raising=False)
    monkeypatch.setenv("ANDROID_HOME", str(tmp_path / "sdk"))
    assert len(list(AdbDevice("adb").measure(bundle, protocol=QUICK))) == 6
    monkeypatch.delenv("ANDROID_HOME")
    assert "adb is missing" in refusal(bundle)


def test_a_phone_without_the_app_says_how_to_install_it(plug_in, bundle):
    folder = plug_in(app="absent")
    assert "adb -s ABC123 install build/android/lq_fda_demo.apk" in refusal(bundle)
    assert "install" not in (folder / "calls.txt").read_text(), "nothing is installed silently"


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({"app": "error"}, r"The app could not measure: The bundle is damaged.\\x1b"),
        ({"app": "dies"}, "ended without a result"),
        ({"app": "old"}, "The app does not start"),
        ({"full": True}, "The phone is full"),
        ({"lines": ["not JSON"]}, "no message of lq-fda"),
        ({"lines": ['{"median_ms": NaN}']}, "NaN is no JSON"),
        ({"lines": ['{"a": "\\u001b[2J"}']}, "control characters"),
        ({"lines": ["x" * (1 << 21)]}, "sent too much"),
    ],
)
def test_what_goes_wrong_on_the_phone_is_one_error_and_leaves_it_tidy(plug_in, bundle, state, said):
    folder = plug_in(**state)
    with pytest.raises(LqFdaError, match=said) as caught:
        list(AdbDevice("adb").measure(bundle, protocol=QUICK))
    assert str(caught.value).isprintable() and len(str(caught.value)) < 1500
    assert left(folder) == []


def test_an_app_that_never_ends_is_stopped(plug_in, bundle, monkeypatch):
    folder = plug_in(app="hangs")
    monkeypatch.setattr(phone, "_PATIENCE", 0.5)
    with pytest.raises(LqFdaError, match=r"does not come to an end.*the app still runs"):
        list(AdbDevice("adb").measure(bundle, protocol=QUICK))
    assert left(folder) == [] and "am force-stop" in (folder / "calls.txt").read_text()


def test_records_that_lack_a_file_or_are_of_another_protocol_are_refused(plug_in, bundle):
    folder = plug_in()
    records = list(AdbDevice("adb").measure(bundle, protocol=QUICK))
    state = json.loads((folder / "state.json").read_text())

    def said_of(records):
        lines = [record.model_dump_json() for record in records]
        (folder / "state.json").write_text(json.dumps({**state, "lines": lines}))
        return refusal(bundle)

    assert "5 records, without float.tflite at threads=8" in said_of(records[:5])
    colder = records[0].model_copy(update={"warmups": 0})
    assert "Received: bundle=" in said_of([colder, *records[1:]]) and "warmups=0, settle=8" in said_of([colder])


def test_what_the_app_does_not_do_is_refused(plug_in, bundle):
    plug_in()
    assert "`--threads 1,all`" in refusal(bundle, threads=(1, 2))
    assert "warm-ups" in refusal(bundle, protocol=Protocol(warmups=3))
