"""The files that the build gives: an APK for a phone, and an AAR for other apps."""

from __future__ import annotations

import os
from pathlib import Path

import archive
import assets
import debian
import jdk
import resources
import shrink
import versions
from commands import ToolError, run
from layout import AAR, ANDROID, APK, DEPS, JNI, OUT, POM, ROOT, RUNTIME_SOURCES, SOURCES, UNSIGNED, classes

DEBUG_KEY = OUT / "debug.keystore"
MOST_BYTES = 15_000_000
# A release key comes from outside.
KEY, ALIAS = "LQ_FDA_KEYSTORE", "LQ_FDA_KEY_ALIAS"
PASSWORD, KEY_PASSWORD = "LQ_FDA_KEYSTORE_PASSWORD", "LQ_FDA_KEY_PASSWORD"
_DEBUG_PASSWORD = "android"

_POM = """<?xml version="1.0" encoding="UTF-8"?>
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>org.lqfda</groupId>
  <artifactId>runtime</artifactId>
  <version>{version}</version>
  <packaging>aar</packaging>
  <licenses>
    <license>
      <name>Apache-2.0</name>
      <url>https://www.apache.org/licenses/LICENSE-2.0.txt</url>
    </license>
  </licenses>
  <dependencies>
    <dependency>
      <groupId>org.jetbrains.kotlin</groupId>
      <artifactId>kotlin-stdlib</artifactId>
      <version>{kotlin}</version>
    </dependency>
    <dependency>
      <groupId>org.tensorflow</groupId>
      <artifactId>tensorflow-lite</artifactId>
      <version>{tensorflow_lite}</version>
      <type>aar</type>
    </dependency>
  </dependencies>
</project>
"""


def aar() -> None:
    """Packs the library, its sources and its coordinates."""
    table = versions.read()
    inner = OUT / "maven" / "classes.jar"
    compiled = archive.files(classes("runtime"))
    archive.write(inner, {name: content for name, content in compiled.items() if not name.startswith("META-INF/maven")})
    manifest = (
        '<manifest xmlns:android="http://schemas.android.com/apk/res/android" package="org.lqfda.runtime">\n'
        f'  <uses-sdk android:minSdkVersion="{table["minSdk"]}"/>\n</manifest>\n'
    )
    archive.write(
        AAR,
        {
            "AndroidManifest.xml": manifest.encode(),
            "classes.jar": inner.read_bytes(),
            "proguard.txt": (ANDROID / "runtime" / "consumer-rules.pro").read_bytes(),
            "R.txt": b"",
            "LICENSE": (ROOT / "LICENSE").read_bytes(),
            "licenses.txt": assets.licenses(),
            **{name: content for name, content in archive.files(JNI, "jni/").items() if name.endswith(".so")},
        },
    )
    archive.write(SOURCES, archive.files(RUNTIME_SOURCES / "kotlin"))
    POM.write_text(
        _POM.format(version=table["lq-fda"], kotlin=table["kotlin"], tensorflow_lite=table["tensorflow-lite"]),
        encoding="utf-8",
    )


def unsigned() -> None:
    """Packs the app: the same bytes whenever its parts are the same."""
    content = archive.entries(resources.PACKED)
    content |= archive.files(shrink.DEX)
    for abi in versions.abis():
        content |= archive.files(JNI / abi, f"lib/{abi}/")
        content |= archive.files(DEPS / "tensorflow-lite" / "jni" / abi, f"lib/{abi}/")
    archive.write(UNSIGNED, content)
    size = UNSIGNED.stat().st_size
    if size >= MOST_BYTES:
        raise ToolError(
            f"The APK is too large. Expected less than {MOST_BYTES} bytes. Received: {size}. "
            "Choose the bundle of a smaller network."
        )


def sign() -> None:
    """Signs the app: with the key that the environment names, or else with one for trying it out, made on the spot.

    Raises:
        ToolError: apksigner is missing, or the key cannot be used.
    """
    debian.need("apksigner", "apksigner")
    if KEY in os.environ:
        for name in (ALIAS, PASSWORD):
            if name not in os.environ:
                raise ToolError(f"{KEY} names a key store, and {name} is not set. Set {ALIAS} and {PASSWORD}, too.")
        own = KEY_PASSWORD if KEY_PASSWORD in os.environ else PASSWORD
        key = ["--ks", os.environ[KEY], "--ks-key-alias", os.environ[ALIAS]]
        key += ["--ks-pass", f"env:{PASSWORD}", "--key-pass", f"env:{own}"]
    else:
        key = ["--ks", _debug_key(), "--ks-pass", f"pass:{_DEBUG_PASSWORD}"]
    schemes = ("--v1-signing-enabled", "false", "--v2-signing-enabled", "true", "--v3-signing-enabled", "true")
    # Without an index file of signatures beside the APK: that is for incremental installation only.
    run(
        ["apksigner", "sign", *key, *schemes, "--v4-signing-enabled", "false", "--out", APK, UNSIGNED],
        doing="signing the app",
    )
    level = versions.read()["minSdk"]
    run(["apksigner", "verify", "--min-sdk-version", level, APK], doing="verifying the app's signature")


def _debug_key() -> Path:
    if not DEBUG_KEY.is_file():
        run(
            [
                *(jdk.program("keytool"), "-genkeypair", "-keystore", DEBUG_KEY, "-alias", "debug"),
                *("-dname", "CN=Debug", "-keyalg", "RSA", "-keysize", "2048", "-validity", "10000"),
                *("-storepass", _DEBUG_PASSWORD, "-keypass", _DEBUG_PASSWORD),
            ],
            doing="making a key for trying the app out",
        )
    return DEBUG_KEY
