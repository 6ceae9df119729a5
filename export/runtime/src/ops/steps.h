// What a partition does, in order: its operators, fused where one pass over memory serves several.
#pragma once
#include "kernels/map/map.h"
#include "ops/bconv.h"
#include "ops/values.h"

namespace lqfda {

enum class StepKind : uint8_t {
  kBconv,         // A binary convolution, and the stages behind it.
  kMap,           // Stages on a float map; their signs, too.
  kPackIntegers,  // Signs of int8 or bool.
  kUnpack,        // Packed signs to numbers.
  kPad,           // Packed signs of the interpreter's to ones with a border.
  kExpand,        // Numbers that are broadcast, to a map.
  kMaxPool,
  kMean,
  kFullyConnected,
  kLogistic,
  kCopy,
};

// A stage whose operand is a value.
struct StagePlan {
  StageKind kind;
  Operand operand;
  int value;  // -1 for a clamp.
  float low, high;
};

constexpr int kMaxStepNodes = 12;

struct Step {
  StepKind kind;
  int op;        // The operator that it began with.
  int position;  // The operator whose place in the order it takes.
  int source;    // Values; -1 where there is none.
  int output;    // Numbers, or the packed signs of kPackIntegers, kPad and kMaxPool.
  int bits;      // Packed signs of kBconv and kMap.
  int bit_shift;
  Operand bit_shift_operand;
  StagePlan stages[kMaxStages];
  int stage_count;
  int nodes[kMaxStepNodes];  // Of the interpreter, for the report.
  int node_count;

  // For one input size:
  const BconvConstants* constants;
  BconvGeometry geometry;
  Stage* run_stages;         // [images][stage_count]
  const float** bit_shifts;  // [images]
  const float* weights;      // Of kFullyConnected, transposed.

  int64_t runs;
  int64_t nanoseconds;
};

// Decides on the steps of a partition. Values have their shapes and layouts; those that exist here alone, such as padded
// copies, are appended. Null, or what is wrong.
const char* BuildSteps(const List<Op>& ops, const int* value_of_tensor, Arena* arena, List<Value>* values,
                       List<Step>* steps);

}  // namespace lqfda
