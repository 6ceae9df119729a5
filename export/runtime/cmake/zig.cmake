# Toolchain: clang from the PyPI package `ziglang`, for this machine or another one, with the C library's headers and
# stubs in the package.
#
#   cmake --toolchain cmake/zig.cmake -DLQ_FDA_ZIG_TARGET=aarch64-linux-gnu.2.17 ...
#
# LQ_FDA_ZIG          path of the program `zig`; without it, that of the `ziglang` package of `python3`
# LQ_FDA_ZIG_TARGET   what to compile for; the number is the oldest glibc that runs it
# LQ_FDA_ZIG_CPU      oldest processor that runs it; without it, the architecture's first
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES LQ_FDA_ZIG LQ_FDA_ZIG_TARGET LQ_FDA_ZIG_CPU)

if(NOT LQ_FDA_ZIG_TARGET)
  message(FATAL_ERROR "No target. Expected one such as -DLQ_FDA_ZIG_TARGET=x86_64-linux-gnu.2.17.")
endif()
if(NOT LQ_FDA_ZIG)
  execute_process(
    COMMAND python3 -c "import os, ziglang; print(os.path.join(os.path.dirname(ziglang.__file__), 'zig'))"
    OUTPUT_VARIABLE LQ_FDA_ZIG OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(NOT LQ_FDA_ZIG)
    message(FATAL_ERROR "zig is missing. Expected the package `ziglang`. Install it: pip install ziglang.")
  endif()
endif()
set(LQ_FDA_ZIG "${LQ_FDA_ZIG}" CACHE FILEPATH "The program zig.")

set(CMAKE_SYSTEM_NAME Linux)
string(REGEX MATCH "^[^-]+" CMAKE_SYSTEM_PROCESSOR "${LQ_FDA_ZIG_TARGET}")

# As the first part of every command line, where CMake's own questions to the compiler find them too. Without
# -nostdlib++ the first link would compile a C++ library for the target, for minutes.
set(CMAKE_CXX_COMPILER "${LQ_FDA_ZIG}" c++ -target ${LQ_FDA_ZIG_TARGET} -nostdlib++ -fno-sanitize=all)
if(LQ_FDA_ZIG_CPU)
  list(APPEND CMAKE_CXX_COMPILER -mcpu=${LQ_FDA_ZIG_CPU})
endif()
# `zig ar` has two words, and CMAKE_AR takes one.
set(CMAKE_AR "${LQ_FDA_ZIG}")
set(CMAKE_CXX_ARCHIVE_CREATE "<CMAKE_AR> ar qc <TARGET> <OBJECTS>")
set(CMAKE_CXX_ARCHIVE_APPEND "<CMAKE_AR> ar q <TARGET> <OBJECTS>")
set(CMAKE_CXX_ARCHIVE_FINISH "")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
