// How a window slides over an image.
#pragma once
#include <stdint.h>

#include "ops/lce_options.h"

namespace lqfda {

struct Sliding {
  int outputs;  // Below 1 if the window does not fit.
  int before;   // Pixels of padding in front of the image, and behind it.
  int behind;
};

inline Sliding Slide(int size, int filter, int stride, int dilation, Padding padding) {
  const int64_t extent = static_cast<int64_t>(filter - 1) * dilation + 1;
  Sliding result = {};
  if (padding == Padding::kValid) {
    result.outputs = size < extent ? 0 : static_cast<int>((size - extent) / stride + 1);
    return result;
  }
  result.outputs = static_cast<int>((static_cast<int64_t>(size) + stride - 1) / stride);
  const int64_t lacking = (static_cast<int64_t>(result.outputs) - 1) * stride + extent - size;
  constexpr int64_t kMostPadding = 1 << 28;  // No map is as large.
  if (lacking > kMostPadding) {
    result.outputs = 0;
  } else if (lacking > 0) {
    result.before = static_cast<int>(lacking / 2);
    result.behind = static_cast<int>(lacking - lacking / 2);
  }
  return result;
}

}  // namespace lqfda
