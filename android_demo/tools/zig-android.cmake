# Toolchain: Android by clang from the PyPI package `ziglang`, without the NDK. tools/native.py gives the variables:
#
# LQ_FDA_ZIG       the program zig
# LQ_FDA_HEADERS   folders with headers, in their order
# LQ_FDA_TRIPLE    what clang is to compile for
# LQ_FDA_FLAGS     of the compiler, besides
# LQ_FDA_KIT       a folder that tools/kit.py made
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES LQ_FDA_ZIG LQ_FDA_HEADERS LQ_FDA_TRIPLE LQ_FDA_FLAGS LQ_FDA_KIT)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)

# CMake's own `Android` looks for an NDK. The delegate's CMakeLists.txt asks for the variable that the NDK sets.
set(CMAKE_SYSTEM_NAME Linux)
string(REGEX MATCH "^[^-]+" CMAKE_SYSTEM_PROCESSOR "${LQ_FDA_TRIPLE}")
set(ANDROID TRUE)

set(CMAKE_CXX_COMPILER "${LQ_FDA_ZIG}" clang --driver-mode=g++ --target=${LQ_FDA_TRIPLE} -nostdinc)
foreach(folder ${LQ_FDA_HEADERS})
  list(APPEND CMAKE_CXX_COMPILER -isystem "${folder}")
endforeach()
# A guarded stack and a number of the build are what the NDK sets, too.
list(APPEND CMAKE_CXX_COMPILER ${LQ_FDA_FLAGS} -fstack-protector-strong)

set(CMAKE_SHARED_LINKER_FLAGS_INIT "-Wl,--build-id=sha1 -nostdlib -L\"${LQ_FDA_KIT}\" --ld-path=\"${LQ_FDA_KIT}/ld.lld\"")
set(CMAKE_CXX_STANDARD_LIBRARIES_INIT "-lc -ldl -llog \"${LQ_FDA_KIT}/builtins.o\"")

# `zig ar` has two words, and CMAKE_AR takes one.
set(CMAKE_AR "${LQ_FDA_ZIG}")
set(CMAKE_CXX_ARCHIVE_CREATE "<CMAKE_AR> ar qc <TARGET> <OBJECTS>")
set(CMAKE_CXX_ARCHIVE_APPEND "<CMAKE_AR> ar q <TARGET> <OBJECTS>")
set(CMAKE_CXX_ARCHIVE_FINISH "")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
