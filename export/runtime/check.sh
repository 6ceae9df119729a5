#!/usr/bin/env bash
# The C++ tests and the fuzzers, on this machine, and the tests on emulated ARM ones:
#
#   ./check.sh kernels           build with g++, run all tests, time the kernels
#   ./check.sh asan              the same tests under AddressSanitizer and UndefinedBehaviorSanitizer
#   ./check.sh tsan              the same tests under ThreadSanitizer
#   ./check.sh arm               tests for aarch64 and armv7 under qemu-user, and llvm-mca on the NEON loop
#   ./check.sh all               these, one after the other
#   ./check.sh fuzz [SECONDS]    libFuzzer on options, then on graphs, each for SECONDS, from the corpus in fuzz/
#   ./check.sh models SECONDS PYTHON [MODEL...]    damaged models in the LiteRT of PYTHON, which has lq_fda_runtime
#
# What a step needs and the machine lacks is installed by apt; where that is not allowed, the step says what to install.
set -euo pipefail
caller=$PWD
cd "$(dirname "$0")"
here=$PWD
jobs=$(nproc)

# need PACKAGE TEST...: installs a Debian package unless the test succeeds already.
need() {
  local package=$1
  shift
  "$@" >/dev/null 2>&1 && return
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "check.sh: installing Debian's package $package"
    # A failure is reported below, where the package has a name.
    [ -n "${apt_is_fresh:-}" ] || apt-get update -qq || true
    apt_is_fresh=1
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends -o DPkg::Lock::Timeout=120 \
      "$package" >/dev/null || true
    hash -r
  fi
  "$@" >/dev/null 2>&1 && return
  echo "check.sh: Debian's package $package is missing. Install it: sudo apt-get install $package" >&2
  exit 1
}

need_build_tools() {
  need g++ command -v g++
  need cmake command -v cmake
  need ninja-build command -v ninja
}

# build FOLDER TARGETS CMAKE-ARGUMENTS...
build() {
  local folder=build/$1 targets=$2 log=build/$1/build.log
  shift 2
  mkdir -p "$folder"
  # shellcheck disable=SC2086
  if ! { cmake -B "$folder" -DLQ_FDA_TESTS=ON -DLQ_FDA_WERROR=ON "$@" &&
    cmake --build "$folder" -j "$jobs" --target $targets; } >"$log" 2>&1; then
    tail -60 "$log" >&2
    echo "check.sh: the build in $folder failed; see above." >&2
    exit 1
  fi
}

kernels() {
  need_build_tools
  build check-host "lq_fda_delegate lq_fda_tests lq_fda_kernel_benchmark" --preset host
  build/check-host/tests/lq_fda_tests
  build/check-host/tests/lq_fda_kernel_benchmark
}

asan() {
  need_build_tools
  build check-asan lq_fda_tests --preset host-asan
  build/check-asan/tests/lq_fda_tests
}

tsan() {
  need_build_tools
  build check-tsan lq_fda_tests --preset host-tsan
  build/check-tsan/tests/lq_fda_tests
}

fuzz() {
  local seconds=${1:-20}
  need_build_tools
  need clang command -v clang++
  need "libclang-rt-$(clang -dumpversion | cut -d. -f1)-dev" has_fuzzer
  build check-fuzz "lq_fda_fuzz_options lq_fda_fuzz_graph" -G Ninja -DCMAKE_BUILD_TYPE=Release \
    -DCMAKE_CXX_COMPILER=clang++ -DLQ_FDA_SANITIZE=fuzzer-no-link,address,undefined
  fuzz_one options "$seconds"
  fuzz_one graph "$seconds"
}

has_fuzzer() { ls "$(clang++ -print-resource-dir)"/lib/linux/libclang_rt.fuzzer-*.a; }

# What is found new goes to the build folder: add to fuzz/corpus/ by hand what is worth it.
fuzz_one() {
  local found=build/check-fuzz/found-$1 log=build/check-fuzz/$1.log
  mkdir -p "$found"
  echo "fuzz $1: $2 s; its progress goes to export/runtime/$log"
  if ! "build/check-fuzz/tests/fuzz/lq_fda_fuzz_$1" -max_total_time="$2" -max_len=512 -timeout=20 -rss_limit_mb=1000 \
    -print_final_stats=1 -artifact_prefix="build/check-fuzz/$1-" "$found" "fuzz/corpus/$1" >"$log" 2>&1; then
    tail -60 "$log" >&2
    echo "check.sh: the fuzzer found an input that $1 fails on; see above." >&2
    exit 1
  fi
  echo "fuzz $1: $(awk '/number_of_executed_units/ {print $2}' "$log") executions in $2 s, nothing found"
}

models() {
  local seconds=$1 python=$2
  shift 2
  need_build_tools
  cd "$caller"
  if ! "$python" -c "import ai_edge_litert, lq_fda_runtime" 2>/dev/null; then
    echo "check.sh: $python lacks lq_fda_runtime or LiteRT. Run \`make test\` once and pass .venv/bin/python." >&2
    exit 1
  fi
  (cd "$here" && build check-asan lq_fda_delegate --preset host-asan)
  "$python" "$here/fuzz/models.py" --library "$here/build/check-asan/liblq_fda_delegate.so" --seconds "$seconds" "$@"
}

arm() {
  need_build_tools
  need qemu-user command -v qemu-aarch64
  need libc6-arm64-cross test -e /usr/aarch64-linux-gnu/lib/ld-linux-aarch64.so.1
  need libc6-armhf-cross test -e /usr/arm-linux-gnueabihf/lib/ld-linux-armhf.so.3
  need llvm command -v llvm-mca
  find_zig
  build check-aarch64 lq_fda_tests --preset linux-aarch64 -DLQ_FDA_ZIG="$zig"
  build check-armv7 lq_fda_tests --preset linux-armv7 -DLQ_FDA_ZIG="$zig"
  # Side by side: the emulator is slow.
  emulate aarch64 qemu-aarch64 -L /usr/aarch64-linux-gnu -cpu cortex-a72 &
  local aarch64=$! failed=0
  emulate armv7 qemu-arm -L /usr/arm-linux-gnueabihf -cpu cortex-a15 || failed=1
  wait $aarch64 || failed=1
  for machine in aarch64 armv7; do
    echo "$machine: $(tail -1 build/check-$machine/log)"
    grep -vE "^passed" build/check-$machine/log | head -n -1 || true
  done
  [ $failed = 0 ] || exit 1
  python3 benchmarks/neon_loop.py "$zig"
}

emulate() { "${@:2}" "build/check-$1/tests/lq_fda_tests" >"build/check-$1/log"; }

# The compiler from PyPI: the machine's Python has it, or it goes into an environment of its own.
find_zig() {
  local python=python3
  if ! $python -c "import ziglang" 2>/dev/null; then
    python=build/check-zig/bin/python
    need python3-venv python3 -c "import ensurepip"
    [ -x $python ] || python3 -m venv build/check-zig
    $python -m pip install --quiet "ziglang>=0.13,<0.18"
  fi
  zig=$($python -c "import os, ziglang; print(os.path.join(os.path.dirname(ziglang.__file__), 'zig'))")
}

usage() {
  sed -n '2,12s/^# \{0,1\}//p' "$here/check.sh"
  exit 2
}

case ${1:-} in
  kernels | asan | tsan | arm) "$1" ;;
  fuzz) fuzz "${2:-20}" ;;
  models)
    [ $# -ge 3 ] || usage
    models "${@:2}"
    ;;
  all) for step in kernels asan tsan arm; do echo "== $step" && $step; done ;;
  *) usage ;;
esac
