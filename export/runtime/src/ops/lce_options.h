// The options of Larq Compute Engine's operators: a FlexBuffers map in the file, and untrusted.
#pragma once
#include <stddef.h>

namespace lqfda {

enum class Padding { kSame = 0, kValid = 1 };

// Of LceBconv2d and LceBMaxPool2d. What an operator does not have keeps its default.
struct WindowOptions {
  int stride_height = 1, stride_width = 1;
  int dilation_height = 1, dilation_width = 1;
  int filter_height = 0, filter_width = 0;  // Of a pooling; a convolution's are its filter's shape.
  Padding padding = Padding::kSame;
  int pad_value = 1;    // What lies outside a convolution's image: 1, or 0.
  int channels_in = 0;  // Of a convolution.
  int activation = 0;   // A TfLiteFusedActivation.
};

// Read the options of an operator. On failure they return what is wrong, as part of a sentence; null means success.
const char* ReadBconvOptions(const void* blob, size_t size, WindowOptions* options);
const char* ReadMaxPoolOptions(const void* blob, size_t size, WindowOptions* options);

}  // namespace lqfda
