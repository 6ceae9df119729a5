"""The Android build: what Gradle, Maven and the tools must agree on, and the files that `make android` gives."""

import importlib
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path
from xml.etree import ElementTree

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
ANDROID = REPOSITORY / "android_demo"

for package in ("tomllib", "elftools", "ziglang"):
    pytest.importorskip(package, reason="Python 3.11 and what `android_demo/tools/versions.py requirements` lists")
sys.path[:0] = [str(ANDROID / "tools")]

import archive  # noqa: E402
import assets  # noqa: E402
import commands  # noqa: E402
import layout  # noqa: E402
import lock  # noqa: E402
import package as packaging  # noqa: E402
import resources  # noqa: E402
import versions  # noqa: E402
from commands import ToolError  # noqa: E402

# By its name: where there is a folder build/, the linter takes it for a package of this repository.
building = importlib.import_module("build")

MODULES = ("runtime", "app")
PACKAGES = (("runtime", "runtime"), ("app", "demo"))
NAMESPACE = {"pom": "http://maven.apache.org/POM/4.0.0"}
POMS = [ANDROID / "pom.xml", *(ANDROID / module / "pom.xml" for module in (*MODULES, "shrunk"))]
SCRIPTS = [ANDROID / "settings.gradle.kts", ANDROID / "build.gradle.kts"]
SCRIPTS += [ANDROID / module / "build.gradle.kts" for module in MODULES]


def text(*parts):
    return ANDROID.joinpath(*parts).read_text(encoding="utf-8")


def fields(element, *tags):
    return [element.findtext(f"pom:{tag}", namespaces=NAMESPACE) for tag in tags]


@pytest.fixture(scope="module")
def catalog():
    return pytest.importorskip("tomllib").loads(text("gradle", "libs.versions.toml"))


# What the two builds must agree on.


def test_poms_take_versions_from_the_catalog(catalog):
    for pom in POMS:
        content = pom.read_text(encoding="utf-8")
        assert set(re.findall(r"\$\{version\.([\w-]+)}", content)) <= set(catalog["versions"])
        for dependency in ElementTree.parse(pom).iterfind(".//pom:dependency", NAMESPACE):
            version = dependency.findtext("pom:version", namespaces=NAMESPACE)
            assert version is None or version.startswith("${"), (pom, version)


def test_maven_and_gradle_take_the_same_libraries(catalog):
    declared = {library["module"]: library["version"]["ref"] for library in catalog["libraries"].values()}
    for artifact in ElementTree.parse(ANDROID / "pom.xml").iterfind(".//pom:dependency", NAMESPACE):
        group, name, version = fields(artifact, "groupId", "artifactId", "version")
        module = f"{group}:{name.removesuffix('-classes')}"
        if module in declared and version:
            assert version == "${version." + declared[module] + "}"


def test_gradle_scripts_hold_no_versions_of_their_own(catalog):
    aliases = {f"plugins.{name}" for name in catalog["plugins"]} | set(catalog["libraries"])
    aliases |= {f"versions.{name}" for name in catalog["versions"]}
    dotted = {alias.replace("-", ".") for alias in aliases}
    for script in SCRIPTS:
        content = re.sub(r"//.*|/\*.*?\*/", "", script.read_text(encoding="utf-8"))
        found = re.findall(r'"[^"]*\d+\.\d+[^"]*"', content)
        assert all("Apache-2.0" in text or "LICENSE-2.0" in text for text in found), script
        used = re.findall(r"\blibs\.([a-zA-Z.]+?)(?:\.get\(\)|\))", content)
        assert set(used) <= dotted, script
    assert re.findall(r'":(\w+)"', text("settings.gradle.kts")) == list(MODULES)


