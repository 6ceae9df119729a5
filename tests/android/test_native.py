"""liblq_fda_delegate.so for Android: what it asks of the system, and that its machine code computes what LCE does.

Android's own TFLite runs it here: x86_64 on this processor, the others in qemu. `hosttest/standins.py` says what that
proves and what not.
"""

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
ANDROID = REPOSITORY / "android_demo"
SOURCES = ANDROID / "runtime" / "src" / "main" / "cpp"
LICENCES = (ANDROID / "licenses.txt").read_text(encoding="utf-8")
MODELS = sorted((REPOSITORY / "export" / "runtime" / "fuzz" / "corpus" / "models").glob("*.tflite"))

for package in ("tomllib", "elftools", "ziglang"):
    pytest.importorskip(package, reason="Python 3.11 and what `android_demo/tools/versions.py requirements` lists")
sys.path[:0] = [str(ANDROID / "tools"), str(ANDROID / "hosttest")]

import abis  # noqa: E402
import bionic  # noqa: E402
import checks  # noqa: E402
import commands  # noqa: E402
import elf  # noqa: E402
import host  # noqa: E402
import kit  # noqa: E402
import maven  # noqa: E402
import native  # noqa: E402
import versions  # noqa: E402
import zig  # noqa: E402

# Building takes about 20 seconds the first time.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def libraries(tmp_path_factory):
    return native.build(tmp_path_factory.mktemp("native"))


@pytest.fixture(scope="module", params=versions.abis())
def abi(request):
    return request.param


@pytest.fixture(scope="module")
def library(libraries, abi):
    return elf.read(libraries[abi])


@pytest.fixture(scope="module")
def tflite(abi):
    return elf.read(native.tflite_library(abi))


@pytest.fixture(scope="module")
def hosts(libraries, tmp_path_factory):
    made = {}

    def get(name):
        if name not in made:
            made[name] = host.prepare(name, libraries[name], tmp_path_factory.mktemp(name))
        return made[name]

    return get


@pytest.fixture(scope="module")
def machine(hosts, abi):
    return hosts(abi)


@pytest.fixture(scope="module")
def jvm(hosts):
    return hosts("x86_64")


@pytest.fixture(scope="module")
def golden(trained):
    with np.load(trained.bundle.path / "golden.npz", allow_pickle=False) as archive:
        return dict(archive)


# What the libraries are.


def test_every_library_is_fit_for_an_app(libraries, abi):
    assert checks.problems(libraries[abi], abi, native.bionic_names(abi)) == []


def test_pages_of_16_kib(library):
    for load in library.loads:
        assert load.alignment == 16384
        assert load.offset % 16384 == load.address % 16384


def test_only_what_the_official_library_asks_for_too_or_what_is_known(library, tflite):
    official = {symbol.name for symbol in tflite.imports}
    assert {symbol.name for symbol in library.imports} - official <= set(bionic.KNOWN)


def test_the_list_of_known_names_is_no_longer_than_it_must_be(libraries):
    needed = set()
    for abi, path in libraries.items():
        official = {symbol.name for symbol in elf.read(native.tflite_library(abi)).imports}
        needed |= {symbol.name for symbol in elf.read(path).imports} - official
    assert needed == set(bionic.KNOWN)


def test_a_function_asks_for_the_library_and_version_that_has_it(library):
    assert {(symbol.library, symbol.version) for symbol in library.imports if symbol.version} == {("libc.so", "LIBC")}
    assert not [symbol for symbol in library.imports if symbol.weak]


def test_nothing_is_exported_but_two_doors(library):
    assert library.exports == checks.EXPORTS


def test_the_checks_find_what_is_wrong(abi, tmp_path):
    """The official library is none of ours, and has pages of 4 KiB."""
    found = checks.problems(native.tflite_library(abi), abi, {"libc.so": frozenset()})
    text = "; ".join(found)
    for wrong in ("its name is 'libtensorflowlite_jni.so'", "aligned to 0x1000, not to 0x4000", "it exports"):
        assert wrong in text
    assert "asks for" in text and "pthread_create" in text and "bytes, not less than" in text
    other = next(name for name in versions.abis() if name != abi)
    assert "it is for EM_" in checks.problems(native.tflite_library(other), abi, {})[0]


def test_what_is_no_library_is_said_to_be_none(tmp_path):
    path = tmp_path / "lib.so"
    for content in (b"", b"\x7fELF", b"\x7fELF" + bytes(200), b"PK\x03\x04"):
        path.write_bytes(content)
        with pytest.raises(commands.ToolError, match="no shared library that can be read"):
            elf.read(path)


