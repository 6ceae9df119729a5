// Writes the options of LCE's operators: a FlexBuffers map from names to integers.
#pragma once
#include "ops/lce_options.h"
#include "support/data.h"

namespace lqfda::test {

struct Option {
  const char* name;
  int64_t value;
};

// What an element says it is.
enum FlexType { kFlexInt = 1, kFlexUint = 2, kFlexFloat = 3, kFlexIndirectInt = 6, kFlexBool = 26 };

struct Blob {
  static constexpr size_t kMost = 1024;
  uint8_t bytes[kMost];
  size_t size = 0;

  void Put(uint64_t value, size_t width) {
    if (size + width > kMost) abort();
    memcpy(bytes + size, &value, width);  // Lowest byte first, as the format is.
    size += width;
  }
  // An offset back to a place.
  void PutOffset(size_t target, size_t width) { Put(size - target, width); }
};

// Every number takes `width` bytes: 1, 2, 4 or 8.
inline Blob EncodeOptions(const Option* options, int count, size_t width = 4, FlexType type = kFlexInt) {
  constexpr int kMostOptions = 16;
  if (count > kMostOptions) abort();
  Blob blob;
  size_t keys[kMostOptions], indirect[kMostOptions];
  for (int i = 0; i < count; ++i) {
    keys[i] = blob.size;
    for (const char* c = options[i].name;; ++c) {
      blob.Put(static_cast<uint8_t>(*c), 1);
      if (*c == 0) break;
    }
  }
  for (int i = 0; type == kFlexIndirectInt && i < count; ++i) {
    indirect[i] = blob.size;
    blob.Put(static_cast<uint64_t>(options[i].value), width);
  }
  const uint8_t log_width = width == 1 ? 0 : width == 2 ? 1 : width == 4 ? 2 : 3;
  blob.Put(static_cast<uint64_t>(count), width);
  const size_t key_list = blob.size;
  for (int i = 0; i < count; ++i) blob.PutOffset(keys[i], width);
  blob.PutOffset(key_list, width);
  blob.Put(width, width);
  blob.Put(static_cast<uint64_t>(count), width);
  const size_t values = blob.size;
  for (int i = 0; i < count; ++i) {
    if (type == kFlexIndirectInt) {
      blob.PutOffset(indirect[i], width);
    } else {
      blob.Put(static_cast<uint64_t>(options[i].value), width);
    }
  }
  for (int i = 0; i < count; ++i) blob.Put(static_cast<uint64_t>(type << 2 | log_width), 1);
  const size_t root = blob.size - values;
  blob.Put(root, root > 255 ? 2 : 1);
  blob.Put(static_cast<uint64_t>(9 << 2 | log_width), 1);
  blob.Put(root > 255 ? 2 : 1, 1);
  return blob;
}

constexpr int kBconvOptions = 8, kMaxPoolOptions = 5;

// In the order of their names, as the format wants.
inline Blob EncodeBconv(const WindowOptions& o, size_t width = 4) {
  const Option options[kBconvOptions] = {
      {"channels_in", o.channels_in},
      {"dilation_height_factor", o.dilation_height},
      {"dilation_width_factor", o.dilation_width},
      {"fused_activation_function", o.activation},
      {"pad_values", o.pad_value},
      {"padding", static_cast<int>(o.padding)},
      {"stride_height", o.stride_height},
      {"stride_width", o.stride_width},
  };
  return EncodeOptions(options, kBconvOptions, width);
}

inline Blob EncodeMaxPool(const WindowOptions& o, size_t width = 4) {
  const Option options[kMaxPoolOptions] = {
      {"filter_height", o.filter_height}, {"filter_width", o.filter_width}, {"padding", static_cast<int>(o.padding)},
      {"stride_height", o.stride_height}, {"stride_width", o.stride_width},
  };
  return EncodeOptions(options, kMaxPoolOptions, width);
}

}  // namespace lqfda::test