@pytest.mark.parametrize("module", MODULES)
def test_gradle_and_maven_build_the_same_module(module):
    script, pom = text(module, "build.gradle.kts"), text("pom.xml")
    for level in ("compileSdk", "minSdk", *(["targetSdk"] if module == "app" else [])):
        assert f"{level} = libs.versions.{level}.get().toInt()" in script
    assert "libs.versions.abis.get()" in script and "libs.versions.jdk.get()" in script
    # Sources lie where Gradle looks by itself.
    assert "sourceSets" not in script
    assert "<sourceDirectory>src/main/kotlin<" in pom and "<testSourceDirectory>src/test/kotlin<" in pom
    for folder in ("src/main/kotlin", "src/test/kotlin", "src/test/resources"):
        assert (ANDROID / module / folder).is_dir()
    opened = re.search(r"--add-opens[ =](java\.base/java\.io=ALL-UNNAMED)", pom)[1]
    assert f'"--add-opens={opened}"' in script
    modules = ElementTree.parse(ANDROID / "pom.xml").iterfind("pom:modules/pom:module", NAMESPACE)
    assert [entry.text for entry in modules] == list(MODULES)


def test_sdk_levels_and_abis_agree(catalog):
    table = catalog["versions"]
    # API level 34 is Android 14.
    assert table["android-all"].split("-")[0] == str(int(table["compileSdk"]) - 20)
    assert table["android-all-instrumented"].startswith(table["android-all"])
    for module in (*MODULES, "shrunk"):
        settings = text(module, "src", "test", "resources", "robolectric.properties").split()
        assert f"sdk={table['compileSdk']}" in settings
    presets = json.loads(text("runtime", "src", "main", "cpp", "CMakePresets.json"))["configurePresets"]
    variables = [preset["cacheVariables"] for preset in presets]
    assert variables[0]["ANDROID_PLATFORM"] == f"android-{table['minSdk']}"
    assert [entry["ANDROID_ABI"] for entry in variables[1:]] == table["abis"].split(",")
    assert f'"-DANDROID_STL={variables[0]["ANDROID_STL"]}"' in text("runtime", "build.gradle.kts")


def test_names_agree():
    app, runtime = text("app", "build.gradle.kts"), text("runtime", "build.gradle.kts")
    assert f'namespace = "{layout.PACKAGE}"' in app and f'applicationId = "{layout.PACKAGE}"' in app
    assert 'group = "org.lqfda"' in runtime and 'artifactId = "runtime"' in runtime
    for name in (packaging.KEY, packaging.ALIAS, packaging.PASSWORD, packaging.KEY_PASSWORD):
        assert f'System.getenv("{name}")' in app
    for licence in re.findall(r"<(name|url)>(.*)</", text("tools", "package.py")):
        assert '{} = "{}"'.format(*licence) in runtime
    assert 'rootProject.file("../LICENSE"), rootProject.file("licenses.txt")' in runtime
    assert resources.version_code("1.2.3") == "10203"
    assert "useLegacyPackaging = false" in app
    assert '"consumer-rules.pro"' in runtime and '"proguard-rules.pro"' in app


def test_both_languages_say_the_same():
    def strings(folder):
        root = ElementTree.parse(ANDROID / "app/src/main/res" / folder / "strings.xml").getroot()
        found = {entry.get("name"): entry.text for entry in root.iterfind("string")}
        return found | {entry.get("name"): entry.findall("item")[-1].text for entry in root.iterfind("plurals")}

    english, chinese = strings("values"), strings("values-zh-rCN")
    assert english.keys() == chinese.keys()
    for name, sentence in english.items():
        marks = [sorted(re.findall(r"%(?:\d\$)?[\d.]*[sdfe]", form)) for form in (sentence, chinese[name])]
        assert marks[0] == marks[1], name


def compiled_lines():
    tests = [text(f"{module}/src/test/kotlin/org/lqfda/{name}/ReadmeTest.kt") for module, name in PACKAGES]
    return [line.strip() for test in tests for line in test.splitlines() if line.strip()]


@pytest.mark.parametrize("document", ["README.md", "../README.md", "../docs/apps.md"])
def test_documents_show_what_a_test_compiles(document):
    blocks = re.findall(r"```kotlin\n(.*?)```", text(document), re.DOTALL)
    compiled = "\n".join(compiled_lines())
    assert blocks
    for block in blocks:
        lines = [line.strip() for line in block.splitlines()]
        assert "\n".join(line for line in lines if line) in compiled


