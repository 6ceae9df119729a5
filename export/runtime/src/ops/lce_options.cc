#include "ops/lce_options.h"

#include <stdint.h>
#include <string.h>

namespace lqfda {
namespace {

// A FlexBuffers map, read with every offset checked. The format, from the end: the width of the root in bytes, its type,
// the root, which is an offset back to the map's values; behind these a byte of type each; before them the map's size,
// the width of its keys and the offset back to the keys, which are offsets back to zero-terminated strings.
class FlexMap {
 public:
  // False if the buffer holds no map.
  bool Open(const void* buffer, size_t size) {
    begin_ = static_cast<const uint8_t*>(buffer);
    size_ = size;
    if (buffer == nullptr || size < 3) return false;
    const size_t root_width = begin_[size - 1];
    const uint8_t root_type = begin_[size - 2];
    if (!IsWidth(root_width) || root_type >> 2 != kMap || size < 2 + root_width) return false;
    if (!Back(size - 2 - root_width, root_width, &values_)) return false;
    width_ = size_t{1} << (root_type & 3);
    if (values_ < 3 * width_) return false;
    uint64_t key_width;
    if (!Read(values_ - width_, width_, &count_) || !Read(values_ - 2 * width_, width_, &key_width)) return false;
    if (!IsWidth(key_width) || !Back(values_ - 3 * width_, width_, &keys_)) return false;
    key_width_ = static_cast<size_t>(key_width);
    return count_ <= size && Holds(values_, count_ * (width_ + 1)) && Holds(keys_, count_ * key_width_);
  }

  uint64_t count() const { return count_; }

  // The key at an index, or null.
  const char* Key(uint64_t index) const {
    size_t at;
    if (!Back(keys_ + index * key_width_, key_width_, &at)) return nullptr;
    return memchr(begin_ + at, 0, size_ - at) == nullptr ? nullptr : reinterpret_cast<const char*>(begin_ + at);
  }

  // The integer at an index; false if it is something else or beyond an int.
  bool Integer(uint64_t index, int* result) const {
    const uint8_t type = begin_[values_ + count_ * width_ + index];
    size_t at = values_ + index * width_, width = width_;
    const int kind = type >> 2;
    if (kind == kIndirectInt || kind == kIndirectUint) {
      if (!Back(at, width, &at)) return false;
      width = size_t{1} << (type & 3);
    } else if (kind != kInt && kind != kUint && kind != kBool) {
      return false;
    }
    uint64_t bits;
    if (!Read(at, width, &bits)) return false;
    const bool is_signed = kind == kInt || kind == kIndirectInt;
    const int unused = static_cast<int>(64 - 8 * width);
    if (!is_signed && bits > INT32_MAX) return false;
    const int64_t value = is_signed ? static_cast<int64_t>(bits << unused) >> unused : static_cast<int64_t>(bits);
    if (value < INT32_MIN || value > INT32_MAX) return false;
    *result = static_cast<int>(value);
    return true;
  }

 private:
  enum Type { kInt = 1, kUint = 2, kIndirectInt = 6, kIndirectUint = 7, kMap = 9, kBool = 26 };

  static bool IsWidth(uint64_t width) { return width == 1 || width == 2 || width == 4 || width == 8; }
  bool Holds(size_t at, uint64_t bytes) const { return at <= size_ && bytes <= size_ - at; }

  bool Read(size_t at, size_t width, uint64_t* value) const {
    if (!Holds(at, width)) return false;
    *value = 0;
    memcpy(value, begin_ + at, width);
    return true;
  }

  // Follows the offset that is stored at a place.
  bool Back(size_t at, size_t width, size_t* target) const {
    uint64_t distance;
    if (!Read(at, width, &distance) || distance > at) return false;
    *target = at - static_cast<size_t>(distance);
    return true;
  }

  const uint8_t* begin_ = nullptr;
  size_t size_ = 0;
  size_t values_ = 0, keys_ = 0, width_ = 1, key_width_ = 1;
  uint64_t count_ = 0;
};

struct Field {
  const char* name;
  int* value;
  int low, high;
};

constexpr int kLargest = 1 << 20;

// Each field must be there once, and nothing else: an option that is not known could change what the operator means.
const char* ReadFields(const void* blob, size_t size, const Field* fields, int field_count) {
  FlexMap map;
  if (!map.Open(blob, size)) return "its options are no FlexBuffers map";
  unsigned seen = 0;
  for (uint64_t index = 0; index < map.count(); ++index) {
    const char* key = map.Key(index);
    if (key == nullptr) return "its options are damaged";
    int found = 0;
    while (found < field_count && strcmp(fields[found].name, key) != 0) ++found;
    if (found == field_count) return "it has an option that this version does not know; update lq-fda-runtime";
    if (seen & 1u << found) return "its options are damaged";
    const Field& field = fields[found];
    if (!map.Integer(index, field.value) || *field.value < field.low || *field.value > field.high) {
      return "an option of it is out of range";
    }
    seen |= 1u << found;
  }
  return seen == (1u << field_count) - 1 ? nullptr : "an option of it is missing";
}

}  // namespace

const char* ReadBconvOptions(const void* blob, size_t size, WindowOptions* options) {
  int padding = 0;
  const Field fields[] = {
      {"stride_height", &options->stride_height, 1, kLargest},
      {"stride_width", &options->stride_width, 1, kLargest},
      {"dilation_height_factor", &options->dilation_height, 1, kLargest},
      {"dilation_width_factor", &options->dilation_width, 1, kLargest},
      {"padding", &padding, 0, 1},
      {"pad_values", &options->pad_value, 0, 1},
      {"channels_in", &options->channels_in, 1, kLargest},
      {"fused_activation_function", &options->activation, 0, 3},
  };
  const char* problem = ReadFields(blob, size, fields, static_cast<int>(sizeof(fields) / sizeof(fields[0])));
  options->padding = static_cast<Padding>(padding);
  return problem;
}

const char* ReadMaxPoolOptions(const void* blob, size_t size, WindowOptions* options) {
  int padding = 0;
  const Field fields[] = {
      {"stride_height", &options->stride_height, 1, kLargest}, {"stride_width", &options->stride_width, 1, kLargest},
      {"filter_height", &options->filter_height, 1, kLargest}, {"filter_width", &options->filter_width, 1, kLargest},
      {"padding", &padding, 0, 1},
  };
  const char* problem = ReadFields(blob, size, fields, static_cast<int>(sizeof(fields) / sizeof(fields[0])));
  options->padding = static_cast<Padding>(padding);
  return problem;
}

}  // namespace lqfda
