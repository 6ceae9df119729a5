// Float maps, element by element: what stands between two binary convolutions, in one pass over memory.
//
// A map is a matrix of pixels by channels. A chain of stages turns every number of a source into a number of the
// result; the result is stored, or its signs are packed, or both.
#pragma once
#include <stddef.h>
#include <stdint.h>

namespace lqfda {

enum class StageKind : uint8_t {
  kAddVector,  // y + vector[channel]
  kMulVector,  // y * vector[channel]
  kPrelu,      // y < 0 ? y * vector[channel] : y
  kAddMap,     // y + map[pixel][channel]
  kMulMap,     // y * map[pixel][channel]
  kClamp,      // min(max(y, low), high)
};

struct Stage {
  StageKind kind;
  const float* data;  // A vector, or a map.
  ptrdiff_t stride;   // Of a map: floats from pixel to pixel.
  float low, high;
};

constexpr int kMaxStages = 8;

// Where the result goes. Bits are packed as Larq Compute Engine does: 32 channels a word, the lowest bit first, a bit
// set where the number is negative; zero and NaN count as positive.
struct MapSink {
  float* map;        // Null if the numbers are not wanted.
  ptrdiff_t stride;  // Floats from pixel to pixel.
  uint32_t* bits;    // Null if the signs are not wanted.
  const int32_t* bit_offsets;  // Word of each pixel, relative to `bits`.
  const float* bit_shift;      // Added to the number before its sign is taken; null for none.
};

struct MapRun {
  const float* source;
  ptrdiff_t source_stride;
  int source_pixel, source_channel;  // Of the number that `source` points to.
  const Stage* stages;
  int stage_count;
  MapSink sink;
  int first_pixel, last_pixel;      // Half open; indices into the stages' maps and the sink.
  int first_channel, last_channel;  // Half open; likewise.
};

struct MapKernels {
  // Bits that the run does not cover are left alone. Those that it covers must be zero before where it covers a word
  // partly (a last word of fewer than 32 channels), and all of them if it does not begin with a word.
  void (*run)(const MapRun&);
  // Means over the pixels of an image, one a channel.
  void (*mean)(const float* map, int pixels, int channels, float* means);
};

// What `run` computes, in plain loops.
void ReferenceMapRun(const MapRun& run);

}  // namespace lqfda