def test_kdoc_shows_what_a_test_compiles():
    """Where the documentation of a class has an example, ReadmeTest has its lines."""
    compiled = set(compiled_lines())
    for source in (ANDROID / "runtime/src/main/kotlin").rglob("*.kt"):
        for block in re.findall(r" \* ```\n(.*?) \* ```", source.read_text(encoding="utf-8"), re.DOTALL):
            missing = {line.strip(" *") for line in block.splitlines()} - compiled
            assert not missing, source.name


def test_every_public_class_and_function_is_documented():
    count = 0
    for source in (ANDROID / "runtime/src/main/kotlin").rglob("*.kt"):
        before, public = "", True
        for line in source.read_text(encoding="utf-8").splitlines():
            if re.match(r"\w", line):
                public = not line.startswith(("internal ", "private "))
            if public and re.match(r"(?: {4})?(?:(?:open|enum|data) )*(?:fun|class|object) ", line):
                assert before.endswith("*/"), (source.name, line)
                count += 1
            if line.strip() and not line.strip().startswith("@"):
                before = line
    assert count > 30


def test_the_delegates_words_are_those_that_kotlin_looks_for():
    words = re.search(r'UNKNOWN_LAYOUT = "(.*)"', text("runtime/src/main/kotlin/org/lqfda/runtime/Session.kt"))[1]
    assert words in (REPOSITORY / "export/runtime/src/delegate/delegate.cc").read_text(encoding="utf-8")


def test_the_self_test_allows_what_pythons_does():
    python = pytest.importorskip("lq_fda_runtime.selftest").TOLERANCES
    kotlin = text("runtime/src/main/kotlin/org/lqfda/runtime/SelfTest.kt")
    files = dict(re.findall(r'(\w+)\("(\w+\.tflite)"\)', text("runtime/src/main/kotlin/org/lqfda/runtime/Bundle.kt")))
    table = re.search(r"TOLERANCES = mapOf\((.*)\)", kotlin)[1]
    assert {files[name]: float(value) for name, value in re.findall(r"Model\.(\w+) to ([\d.e-]+)", table)} == python


def test_only_adb_gets_through_the_door():
    """Any app may start an exported activity that asks for no permission."""
    android = "{http://schemas.android.com/apk/res/android}"
    application = ElementTree.parse(ANDROID / "app/src/main/AndroidManifest.xml").getroot().find("application")
    permissions = {
        entry.get(f"{android}name"): entry.get(f"{android}permission")
        for entry in application
        if entry.get(f"{android}exported") == "true"
    }
    door = re.search(r'NAME = "(.*)"', text("app/src/main/kotlin/org/lqfda/demo/Door.kt"))[1]
    assert permissions == {f"{layout.PACKAGE}.MainActivity": None, door: "android.permission.DUMP"}
    alias = application.find("activity-alias")
    assert alias.get(f"{android}name") == door
    assert alias.get(f"{android}targetActivity") == f"{layout.PACKAGE}.MainActivity"
    for command in re.findall(r"am start -n (\S+)", text("README.md")):
        assert command == f"{layout.PACKAGE}/{door.removeprefix(layout.PACKAGE)}"


def test_warnings_stop_only_builds_that_want_it():
    """A newer NDK's clang may have more to say than the one that this was written with."""
    cmake = text("runtime", "src", "main", "cpp", "CMakeLists.txt")
    assert set(re.findall(r"\S*-Werror\S*", cmake)) == {"$<$<BOOL:${LQ_FDA_WERROR}>:-Werror>)"}


def test_vectors_are_what_python_computes():
    pytest.importorskip("lq_fda_runtime")
    command = [sys.executable, ANDROID / "tools" / "vectors.py", "--check"]
    subprocess.run(command, check=True)


