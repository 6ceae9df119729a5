"""Where the build without Gradle finds and leaves things."""

from __future__ import annotations

from pathlib import Path

ANDROID = Path(__file__).resolve().parents[1]
ROOT = ANDROID.parent
OUT = ROOT / "build" / "android"

# What it gives.
APK = OUT / "lq_fda_demo.apk"
AAR = OUT / "lq_fda_runtime.aar"
POM = OUT / "lq_fda_runtime.pom"
SOURCES = OUT / "lq_fda_runtime-sources.jar"

# What it makes on the way.
DEPS = OUT / "deps"
JNI = OUT / "jni"
HOST = OUT / "host"
APP = OUT / "app"
UNSIGNED = OUT / "unsigned.apk"

RUNTIME_SOURCES = ANDROID / "runtime" / "src" / "main"
APP_SOURCES = ANDROID / "app" / "src" / "main"
ASSETS = APP_SOURCES / "assets"
# What the app gets if no bundle is given.
GOLDEN_BUNDLE = ROOT / "export" / "golden" / "cifar10_resnet20"
PACKAGE = "org.lqfda.demo"


def classes(module: str) -> Path:
    """Where Maven compiles a module to."""
    return OUT / "maven" / module / "classes"
