#!/usr/bin/env bash
# Takes a Raspberry Pi from nothing to a benchmark table: environment, runtime, self-test, benchmark.
#
#   ./benchmark_on_pi.sh BUNDLE [WHEEL]
#
# BUNDLE   a folder that `lq-fda convert` made
# WHEEL    a wheel of lq-fda-runtime; without it, the newest in ../runtime/dist that fits, else it is built from
#          ../runtime, for which nothing has to be installed
#
# In the environment: PYTHON (python3), VENV (.venv-pi beside this script), ROUNDS (200), THREADS (1,2,4, as far as there
# are cores), RECORDS (records.jsonl beside this script).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
PYTHON=${PYTHON:-python3}
VENV=${VENV:-$here/.venv-pi}
ROUNDS=${ROUNDS:-200}
RECORDS=${RECORDS:-$here/records.jsonl}

say() { printf '\n== %s\n' "$*"; }
note() { printf '   NOTE: %s\n' "$*"; }
die() {
  printf 'benchmark_on_pi.sh: %s\n' "$*" >&2
  exit 1
}

[[ $# -ge 1 && $# -le 2 && $1 != -* ]] || die "Expected a bundle. Received: '${*:-nothing}'. Usage: $0 BUNDLE [WHEEL]"
bundle=$1
[[ -f $bundle/manifest.json ]] || die "This is no bundle. Expected a folder with manifest.json. Received: '$bundle'."
command -v "$PYTHON" >/dev/null || die "Python is missing. Received: PYTHON='$PYTHON'. Install it: sudo apt install python3 python3-venv"
"$PYTHON" -c 'import ensurepip, venv' 2>/dev/null ||
  die "Python cannot make virtual environments. Install the module: sudo apt install python3-venv"

say "The board"
machine=$(uname -m)
bits=$("$PYTHON" -c 'import struct; print(8 * struct.calcsize("P"))')
version=$("$PYTHON" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
minor=${version#3.}
board=$({ cat /proc/device-tree/model 2>/dev/null || true; } | tr -d '\0')
board=${board:-no Raspberry Pi}
cores=$(nproc)
echo "   $board, $cores cores, $machine kernel, $bits-bit Python $version"
((minor >= 9)) || die "Python is too old. Expected 3.9 or later. Received: $version."

case $machine-$bits in
aarch64-64) ;;
x86_64-64) note "this is no Raspberry Pi; what follows is a rehearsal." ;;
aarch64-32 | armv8l-32 | armv7l-32)
  note "a 32-bit system. The 1-bit kernels have half the vector registers here, and LiteRT has no 32-bit wheels: the"
  note "other operators run on tflite-runtime 2.14 of 2023. Expect everything to be slower than on 64-bit Raspberry Pi"
  note "OS, which every Pi 3, 4, 5 and Zero 2 runs; the ratio to int8 is of this system alone."
  ((minor <= 11)) ||
    die "tflite-runtime has no wheel for this Python. Expected 3.9 to 3.11 on a 32-bit system. Received: $version. Use 64-bit Raspberry Pi OS, or set PYTHON to such a Python."
  ;;
armv6l-*)
  die "This board cannot run the benchmark. Expected ARMv7 with NEON or later (Pi 2 and newer). Received: $machine: a Pi 1 or Zero has no vector unit, the kernels would be plain loops, and no TFLite runtime has wheels for it."
  ;;
*) die "This machine is not supported. Expected aarch64, armv7l or x86_64. Received: $machine with a $bits-bit Python." ;;
esac

if grep -q Features /proc/cpuinfo && ! grep -qwE 'asimddp' /proc/cpuinfo; then
  note "the processor has no dot-product instructions (Pi 4 and older): int8, the peer, runs on plain multiplies. The"
  note "1-bit kernels do not use them anyway; on a Pi 5 the ratio to int8 is less in their favour."
fi
governor=$(cat /sys/devices/system/cpu/cpu0/cpufreq/scaling_governor 2>/dev/null || true)
if [[ -n $governor && $governor != performance ]]; then
  note "the clock's governor is '$governor'. For steady times:"
  note "echo performance | sudo tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor"
fi
throttled() { command -v vcgencmd >/dev/null && vcgencmd get_throttled 2>/dev/null | cut -d= -f2 || true; }
before=$(throttled)

say "The environment, in $VENV"
[[ -x $VENV/bin/python ]] || "$PYTHON" -m venv "$VENV"
if [[ $# -eq 2 ]]; then
  package=$2
  [[ -f $package ]] || die "The wheel is missing. Received: '$package'."
else
  case $machine-$bits in *-32) tag=armv7l ;; *) tag=$machine ;; esac
  package=$(ls -t "$here"/../runtime/dist/lq_fda_runtime-*"_$tag.whl" 2>/dev/null | head -1 || true)
  package=${package:-$here/../runtime}
fi
echo "   installing $package"
pip=("$VENV/bin/python" -m pip --quiet --disable-pip-version-check)
# pip keeps what is installed if the version is the same, also if the wheel is another one.
"${pip[@]}" uninstall --yes lq-fda-runtime 2>/dev/null || true
"${pip[@]}" install "$package" ||
  die "The runtime cannot be installed; what pip said stands above."
run=$VENV/bin/lq-fda-runtime
"$run" info

say "The self-test: does this machine compute what the converting one did?"
"$run" selftest "$bundle"

say "The benchmark"
if [[ -z ${THREADS:-} ]]; then
  THREADS=1
  for count in 2 4; do ((count <= cores)) && THREADS=$THREADS,$count; done
fi
"$run" benchmark "$bundle" --threads "$THREADS" --rounds "$ROUNDS" --output "$RECORDS"
after=$(throttled)
if [[ -n $after && $after != 0x0 ]]; then
  note "the board was throttled (vcgencmd get_throttled: $before before, $after after): it was too hot, or its power supply"
  note "too weak, since it was started. The times are not those that the board can do."
fi
echo
echo "Records: $RECORDS (one JSON object a line; lq-fda reads them)"