def test_the_repository_holds_no_key():
    known = subprocess.run(["git", "ls-files"], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    assert not re.findall(r".*\.(?:jks|keystore|p12|pem|key)$", known, re.MULTILINE)


# The tools.


def test_archives_are_aligned_and_the_same(tmp_path):
    content = {"b.so": b"x" * 5, "a.txt": b"y" * 1000, "lib/c.so": b"z" * 20000, "resources.arsc": b"1", "d.png": b"2"}
    archive.write(tmp_path / "1.zip", content)
    archive.write(tmp_path / "2.zip", dict(reversed(content.items())))
    assert (tmp_path / "1.zip").read_bytes() == (tmp_path / "2.zip").read_bytes()
    assert archive.entries(tmp_path / "1.zip") == content
    for name, place in stored(tmp_path / "1.zip").items():
        assert place % ((1 << 14) if name.endswith(".so") else 4) == 0, name


def stored(path):
    """Where the content of entries that are not compressed begins."""
    content, places = path.read_bytes(), {}
    with zipfile.ZipFile(path) as file:
        for entry in file.infolist():
            name, extra = struct.unpack_from("<HH", content, entry.header_offset + 26)
            if entry.compress_type == zipfile.ZIP_STORED:
                places[entry.filename] = entry.header_offset + 30 + name + extra
    return places


@pytest.fixture
def made_up(tmp_path, monkeypatch):
    """A bundle with one golden image of 1 x 2 pixels; the assets go to a folder of the test's."""
    monkeypatch.setattr(assets, "ASSETS", tmp_path / "assets")
    header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 2, 3), }".ljust(117) + "\n"
    values = [0.5 * pixel - 1 for pixel in (0, 1, 2, 253, 254, 255)]
    npy = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + struct.pack("<6f", *values)
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    with zipfile.ZipFile(bundle / "golden.npz", "w") as file:
        file.writestr("inputs.npy", npy)
    manifest = {"preprocessing": {"scale": [0.5] * 3, "offset": [-1] * 3}, "files": {"golden.npz": {}}}
    (bundle / "manifest.json").write_text(json.dumps(manifest))
    return bundle


def test_samples_are_the_golden_inputs(made_up, tmp_path):
    assets.put(made_up)
    image = (tmp_path / "assets/samples/1.png").read_bytes()
    size = struct.unpack(">I", image[33:37])[0]
    assert struct.unpack(">II", image[16:24]) == (2, 1)
    assert zlib.decompress(image[41 : 41 + size]) == bytes([0, 0, 1, 2, 253, 254, 255])
    assert (tmp_path / "assets/bundle/golden.npz").is_file()


def test_assets_stay_as_they_were_if_a_bundle_is_refused(made_up, tmp_path):
    assets.put(made_up)
    before = archive.files(tmp_path / "assets")
    assert "Apache License" in before["licenses.txt"].decode() and "Zig contributors" in before["licenses.txt"].decode()
    manifest = json.loads((made_up / "manifest.json").read_text())
    (made_up / "manifest.json").write_text(json.dumps(manifest | {"files": {"golden.npz": {}, "absent": {}}}))
    with pytest.raises(ToolError, match="absent"):
        assets.put(made_up)
    with pytest.raises(ToolError, match="where the bundle goes"):
        assets.put(tmp_path / "assets" / "bundle")
    assert archive.files(tmp_path / "assets") == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["assets", "bundle"]


def test_without_a_bundle_the_tools_say_how_to_make_one(made_up, tmp_path, monkeypatch):
    monkeypatch.setattr(assets, "GOLDEN_BUNDLE", layout.ROOT / "export" / "absent")
    with pytest.raises(
        ToolError,
        match=r"No bundle was given, and export/golden/\w+ is not there.*`make demo DEMO=runs/demo`.*BUNDLE=runs/demo",
    ):
        assets.put(None)


@pytest.mark.parametrize("program", ["javac", "mvn", "aapt", "apksigner"])
def test_a_missing_program_is_said_before_the_first_step(made_up, monkeypatch, program):
    def need(_, name):
        if name == program:
            raise ToolError(f"{name} is missing")

    monkeypatch.setattr(building.debian, "need", need)
    monkeypatch.setattr(building.projects, "fetch", lambda: pytest.fail("it has begun"))
    with pytest.raises(ToolError, match=f"{program} is missing"):
        building.build("apk", made_up)