def test_a_name_that_bionic_lacks_does_not_link(abi, tmp_path):
    """`aligned_alloc` is there since API level 28."""
    row = abis.ABIS[abi]
    parts = kit.make(row, native.bionic_names(abi), tmp_path)
    source = tmp_path / "a.c"
    source.write_text("void* aligned_alloc(long, long); void* f(void) { return aligned_alloc(64, 64); }")
    command = [zig.program(), "clang", f"--target={kit.triple(row)}", "-fno-builtin", "-fPIC", "-shared", "-nostdlib"]
    command += ["-Wl,-z,defs", f"--ld-path={parts / 'ld.lld'}", f"-L{parts}", source, "-lc", "-o", tmp_path / "a.so"]
    with pytest.raises(commands.ToolError, match="undefined symbol: aligned_alloc"):
        commands.run(command, doing="linking")


def test_the_same_sources_give_the_same_bytes(libraries, tmp_path):
    again = native.build(tmp_path / "output", abis=["arm64-v8a"], work=tmp_path / "work")
    assert again["arm64-v8a"].read_bytes() == libraries["arm64-v8a"].read_bytes()


def test_another_file_than_the_pinned_one_is_not_used(tmp_path, monkeypatch):
    table = {**versions.read(), "tensorflow-lite-sha256": "0" * 64}
    monkeypatch.setattr(versions, "read", lambda: table)
    with pytest.raises(commands.ToolError, match="tensorflow-lite is another file than the one that was checked"):
        maven.tensorflow_lite(tmp_path)


# What TensorFlow's build files put into TFLite's library, and a sign of it there; none where it leaves no word.
INSIDE_TFLITE = {
    "Caffe": None,
    "XNNPACK": b"XNNPACK delegate",
    "pthreadpool": None,
    "cpuinfo": b"called before cpuinfo is initialized",
    "FP16": None,
    "FXdiv": None,
    "FarmHash": 0xC3A5C85C97CB3127.to_bytes(8, "little"),
    "FFT2D": b"fft2d memory allocation error",
    "NEON_2_SSE": None,
    "Eigen": b"EigenForTFLite",
    "FlatBuffers": b"FlatBufferModel",
    "gemmlowp": b"gemmlowp error",
    "ruy": b"external/ruy/",
    "Abseil": None,
    "ml_dtypes": None,
    "libc++": b"NSt6__ndk1",
    "libunwind": b"libunwind: ",
    "compiler-rt": None,
}


@pytest.mark.parametrize("name", INSIDE_TFLITE)
def test_the_licences_name_what_lies_in_the_official_library(name):
    assert re.search(rf"(?<!\w){re.escape(name)}(?!\w)", LICENCES), "in licenses.txt"
    sign = INSIDE_TFLITE[name]
    libraries = [native.tflite_library(abi).read_bytes() for abi in versions.abis()]
    assert sign is None or any(sign in library for library in libraries), "it is no longer there: look what is"


def test_the_licences_hold_the_notices_that_come_with_the_official_library():
    with zipfile.ZipFile(maven.tensorflow_lite(native.BUILD / "maven")) as file:
        notices = file.read("LICENSE").decode()
    ours = (REPOSITORY / "LICENSE").read_text(encoding="utf-8")
    assert "".join(ours.split()) in "".join(notices.split()), "TFLite's Apache-2.0 is this repository's"
    added = notices[notices.index("## Some of TensorFlow's code") :]
    for holder in re.findall(r"^Copyright \(c\) \d+, (.*)$", added, re.MULTILINE):
        assert holder in " ".join(LICENCES.split())


# What must stand in two files is the same in both.


def presets(path):
    content = json.loads(path.read_text(encoding="utf-8"))
    rows = {row["name"]: row for row in content["configurePresets"]}
    level = int(rows["android"]["cacheVariables"]["ANDROID_PLATFORM"].removeprefix("android-"))
    names = {name: row["cacheVariables"]["ANDROID_ABI"] for name, row in rows.items() if name.startswith("android-")}
    return level, names


def test_the_presets_for_the_ndk_name_the_same_abis_and_the_oldest_android():
    oldest = int(versions.read()["minSdk"])
    own_level, own = presets(SOURCES / "CMakePresets.json")
    level, delegate = presets(REPOSITORY / "export" / "runtime" / "CMakePresets.json")
    assert own == delegate
    assert sorted(own.values()) == sorted(versions.abis())
    assert own_level == oldest
    assert level <= oldest, "the delegate's own presets promise no less"


