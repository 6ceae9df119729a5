"""Loading the library: wrong machines, wrong files, no runtime."""

import _ctypes
import subprocess
import sys

import lq_fda_runtime
import pytest
from lq_fda_runtime import Interpreter, LqFdaRuntimeError, delegate, library_path, load_delegate
from lq_fda_runtime.delegate import VARIABLE
from lq_fda_runtime.litert import interpreter_module
from lq_fda_runtime.report import parse_report


@pytest.fixture
def patched(library, tmp_path, monkeypatch):
    """Lets the package find a copy of the library with some bytes of its header changed."""

    def change(bytes_at):
        content = bytearray(library.read_bytes())
        for place, value in bytes_at.items():
            content[place] = value
        path = tmp_path / "liblq_fda_delegate.so"
        path.write_bytes(content)
        monkeypatch.setenv(VARIABLE, str(path))

    return change


CLASS, ORDER, MACHINE = 4, 5, 18


@pytest.mark.parametrize(
    ("header", "received"),
    [
        ({MACHINE: 183}, "64-bit aarch64"),
        ({MACHINE: 40, CLASS: 1}, "32-bit ARM"),
        ({MACHINE: 243}, "64-bit RISC-V"),
        ({MACHINE: 9}, "64-bit machine 9"),
        ({CLASS: 1}, "32-bit"),
        ({ORDER: 2}, "64-bit big-endian"),
    ],
)
def test_a_library_for_another_machine_is_refused_before_it_is_loaded(patched, header, received):
    patched(header)
    with pytest.raises(LqFdaRuntimeError, match=f"built for another machine.*Received: {received}"):
        load_delegate()


def test_what_is_no_library_is_refused(patched):
    patched({0: 0})
    with pytest.raises(LqFdaRuntimeError, match="no Linux shared library"):
        load_delegate()


def test_a_library_that_is_no_delegate_is_refused(monkeypatch):
    monkeypatch.setenv(VARIABLE, _ctypes.__file__)
    with pytest.raises(LqFdaRuntimeError, match=r"is another one.*tflite_plugin_create_delegate"):
        load_delegate()


def test_a_missing_library_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv(VARIABLE, str(tmp_path / "none.so"))
    with pytest.raises(LqFdaRuntimeError, match=rf"library is missing.*none\.so.*\${VARIABLE}"):
        library_path()


def test_it_is_looked_for_beside_the_package(monkeypatch, tmp_path):
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(delegate, "__file__", str(tmp_path / "delegate.py"))
    with pytest.raises(LqFdaRuntimeError, match=rf"library is missing.*{tmp_path}.*Reinstall"):
        library_path()
    (tmp_path / "liblq_fda_delegate.so").touch()
    assert library_path() == tmp_path / "liblq_fda_delegate.so"


@pytest.mark.parametrize("threads", [-1, 1025, 1.0, True, "2", None])
def test_refuses_odd_thread_counts(threads):
    with pytest.raises(LqFdaRuntimeError, match=rf"Expected 0 .* to 1024\..*num_threads={threads!r}.*num_threads=0"):
        load_delegate(num_threads=threads)


@pytest.mark.parametrize("switch", ["fuse", "profile", "verbose"])
@pytest.mark.parametrize("value", ["false", 0, None])
def test_switches_are_on_or_off(switch, value):
    with pytest.raises(LqFdaRuntimeError, match=rf"Expected True or False\. Received: {switch}={value!r}"):
        load_delegate(**{switch: value})


def test_other_characters_in_an_option_are_no_other_error():
    """What the library says is cut off; not inside of a character, or Python cannot read it."""
    with pytest.raises(ValueError, match=r"Received: a\?"):
        interpreter_module().Delegate(str(library_path()), {"isa": "a" + 40 * "\u00e9"})


def test_options_that_the_library_does_not_know_are_refused():
    for options in (
        {"speed": "high"},
        {"num_threads": "many"},
        {"num_threads": "-1"},
        {"fuse": "perhaps"},
        {"isa": ""},
    ):
        with pytest.raises(ValueError, match=next(iter(options))):
            interpreter_module().Delegate(str(library_path()), options)


@pytest.fixture
def without_runtime(surroundings):
    """Runs code in a Python that finds no TFLite runtime."""

    def run(code):
        block = "import sys; sys.modules['ai_edge_litert'] = sys.modules['tflite_runtime'] = None; "
        return subprocess.run(
            [sys.executable, "-c", block + code], capture_output=True, text=True, check=False, env=surroundings
        )

    return run


@pytest.mark.parametrize("command", [["info"], ["selftest", "BUNDLE"], ["benchmark", "BUNDLE"]])
def test_without_a_runtime_one_sentence_says_what_to_install(without_runtime, intact, command):
    command = [part.replace("BUNDLE", str(intact)) for part in command]
    done = without_runtime(f"from lq_fda_runtime.cli import main; main({command!r})")
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.count("\n") == 1 and "pip install ai-edge-litert" in done.stderr


def test_without_a_runtime_the_package_imports_and_helps(without_runtime):
    done = without_runtime("import lq_fda_runtime; from lq_fda_runtime.cli import main; main(['--help'])")
    assert done.returncode == 0 and "classify" in done.stdout


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", '{"nodes": [], "steps": []}', '{"nodes": [{}], "steps": [], "isa": ""}', '{"nodes": 1}'],
)
def test_a_report_that_cannot_be_read_is_refused(text):
    with pytest.raises(LqFdaRuntimeError, match="report cannot be read"):
        parse_report(text)


def test_library_and_package_have_one_version(intact):
    assert Interpreter(intact / "model.tflite").report().version == lq_fda_runtime.__version__


def test_a_newer_library_may_say_more():
    report = parse_report(
        '{"version": "9", "isa": "neon", "threads": 2, "fuse": true, "news": 1, '
        '"nodes": [{"index": 0, "op": "ADD", "taken": false, "reason": "r", "partition": null, "x": 2}], '
        '"steps": [{"partition": 0, "name": "add", "nodes": [0], "news": 3}]}'
    )
    assert report.steps[0].runs == 0 and report.steps[0].nodes == (0,)
    assert report.isa == "neon" and report.refusals() == {("ADD", "r"): 1} and report.taken == 0
