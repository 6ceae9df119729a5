// The options of a delegate, as text.
#pragma once
#include <stddef.h>

#include "kernels/kernels.h"

namespace lqfda {

struct Options {
  int num_threads = 0;  // 0: as many as the interpreter recommends.
  const Kernels* kernels = nullptr;
  bool fuse = true;
  bool profile = false;
  bool verbose = false;
};

// Reads options. Null, or what is wrong: a whole message in `text`.
const char* ReadOptions(const char* const* keys, const char* const* values, size_t count, Options* options, char* text,
                        size_t text_size);

}  // namespace lqfda
