// The options of LCE's operators: well-formed, damaged, and hostile.
#include "support/check.h"
#include "support/flexbuffers.h"

namespace lqfda::test {
namespace {

// Reads a copy that ends where the blob ends.
const char* Read(const uint8_t* bytes, size_t size, WindowOptions* options, bool pool = false) {
  auto* copy = static_cast<uint8_t*>(malloc(size == 0 ? 1 : size));
  memcpy(copy, bytes, size);
  const char* problem = pool ? ReadMaxPoolOptions(copy, size, options) : ReadBconvOptions(copy, size, options);
  free(copy);
  return problem;
}

const char* Read(const Blob& blob, WindowOptions* options, bool pool = false) {
  return Read(blob.bytes, blob.size, options, pool);
}

WindowOptions Sample() {
  WindowOptions options;
  options.stride_height = 2;
  options.stride_width = 3;
  options.dilation_height = 4;
  options.dilation_width = 5;
  options.padding = Padding::kValid;
  options.pad_value = 0;
  options.channels_in = 100;
  options.activation = 1;
  options.filter_height = 6;
  options.filter_width = 7;
  return options;
}

bool InRange(const WindowOptions& o, bool pool) {
  const bool strides = o.stride_height >= 1 && o.stride_width >= 1;
  if (pool) return strides && o.filter_height >= 1 && o.filter_width >= 1;
  return strides && o.dilation_height >= 1 && o.dilation_width >= 1 && o.pad_value >= 0 && o.pad_value <= 1 &&
         o.activation >= 0 && o.activation <= 3 && o.channels_in >= 1;
}

// Options of a convolution, one of them replaced.
Blob WithOption(const char* name, int64_t value, size_t width = 4, FlexType type = kFlexInt) {
  Option options[kBconvOptions] = {{"channels_in", 64},
                                   {"dilation_height_factor", 1},
                                   {"dilation_width_factor", 1},
                                   {"fused_activation_function", 0},
                                   {"pad_values", 1},
                                   {"padding", 0},
                                   {"stride_height", 1},
                                   {"stride_width", 1}};
  for (Option& option : options) {
    if (strcmp(option.name, name) == 0) option.value = value;
  }
  return EncodeOptions(options, kBconvOptions, width, type);
}

}  // namespace

TEST(options_are_read) {
  for (size_t width : {size_t{1}, size_t{2}, size_t{4}, size_t{8}}) {
    const WindowOptions expected = Sample();
    WindowOptions actual;
    CHECK(Read(EncodeBconv(expected, width), &actual) == nullptr);
    CHECK_EQ(actual.stride_height, 2);
    CHECK_EQ(actual.stride_width, 3);
    CHECK_EQ(actual.dilation_height, 4);
    CHECK_EQ(actual.dilation_width, 5);
    CHECK(actual.padding == Padding::kValid);
    CHECK_EQ(actual.pad_value, 0);
    CHECK_EQ(actual.channels_in, 100);
    CHECK_EQ(actual.activation, 1);
    WindowOptions pool;
    CHECK(Read(EncodeMaxPool(expected, width), &pool, true) == nullptr);
    CHECK_EQ(pool.filter_height, 6);
    CHECK_EQ(pool.filter_width, 7);
    CHECK_EQ(pool.stride_height, 2);
    CHECK_EQ(pool.stride_width, 3);
    CHECK(pool.padding == Padding::kValid);
  }
  WindowOptions options;
  for (FlexType type : {kFlexInt, kFlexUint, kFlexIndirectInt}) {
    CHECK(Read(WithOption("stride_width", 7, 2, type), &options) == nullptr);
    CHECK_EQ(options.stride_width, 7);
  }
  for (int value : {0, 1}) {
    CHECK(Read(WithOption("pad_values", value, 1, kFlexBool), &options) == nullptr);
    CHECK_EQ(options.pad_value, value);
  }
}

TEST(options_out_of_range_are_refused) {
  WindowOptions options;
  for (const char* name : {"stride_height", "stride_width", "dilation_height_factor", "channels_in"}) {
    CHECK_TEXT(Read(WithOption(name, 0), &options), "out of range");
    CHECK_TEXT(Read(WithOption(name, -1), &options), "out of range");
    CHECK_TEXT(Read(WithOption(name, INT32_MAX), &options), "out of range");
    CHECK_TEXT(Read(WithOption(name, int64_t{1} << 40, 8), &options), "out of range");
    CHECK_TEXT(Read(WithOption(name, INT64_MIN, 8), &options), "out of range");
    // As an unsigned number; not what is left of it in 63 bits.
    CHECK_TEXT(Read(WithOption(name, INT64_MIN + 1, 8, kFlexUint), &options), "out of range");
    CHECK_TEXT(Read(WithOption(name, 1, 4, kFlexFloat), &options), "out of range");
  }
  CHECK_TEXT(Read(WithOption("padding", 2), &options), "out of range");
  CHECK_TEXT(Read(WithOption("pad_values", 2), &options), "out of range");
  CHECK_TEXT(Read(WithOption("fused_activation_function", 4), &options), "out of range");
}

TEST(options_must_be_there_once_and_known) {
  WindowOptions options;
  const Option good[] = {{"filter_height", 2}, {"filter_width", 2}, {"padding", 1}, {"stride_height", 2},
                         {"stride_width", 2},  {"new_option", 1},   {"padding", 0}};
  CHECK(Read(EncodeOptions(good, 5), &options, true) == nullptr);
  CHECK_TEXT(Read(EncodeOptions(good, 4), &options, true), "missing");
  CHECK_TEXT(Read(EncodeOptions(good, 0), &options, true), "missing");
  CHECK_TEXT(Read(EncodeOptions(good, 6), &options, true), "does not know");
  const Option twice[] = {good[0], good[1], good[2], good[3], good[4], good[6]};
  CHECK(Read(EncodeOptions(twice, 6), &options, true) != nullptr);
  CHECK(ReadBconvOptions(nullptr, 0, &options) != nullptr);
  CHECK(ReadBconvOptions(nullptr, 100, &options) != nullptr);
}

// A blob that is cut off, on either side, is refused.
TEST(options_cut_off_are_refused) {
  for (bool pool : {false, true}) {
    const Blob blob = pool ? EncodeMaxPool(Sample()) : EncodeBconv(Sample());
    WindowOptions options;
    for (size_t size = 0; size < blob.size; ++size) {
      CHECK(Read(blob.bytes, size, &options, pool) != nullptr);
      CHECK(Read(blob.bytes + blob.size - size, size, &options, pool) != nullptr);
    }
  }
}

// Any value of any byte: never read outside, and never accepted out of range.
TEST(options_with_a_changed_byte_are_harmless) {
  for (size_t width : {size_t{1}, size_t{8}}) {
    for (bool pool : {false, true}) {
      const Blob blob = pool ? EncodeMaxPool(Sample(), width) : EncodeBconv(Sample(), width);
      for (size_t at = 0; at < blob.size; ++at) {
        for (int value = 0; value < 256; ++value) {
          Blob changed = blob;
          changed.bytes[at] = static_cast<uint8_t>(value);
          WindowOptions options;
          CHECK(Read(changed, &options, pool) != nullptr || InRange(options, pool));
        }
      }
    }
  }
}

// The same for random bytes, with an end that looks like a map's.
TEST(options_of_noise_are_harmless) {
  Random random(31);
  for (int round = 0; round < 20000; ++round) {
    Blob blob;
    const int size = random.Below(64);
    for (int i = 0; i < size; ++i)
      blob.Put(random.Coin() ? static_cast<uint64_t>(random.Below(8)) : random.Bits() & 255, 1);
    blob.Put(static_cast<uint64_t>(random.Below(size + 1)), 1);
    blob.Put(static_cast<uint64_t>(9 << 2 | random.Below(4)), 1);
    blob.Put(1, 1);
    WindowOptions options;
    CHECK(Read(blob, &options) != nullptr || InRange(options, false));
  }
}

}  // namespace lqfda::test
