// Binary convolution.
//
// With bits a, b for the signs of x and w (a set bit is -1), x * w = 1 - 2 (a xor b), so a dot product of length K is
// K - 2 popcount(a xor b). A tile is a few pixels by a block of output channels; `pixels` point at the first word of
// each pixel's window in the padded input, and a window is a number of segments of consecutive words.
#pragma once
#include <stdint.h>

#include "kernels/map/map.h"

namespace lqfda {

constexpr int kMaxTilePixels = 8;
constexpr int kMaxTileChannels = 32;

struct BconvTile {
  const uint32_t* pixels[kMaxTilePixels];  // All of them readable, also beyond `count`.
  int count;                               // Pixels of the tile, at least 1.
  const int32_t* segments;                 // Word offset of each segment from the pixel.
  int segment_count;
  int segment_words;
  const uint32_t* weights;  // [segment_count * segment_words][block][weight_words], arranged

  // y = float(clamp(2 popcount + sum)) * multiplier + bias + correction, where windows that leave a zero-padded image
  // have either a sum or a correction.
  const float* multiplier;
  const float* bias;
  bool clamp;
  int32_t clamp_low, clamp_high;
  bool borders;  // Whether the tile has any of these; null where a pixel has none.
  const int32_t* sums[kMaxTilePixels];
  const float* corrections[kMaxTilePixels];

  const Stage* stages;
  int stage_count;
  MapSink sink;
  int pixel;    // Of the tile's first pixel in the stages' maps and the sink; the others follow it.
  int channel;  // Of the block's first channel, likewise.
  bool half;    // Whether the block's second half is left alone; see `HasHalfBlock`.
};

// Signs are packed a byte at a time.
constexpr bool HasHalfBlock(int block) { return block / 2 % 8 == 0; }

struct BconvKernels {
  int block;   // Output channels of a tile.
  int pixels;  // Pixels of a tile, at most.
  int weight_words;  // Words that a word of weights takes in the kernel's own order.
  // Brings a row of weights, one word for each channel of the block, into that order; the two may overlap. Null: the
  // row stays as it is.
  void (*arrange_weights)(const uint32_t* row, uint32_t* arranged);
  // All channels of the block or of its first half, floats through stages into the sink.
  void (*to_map)(const BconvTile&);
  // The popcounts themselves: [count][block].
  void (*to_counts)(const BconvTile&, int32_t* counts);
};

// What `to_counts` computes, in plain loops, for the given block and weights that are not arranged.
void ReferenceBconvCounts(const BconvTile& tile, int block, int32_t* counts);

}  // namespace lqfda
