// The values of a partition: where they live and how they are laid out.
#pragma once
#include "ops/graph.h"

namespace lqfda {

// Signs of a map, 32 channels a word. A value inside a partition carries a border of zero words (that is, ones), so
// that a convolution's window never leaves the memory.
struct PackedLayout {
  int images, height, width, words;
  int top, left, bottom, right;

  int64_t row() const { return static_cast<int64_t>(left + width + right) * words; }
  int64_t image() const { return row() * (top + height + bottom); }
  int64_t total() const { return image() * images; }
  int64_t pixels() const { return static_cast<int64_t>(images) * height * width; }
  // The word at which a pixel begins.
  int64_t at(int64_t pixel) const {
    const int64_t in_image = pixel % (static_cast<int64_t>(height) * width);
    return pixel / (static_cast<int64_t>(height) * width) * image() + (in_image / width + top) * row() +
           (in_image % width + left) * words;
  }
};

struct Value {
  int tensor;  // The interpreter's; -1 for one that exists here alone.
  TfLiteType type;
  Shape shape;    // Of packed values the last size counts words.
  bool produced;  // By an operator of this partition.
  bool outside;   // Its memory is the interpreter's: an input, a constant or an output of the partition.
  int consumers;
  int alias;  // The value whose memory this one shares, or itself.
  // Of values inside:
  int maker, last_use;  // Steps.
  void* memory;
  // Of packed values:
  PackedLayout layout;
  int32_t* offsets;  // Word of each pixel.
};

inline bool IsPacked(const Value& value) { return value.type == kTfLiteInt32; }

// Folds a shape to images of height by width pixels.
inline PackedLayout DenseLayout(const Shape& shape) {
  PackedLayout layout = {};
  const int rank = shape.rank;
  layout.words = shape.last();
  layout.width = rank > 1 ? shape.sizes[rank - 2] : 1;
  layout.height = rank > 2 ? shape.sizes[rank - 3] : 1;
  layout.images = 1;
  for (int i = 0; i + 3 < rank; ++i) layout.images *= shape.sizes[i];
  return layout;
}

}  // namespace lqfda