@pytest.mark.parametrize("name", ["../escaped", "/tmp/escaped", "absent"])
def test_odd_bundles_are_refused(made_up, tmp_path, name):
    (tmp_path / "escaped").write_text("")
    manifest = json.loads((made_up / "manifest.json").read_text())
    (made_up / "manifest.json").write_text(json.dumps(manifest | {"files": {name: {}}}))
    with pytest.raises(ToolError, match="--bundle"):
        assets.put(made_up)


def test_a_failure_is_one_sentence(tmp_path):
    command = [sys.executable, ANDROID / "tools" / "build.py", "classes", "--bundle", tmp_path / "absent"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "The app needs a bundle." in done.stderr and "Traceback" not in done.stderr


def test_one_build_at_a_time(tmp_path):
    """The lock goes with the process that holds it, however that ends."""
    code = """if True:
        import pathlib, sys, lock, time
        with lock.alone(pathlib.Path(sys.argv[1])):
            print("in", flush=True)
            time.sleep(60)
    """
    other = subprocess.Popen([sys.executable, "-c", code, tmp_path], cwd=ANDROID / "tools", stdout=subprocess.PIPE)
    try:
        assert other.stdout.readline() == b"in\n"
        said = f"Another build is running.* {tmp_path} is in use. Wait until it has ended"
        with pytest.raises(ToolError, match=said), lock.alone(tmp_path):
            pytest.fail("two at a time")
    finally:
        other.kill()
        other.communicate()
    with lock.alone(tmp_path):
        pass


@pytest.mark.parametrize("tool", ["build.py", "assets.py"])
def test_a_second_build_says_so_and_touches_nothing(tool, made_up):
    before = archive.files(layout.ASSETS)
    with lock.alone(layout.OUT):
        command = [sys.executable, ANDROID / "tools" / tool, "--bundle", made_up]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and done.stderr.startswith(f"{tool}: Another build is running.")
    assert archive.files(layout.ASSETS) == before


def test_programs_that_fail_are_one_sentence(tmp_path):
    for command, longest, said in (
        (["absent-program"], 9, "absent-program could not be started while testing.* Install it"),
        ([sys.executable, "-c", "print('why'); raise SystemExit(3)"], 9, r"failed \(3\) while testing; it said:\nwhy"),
        ([sys.executable, "-c", "import time; time.sleep(60)"], 1, "did not end within 1 s while testing"),
    ):
        with pytest.raises(ToolError, match=said):
            commands.run(command, doing="testing", longest=longest)


def test_an_app_that_is_too_large_is_not_signed(tmp_path, monkeypatch):
    content = tmp_path / "resources.apk"
    archive.write(content, {"large.so": bytes(2000)})
    monkeypatch.setattr(resources, "PACKED", content)
    monkeypatch.setattr(packaging.shrink, "DEX", tmp_path / "none")
    monkeypatch.setattr(packaging, "UNSIGNED", tmp_path / "unsigned.apk")
    monkeypatch.setattr(versions, "abis", list)
    packaging.unsigned()
    size = (tmp_path / "unsigned.apk").stat().st_size
    monkeypatch.setattr(packaging, "MOST_BYTES", size + 1)
    packaging.unsigned()
    monkeypatch.setattr(packaging, "MOST_BYTES", size)
    with pytest.raises(ToolError, match=f"Expected less than {size} bytes. Received: {size}. Choose the bundle of a"):
        packaging.unsigned()


# What the build gives.


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """The APK and the AAR, built once more; and the APK of the build before, unsigned."""
    bundle = layout.ASSETS / "bundle"
    if not (layout.UNSIGNED.is_file() and layout.APK.is_file() and bundle.is_dir()):
        pytest.skip("there is no APK: run `make android`")
    copy = shutil.copytree(bundle, tmp_path_factory.mktemp("app") / "bundle")
    command = [sys.executable, ANDROID / "tools" / "build.py", "apk", "--bundle", copy]
    if is_stale(layout.UNSIGNED):
        subprocess.run(command, check=True)
    before = layout.UNSIGNED.read_bytes()
    subprocess.run(command, check=True)
    packaging.aar()
    return before


def is_stale(path):
    """Whether a source is younger."""
    folders = (ANDROID, REPOSITORY / "export" / "runtime")
    known = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", *folders],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    sources = [REPOSITORY / line for line in known.stdout.splitlines()]
    return any(source.is_file() and source.stat().st_mtime > path.stat().st_mtime for source in sources)


built_tests = [pytest.mark.slow, pytest.mark.timeout(900)]


class TestApk:
    pytestmark = built_tests

    def test_two_builds_give_the_same_bytes(self, built):
        assert layout.UNSIGNED.read_bytes() == built

    def test_signature(self, built):
        said = run("apksigner", "verify", "--verbose", "--print-certs", layout.APK)
        assert "v2 scheme (APK Signature Scheme v2): true" in said
        assert "v3 scheme (APK Signature Scheme v3): true" in said
        assert "CN=Debug" in said

    def test_badging(self, built, catalog):
        table, said = catalog["versions"], run("aapt", "dump", "badging", layout.APK)
        code = resources.version_code(table["lq-fda"])
        assert f"package: name='{layout.PACKAGE}' versionCode='{code}' versionName='{table['lq-fda']}'" in said
        assert f"sdkVersion:'{table['minSdk']}'" in said and f"targetSdkVersion:'{table['targetSdk']}'" in said
        assert f"launchable-activity: name='{layout.PACKAGE}.MainActivity'" in said
        assert "native-code: " + " ".join(f"'{abi}'" for abi in sorted(versions.abis())) in said
        assert "application-label:'lq_fda'" in said and "locales: '--_--' 'zh-CN'" in said
        assert re.findall(r"uses-permission: name='(.*)'", said) == ["android.permission.CAMERA"]
        assert re.findall(r"uses-feature: name='android.hardware.camera'", said) == []
        assert "application-icon-65534:'res/mipmap-anydpi-v26/ic_launcher.xml'" in said, "an adaptive icon"
        assert "application-debuggable" not in said and "testOnly" not in said

    def test_size(self, built):
        assert layout.APK.stat().st_size < packaging.MOST_BYTES

    def test_libraries_can_be_mapped(self, built):
        places = stored(layout.APK)
        libraries = {name: place for name, place in places.items() if name.startswith("lib/")}
        names = ("liblq_fda_delegate.so", "libtensorflowlite_jni.so")
        assert set(libraries) == {f"lib/{abi}/{name}" for abi in versions.abis() for name in names}
        assert all(place % (1 << 14) == 0 for place in libraries.values())
        assert all(place % 4 == 0 for place in places.values())

    def test_dex_holds_what_others_name(self, built):
        with zipfile.ZipFile(layout.APK) as file:
            dex = file.read("classes.dex")
        manifest = run("aapt", "dump", "xmltree", layout.APK, "AndroidManifest.xml")
        named = set(re.findall(rf'Raw: "({re.escape(layout.PACKAGE)}\.[A-Z]\w*)"', manifest))
        named -= {f"{layout.PACKAGE}.FromAdb"}  # Another name of MainActivity.
        assert {name.rsplit(".", 1)[1] for name in named} == {
            "CaptureProvider",
            "DemoApplication",
            "LiveActivity",
            "MainActivity",
        }
        for name in (*named, f"{layout.PACKAGE}.ChartView", "org.lqfda.runtime.NativeLibrary"):
            assert f"L{name.replace('.', '/')};".encode() in dex, name
        assert b"Lorg/lqfda/runtime/ImageClassifier;" not in dex, "it is shrunk"

    def test_nothing_is_left_open(self, built):
        manifest = run("aapt", "dump", "xmltree", layout.APK, "AndroidManifest.xml")
        exported = re.findall(r"android:exported.*?=\(type 0x12\)(0x\w+)", manifest)
        # The launcher's activity, and its name for adb.
        assert sorted(exported) == ["0x0", "0x0", "0xffffffff", "0xffffffff"]
        assert re.findall(r'android:permission.*?="(.*?)"', manifest) == ["android.permission.DUMP"]
        assert "android:debuggable" not in manifest
        assert "android:extractNativeLibs(0x010104ea)=(type 0x12)0x0" in manifest

    def test_bundle_is_inside(self, built):
        content = archive.entries(layout.APK)
        listed = json.loads(content["assets/bundle/manifest.json"])["files"]
        assert {f"assets/bundle/{name}" for name in listed} <= set(content)
        assert content["assets/licenses.txt"] == assets.licenses()
        assert 4 <= sum(name.startswith("assets/samples/") for name in content) <= 6

    def test_a_release_key_comes_from_outside(self, built, tmp_path, monkeypatch):
        store = tmp_path / "release.keystore"
        make = ["keytool", "-genkeypair", "-keystore", store, "-alias", "own", "-dname", "CN=Own", "-keyalg", "RSA"]
        run(*make, "-storepass", "secret1", "-keypass", "secret1")
        monkeypatch.setattr(packaging, "APK", tmp_path / "release.apk")
        for name, value in ((packaging.KEY, store), (packaging.ALIAS, "own"), (packaging.PASSWORD, "secret1")):
            monkeypatch.setenv(name, str(value))
        packaging.sign()
        assert "CN=Own" in run("apksigner", "verify", "--print-certs", tmp_path / "release.apk")
        monkeypatch.setenv(packaging.PASSWORD, "wrong")
        with pytest.raises(ToolError, match="signing the app"):
            packaging.sign()
        monkeypatch.delenv(packaging.ALIAS)
        with pytest.raises(ToolError, match=packaging.ALIAS):
            packaging.sign()


class TestAar:
    pytestmark = built_tests

    def test_content(self, built, catalog):
        content = archive.entries(layout.AAR)
        libraries = {f"jni/{abi}/liblq_fda_delegate.so" for abi in versions.abis()}
        others = {"AndroidManifest.xml", "LICENSE", "R.txt", "classes.jar", "licenses.txt", "proguard.txt"}
        assert set(content) == others | libraries
        assert content["LICENSE"] == (REPOSITORY / "LICENSE").read_bytes()
        assert content["proguard.txt"].decode() == text("runtime", "consumer-rules.pro")
        manifest = ElementTree.fromstring(content["AndroidManifest.xml"])
        assert manifest.get("package") == "org.lqfda.runtime"
        level = manifest.find("uses-sdk").get("{http://schemas.android.com/apk/res/android}minSdkVersion")
        assert level == catalog["versions"]["minSdk"]

    def test_classes_and_sources(self, built):
        names = set(archive.entries(layout.OUT / "maven" / "classes.jar"))
        for name in ("LqFdaDelegate", "Bundle", "ImageClassifier", "Benchmark", "SelfTest", "NativeLibrary"):
            assert f"org/lqfda/runtime/{name}.class" in names
        assert not [name for name in names if name.endswith(".class") and not name.startswith("org/lqfda/runtime/")]
        sources = set(archive.entries(layout.SOURCES))
        kotlin = ANDROID / "runtime/src/main/kotlin"
        assert sources == {path.relative_to(kotlin).as_posix() for path in kotlin.rglob("*.kt")}

    def test_coordinates(self, built, catalog):
        pom = ElementTree.parse(layout.POM).getroot()
        assert fields(pom, "groupId", "artifactId", "version", "packaging") == [
            "org.lqfda",
            "runtime",
            catalog["versions"]["lq-fda"],
            "aar",
        ]
        assert pom.findtext("pom:licenses/pom:license/pom:name", namespaces=NAMESPACE) == "Apache-2.0"


def test_records_are_those_of_python():
    """The library's own tests have left a benchmark's records."""
    records = layout.OUT / "host" / "records.jsonl"
    if not records.is_file():
        pytest.skip("there are no records: run `make android`")
    from lq_fda.artifacts.records import BenchmarkRecord

    lines = records.read_text(encoding="utf-8").splitlines()
    assert len(lines) == 6 or os.cpu_count() == 1
    for line in lines:
        record = BenchmarkRecord.model_validate_json(line)
        assert record.min_ms <= record.median_ms <= record.p90_ms
        assert record.environment["thermal_before"] == "none" and record.command == "a test"


def run(*command):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=True).stdout
