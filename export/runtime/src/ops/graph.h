// The operators of one partition, and the values between them: the delegate's own view of the interpreter's graph.
#pragma once
#include <stdint.h>

#include "abi/tflite.h"
#include "base/arena.h"
#include "ops/lce_options.h"

namespace lqfda {

constexpr int kMaxRank = 6;
constexpr int kMaxInputs = 5;  // Of LceBconv2d: input, filter, multiplier, bias, thresholds.

struct Shape {
  int rank;
  int sizes[kMaxRank];

  int last() const { return rank == 0 ? 1 : sizes[rank - 1]; }
  int64_t count() const { return Product(rank); }
  // How many vectors of `last()` numbers.
  int64_t pixels() const { return Product(rank - 1); }

  // Of the first sizes; INT64_MAX if it is larger.
  int64_t Product(int count) const {
    int64_t product = 1;
    for (int i = 0; i < count; ++i) {
      if (__builtin_mul_overflow(product, static_cast<int64_t>(sizes[i]), &product)) product = INT64_MAX;
    }
    return product;
  }
};

enum class OpKind : uint8_t {
  kQuantize,
  kDequantize,
  kBconv,
  kMaxPool,
  // What stands between binary convolutions, taken when fusion is on.
  kAdd,
  kMul,
  kPrelu,
  kMean,
  kFullyConnected,
  kLogistic,
  kReshape,
};

struct Op {
  OpKind kind;
  int node;                // Its number in the interpreter's graph.
  int inputs[kMaxInputs];  // Tensors of the interpreter; -1 where there is none.
  int output;
  WindowOptions window;  // Of LceBconv2d and LceBMaxPool2d.
  bool clamp;            // A fused activation of ADD, MUL and FULLY_CONNECTED: numbers stay between low and high.
  float low, high;
  bool keep_dims;  // Of MEAN and FULLY_CONNECTED.
};

const char* OpName(OpKind kind);

// Describes a node. False if this delegate cannot run it: `reason` then says why, and `is_lce` whether nobody else can
// either.
bool ReadOp(TfLiteContext* context, int node_index, Op* op, const char** reason, bool* is_lce);

// The shape of a built-in operator's result; `second` is that of its second operand, if it has one. Null, or why there
// is none. ReadOp asks before a node is taken: what cannot be prepared is left to the interpreter.
const char* BuiltinShape(const TfLiteContext* context, const Op& op, const Shape& input, const Shape& second,
                         Shape* result);

// Whether a tensor's content is in the file.
inline bool IsConstant(const TfLiteTensor& tensor) {
  return tensor.allocation_type == kTfLiteMmapRo && tensor.data != nullptr;
}

// Whether its memory is as large as `count` numbers of `size` bytes.
inline bool Holds(const TfLiteTensor& tensor, int64_t count, size_t size) {
  return tensor.bytes % size == 0 && tensor.bytes / size == static_cast<uint64_t>(count);
}

// Whether a tensor (-1 for none) is a constant of `count` numbers of a type that has four bytes.
inline bool IsConstantOf(const TfLiteContext* context, int tensor, TfLiteType type, int64_t count) {
  if (tensor < 0) return false;
  const TfLiteTensor& constant = context->tensors[tensor];
  return constant.type == type && IsConstant(constant) && Holds(constant, count, 4);
}

// How many words hold the signs of a pixel.
inline int WordsFor(int channels) { return channels / 32 + (channels % 32 != 0); }

// The shape of a tensor; false if it has none or too high a rank.
bool ShapeOf(const TfLiteTensor& tensor, Shape* shape);

// Limits the numbers that an activation lets through; false for one that this library does not know.
bool ActivationRange(int activation, bool* clamp, float* low, float* high);

// How an operand of ADD or MUL is laid against the result.
enum class Operand : uint8_t {
  kMap,           // A number for every number.
  kVector,        // One for each channel, for all images.
  kImageVectors,  // One for each channel and image.
  kBroadcast,     // In some other way, for which no stage exists.
};
Operand ClassifyOperand(const Shape& operand, const Shape& result);

// The shape that two operands give; false if they do not fit.
bool BroadcastShapes(const Shape& a, const Shape& b, Shape* result);

}  // namespace lqfda