def test_the_catalogue_names_the_abis_that_can_be_built():
    assert set(versions.abis()) == set(abis.ABIS)


def test_kotlin_declares_what_the_library_registers():
    kotlin = (ANDROID / "runtime/src/main/kotlin/org/lqfda/runtime/NativeLibrary.kt").read_text(encoding="utf-8")
    registered = re.findall(r'Method\("(\w+)", ', (SOURCES / "jni.cc").read_text(encoding="utf-8"))
    assert sorted(re.findall(r"external fun (\w+)\(", kotlin)) == sorted(registered)


# What the libraries compute.


def difference(outcome, expected):
    """The largest difference, as a multiple of the expected outputs' root mean square."""
    assert outcome.code == 0, outcome.errors
    found = np.frombuffer(outcome.outputs, np.float32).reshape(expected.shape)
    assert np.isfinite(found).all()
    assert (found.argmax(1) == expected.argmax(1)).all()
    return np.abs(found.astype(np.float64) - expected).max() / np.sqrt(np.mean(np.square(expected, dtype=np.float64)))


def tolerance(file):
    from lq_fda_runtime.selftest import TOLERANCES

    return TOLERANCES[file]


@pytest.mark.parametrize("threads", [1, 2])
def test_the_network_gives_the_golden_outputs_on_every_instruction_set(machine, trained, golden, threads):
    model = trained.bundle.path / "model.tflite"
    for isa in available(machine):
        outcome = machine.run_c(model, golden["inputs"].tobytes(), isa=isa, threads=threads)
        assert difference(outcome, golden["outputs_model"]) <= tolerance("model.tflite")
        report = outcome.answer["report"]
        assert (report["isa"], report["threads"]) == (isa, threads)
        assert all(node["taken"] for node in report["nodes"] if node["op"].startswith("Lce"))
        taken = sum(node["taken"] for node in report["nodes"])
        logged = f"I/lq_fda: takes {taken} of {len(report['nodes'])} nodes, kernels for {isa}\n"
        assert logged in outcome.errors, "in Android's log, where `verbose` wants it"


def available(machine):
    """What this processor, or that which qemu emulates, has of the ABI's instruction sets."""
    outcome = machine.run_c(MODELS[0], b"")
    isas = outcome.answer["isas"]
    expected = list(machine.abi.isas)
    if not machine.abi.qemu:  # Not every machine has AVX-512.
        expected = [isa for isa in expected if isa in isas]
    assert isas == expected and "portable" in isas
    return isas


@pytest.mark.parametrize("file", ["float.tflite", "int8.tflite"])
def test_a_network_without_its_operators_runs_unchanged_beside_it(machine, trained, golden, file):
    path, inputs = trained.bundle.path / file, golden["inputs"].tobytes()
    with_it, without = machine.run_c(path, inputs), machine.run_c(path, inputs, delegate=False)
    assert difference(with_it, golden[f"outputs_{path.stem}"]) <= tolerance(file)
    assert with_it.outputs == without.outputs


@pytest.mark.parametrize("model", MODELS, ids=lambda path: path.stem)
def test_operators_give_what_they_give_on_linux(machine, model):
    """There, tests/export compares them with LCE's interpreter."""
    from lq_fda_runtime import Interpreter

    interpreter = Interpreter(str(model), isa="portable")
    interpreter.allocate_tensors()
    (detail,) = interpreter.get_input_details()
    random = np.random.default_rng(3)
    values = [random.normal(scale=2, size=detail["shape"]) for _ in range(5)]
    values = [(value > 0 if detail["dtype"] is np.bool_ else value * 20).astype(detail["dtype"]) for value in values]
    expected = []
    for value in values:
        interpreter.set_tensor(detail["index"], value)
        interpreter.invoke()
        expected.append(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]))
    for isa in available(machine):
        outcome = machine.run_c(model, b"".join(value.tobytes() for value in values), isa=isa)
        assert outcome.code == 0, outcome.errors
        found = np.frombuffer(outcome.outputs, expected[0].dtype).reshape(len(values), *expected[0].shape)
        # Means and logistic functions differ in the last places.
        np.testing.assert_allclose(found, np.stack(expected), rtol=1e-5, atol=1e-4)


def test_without_the_delegate_the_network_is_refused(machine, trained, golden):
    outcome = machine.run_c(trained.bundle.path / "model.tflite", golden["inputs"].tobytes(), delegate=False)
    assert outcome.code == 1
    assert "Encountered unresolved custom op: LceQuantize" in outcome.errors


