"""The app's resources, by Debian's aapt."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import debian
import versions
from commands import run
from layout import APP, APP_SOURCES, ASSETS, DEPS, PACKAGE

MANIFEST = APP / "AndroidManifest.xml"
PACKED = APP / "resources.apk"
JAVA = APP / "java"
RULES = APP / "manifest-rules.pro"
ROBOLECTRIC = APP / "robolectric"
ANDROID_JAR = DEPS / "android-all.jar"


def build() -> None:
    """Makes `R.java`, an APK of resources and assets, the shrinker's rules, and what tells Robolectric of them.

    Raises:
        ToolError: aapt is missing, or refuses something.
    """
    debian.need("aapt", "aapt")
    for folder in (JAVA, ROBOLECTRIC):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    table = versions.read()
    # Of the package and of the libraries' packing, Gradle's manifest says nothing: that stands in build.gradle.kts.
    source = (APP_SOURCES / "AndroidManifest.xml").read_text(encoding="utf-8")
    source = source.replace("<manifest ", f'<manifest package="{PACKAGE}" ', 1)
    _write(MANIFEST, source.replace("<application\n", '<application\n      android:extractNativeLibs="false"\n', 1))
    run(
        [
            *("aapt", "package", "-f", "-m", "-M", MANIFEST, "-S", APP_SOURCES / "res", "-A", ASSETS),
            *("-I", ANDROID_JAR, "-J", JAVA, "-F", PACKED, "-G", RULES),
            *("--min-sdk-version", table["minSdk"], "--target-sdk-version", table["targetSdk"]),
            *("--version-code", version_code(table["lq-fda"]), "--version-name", table["lq-fda"]),
        ],
        doing="packing the app's resources",
    )
    _write(
        ROBOLECTRIC / "com" / "android" / "tools" / "test_config.properties",
        f"android_merged_manifest={MANIFEST}\nandroid_merged_assets={ASSETS}\n"
        f"android_resource_apk={PACKED}\nandroid_custom_package={PACKAGE}\n",
    )


def version_code(name: str) -> str:
    """1.2.3 becomes 10203."""
    major, minor, patch = (int(part) for part in re.fullmatch(r"(\d+)\.(\d+)\.(\d+)", name).groups())
    return str(major * 10000 + minor * 100 + patch)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
