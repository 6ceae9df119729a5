#include "delegate/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

namespace lqfda {
namespace {

constexpr int kMostThreads = 1024;

// A text as a message may hold it: not too long, and of characters that any program can print.
struct Shown {
  char text[65];

  explicit Shown(const char* from) {
    size_t size = 0;
    for (; from[size] != 0 && size + 1 < sizeof(text); ++size) {
      text[size] = from[size] < 0x20 || from[size] > 0x7e ? '?' : from[size];
    }
    text[size] = 0;
  }
};

bool ReadBool(const char* value, bool* result) {
  *result = strcmp(value, "true") == 0 || strcmp(value, "True") == 0 || strcmp(value, "1") == 0;
  return *result || strcmp(value, "false") == 0 || strcmp(value, "False") == 0 || strcmp(value, "0") == 0;
}

bool ReadThreads(const char* value, int* result) {
  char* end;
  const long number = strtol(value, &end, 10);
  *result = static_cast<int>(number);
  return *value != 0 && *end == 0 && number >= 0 && number <= kMostThreads;
}

bool ReadIsa(const char* value, const Kernels** kernels) {
  if (strcmp(value, "auto") == 0) {
    *kernels = BestKernels();
    return true;
  }
  for (Isa isa : kIsas) {
    if (strcmp(value, IsaName(isa)) != 0 || KernelsFor(isa) == nullptr || !IsaIsAvailable(isa)) continue;
    *kernels = KernelsFor(isa);
    return true;
  }
  return false;
}

}  // namespace

const char* ReadOptions(const char* const* keys, const char* const* values, size_t count, Options* options, char* text,
                        size_t text_size) {
  options->kernels = BestKernels();
  for (size_t i = 0; i < count; ++i) {
    const char *key = keys[i], *value = values[i], *expected = nullptr;
    if (strcmp(key, "num_threads") == 0) {
      if (!ReadThreads(value, &options->num_threads)) expected = "a number from 0 (the interpreter's) to 1024";
    } else if (strcmp(key, "isa") == 0) {
      if (!ReadIsa(value, &options->kernels)) {
        expected = "auto, or one of avx512, avx2, neon and portable that this library and this processor have";
      }
    } else if (strcmp(key, "fuse") == 0 || strcmp(key, "profile") == 0 || strcmp(key, "verbose") == 0) {
      bool* target = *key == 'f' ? &options->fuse : *key == 'p' ? &options->profile : &options->verbose;
      if (!ReadBool(value, target)) expected = "true or false";
    } else {
      snprintf(text, text_size,
               "lq_fda: no such option. Expected num_threads, isa, fuse, profile or verbose. Received: %s.",
               Shown(key).text);
      return text;
    }
    if (expected != nullptr) {
      snprintf(text, text_size, "lq_fda: a bad option. Expected %s=%s. Received: %s.", key, expected,
               Shown(value).text);
      return text;
    }
  }
  return nullptr;
}

}  // namespace lqfda