@pytest.mark.parametrize("isa", ["sse9", "neon"])
def test_an_instruction_set_that_is_not_there_is_refused(jvm, trained, isa):
    outcome = jvm.run_c(trained.bundle.path / "model.tflite", b"", isa=isa)
    assert outcome.code == 1
    assert f"Received: {isa}." in outcome.errors


def test_the_program_of_the_documentation_classifies(jvm, trained, golden, tmp_path):
    page = (REPOSITORY / "docs" / "apps.md").read_text(encoding="utf-8")
    (tmp_path / "classify.cc").write_text(re.search(r"^```cpp\n(.*?)^```", page, re.DOTALL | re.MULTILINE)[1])
    with zipfile.ZipFile(maven.tensorflow_lite(native.BUILD / "maven")) as archive:
        archive.extractall(tmp_path, [name for name in archive.namelist() if name.startswith("headers/")])
    # Headers that the AAR lacks; of what they declare the program uses nothing.
    for name in ("async/c/types.h", "c/registration_external.h"):
        header = tmp_path / "headers" / "tensorflow" / "lite" / "core" / name
        header.parent.mkdir(parents=True, exist_ok=True)
        header.write_text("typedef struct TfLiteRegistrationExternal TfLiteRegistrationExternal;\n")
    libraries = [jvm.libraries / name for name in ("libtensorflowlite_jni.so", "liblq_fda_delegate.so")]
    flags = ["-std=c++17", "-Wall", "-Wextra", "-Werror", f"-I{tmp_path / 'headers'}", "-Wl,--allow-shlib-undefined"]
    command = [zig.program(), "c++", "-target", jvm.abi.host, *flags, tmp_path / "classify.cc", *libraries]
    commands.run([*command, "-o", tmp_path / "classify"], doing="compiling the documentation's program")
    for image, logits in zip(golden["inputs"], golden["outputs_model"], strict=True):
        (tmp_path / "image").write_bytes(image.tobytes())
        done = subprocess.run(
            [tmp_path / "classify", trained.bundle.path / "model.tflite", tmp_path / "image"],
            env={"LD_LIBRARY_PATH": f"{jvm.standins}:{jvm.libraries}"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode, done.stdout) == (0, f"{logits.argmax()}\n"), done.stderr


# What Java sees.


def test_java_gives_the_golden_outputs(jvm, trained, golden):
    outcome = jvm.run_java(trained.bundle.path / "model.tflite", golden["inputs"].tobytes())
    assert difference(outcome, golden["outputs_model"]) <= tolerance("model.tflite")
    assert outcome.answer["isas"] == available(jvm)
    assert outcome.answer["report"]["isa"] == outcome.answer["isas"][0]


def test_java_is_refused_without_the_delegate(jvm, trained, golden):
    outcome = jvm.run_java(trained.bundle.path / "model.tflite", golden["inputs"].tobytes(), delegate=False)
    assert outcome.code == 1
    assert "Encountered unresolved custom op: LceQuantize" in outcome.errors


def test_whatever_goes_through_the_door_comes_back_as_a_value_or_an_exception(jvm):
    code, text = jvm.java("Door", "3", "1")
    assert code == 0, text
    assert re.fullmatch(r"\d+ calls, nothing found\n", text), "the virtual machine has nothing to say about JNI"


def test_short_memory_is_an_out_of_memory_error_and_nothing_else(jvm):
    ends = []
    for failing in range(1, 40):
        code, text = jvm.java("Scarce", environment={"LQ_FDA_FAILING_ALLOCATION": str(failing)})
        assert code == 0, text
        ends.append(text)
        if text == "made\nreported\n":
            break
    short = "lq_fda: there is not enough memory.\n"
    assert ends[-1] == "made\nreported\n" and ends.count("made\nreported\n") == 1
    assert set(ends[:-1]) == {short, "made\n" + short}


def test_a_class_that_was_renamed_is_an_error_on_loading(jvm, tmp_path):
    """As by a shrinker that was not told to keep it."""
    import dataclasses
    import shutil

    own = shutil.copytree(jvm.classes[0], tmp_path / "own", ignore=shutil.ignore_patterns("NativeLibrary.class"))
    code, text = dataclasses.replace(jvm, classes=(own,)).java("Load")
    assert code == 0, text
    assert "org/lqfda/runtime/NativeLibrary" in text and "loaded" not in text


def test_a_delegate_may_be_destroyed_before_the_interpreter_that_uses_it(jvm, trained):
    code, text = jvm.java("CloseFirst", str(trained.bundle.path / "model.tflite"))
    assert code == 0, text[-2000:]
    assert text.endswith("closed\n")
