// LceBconv2d: constants brought into the kernels' order, the geometry for one input size, and the loop over tiles.
#pragma once
#include "base/arena.h"
#include "base/threads.h"
#include "kernels/kernels.h"
#include "ops/graph.h"
#include "ops/values.h"
#include "ops/window.h"

namespace lqfda {

// What does not depend on the size of the input. Channels stand in blocks of the kernel's width; no block holds
// channels of two groups, and the last one of a group may be narrow.
struct BconvConstants {
  int filter_height, filter_width;
  int group_words;  // Words of a pixel that a group reads.
  int groups, group_outputs, group_blocks, blocks;
  int outputs;
  uint32_t* weights;    // [block][filter_height * filter_width * group_words][width], arranged
  float* multiplier;    // [block][width]
  float* bias;          // [block][width]
  float* border_factor;  // [block][width]: of sums that are added behind the transformation.
  int32_t* tap_sums;    // [filter_height * filter_width][block][width]: the weights' sums.
  bool late_borders;  // Whether what a zero-padded border takes away is added behind the transformation, or before.
  bool clamp;
  int32_t clamp_low, clamp_high;
};

struct BconvGeometry {
  int height, width;  // Of the output.
  int32_t* segments;
  int segment_count, segment_words;
  int32_t* windows;      // First word of each output pixel's window, inside an image.
  uint8_t* borders;      // Kind of each output pixel's window; 0 lies inside the image. Null where all do.
  int32_t* sums;         // [kind][block][width]: the weights' sums outside of the image.
  float* corrections;    // The same, times the border factor.
};

// Null, or what is wrong.
const char* PrepareBconvConstants(const TfLiteContext* context, const Op& op, const Shape& input,
                                  const Kernels& kernels, Arena* arena, BconvConstants* constants);

// The border that a convolution wants around its input, and the size of its output.
const char* BconvWindow(const Op& op, const BconvConstants& constants, const Shape& input, Sliding* vertical,
                        Sliding* horizontal);

const char* PrepareBconvGeometry(const Op& op, const BconvConstants& constants, const Value& input,
                                 const Kernels& kernels, Arena* arena, BconvGeometry* geometry);

// One convolution, ready to run.
struct BconvRun {
  const Kernels* kernels;
  const BconvConstants* constants;
  const BconvGeometry* geometry;
  const uint32_t* input;
  int images;
  int64_t image_words;
  const Stage* stages;        // [images][stage_count]
  int stage_count;
  MapSink sink;
  const float** bit_shifts;   // [images], or null.
  int8_t* integers;           // Instead of the sink.
};

void RunBconv(const BconvRun& run, Pool* pool);

}  // namespace lqfda
