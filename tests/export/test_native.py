"""The C++ tests of the delegate, as they are and under the sanitizers."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

RUNTIME = Path(__file__).resolve().parents[2] / "export" / "runtime"
TOOLS = ("cmake", "ninja", "g++")


@pytest.mark.native
@pytest.mark.parametrize("sanitizers", ["", "address,undefined", "thread"], ids=["plain", "address", "thread"])
@pytest.mark.skipif(not all(map(shutil.which, TOOLS)), reason=f"needs {', '.join(TOOLS)}")
def test_the_native_tests_pass(sanitizers, tmp_path):
    options = ["-G", "Ninja", "-DLQ_FDA_TESTS=ON", "-DLQ_FDA_WERROR=ON", f"-DLQ_FDA_SANITIZE={sanitizers}"]
    for command in (["cmake", "-S", RUNTIME, "-B", tmp_path, *options], ["cmake", "--build", tmp_path]):
        built = subprocess.run(command, capture_output=True, text=True, check=False)
        assert built.returncode == 0, f"{built.stdout[-4000:]}\n{built.stderr[-4000:]}"
    # Requests for absurd amounts of memory are part of the tests: the sanitizers shall refuse them as malloc does.
    refusing = "allocator_may_return_null=1"
    environment = {**os.environ, "ASAN_OPTIONS": refusing, "TSAN_OPTIONS": refusing}
    ran = subprocess.run(
        [tmp_path / "tests" / "lq_fda_tests"], capture_output=True, text=True, check=False, env=environment
    )
    assert ran.returncode == 0 and ", 0 failed" in ran.stdout, f"{ran.stdout[-4000:]}\n{ran.stderr[-4000:]}"
