#include "ops/graph.h"

#include <string.h>

namespace lqfda {
namespace {

struct Name {
  const char* name;
  OpKind kind;
  int inputs;  // At least.
};

constexpr Name kLceNames[] = {
    {"LceQuantize", OpKind::kQuantize, 1},
    {"LceDequantize", OpKind::kDequantize, 1},
    {"LceBconv2d", OpKind::kBconv, 4},
    {"LceBMaxPool2d", OpKind::kMaxPool, 1},
};

// Numbers of a FULLY_CONNECTED. An excitation's are far fewer, and a plain loop in one thread is enough for them.
constexpr int64_t kLargestMatrix = 1 << 18;

bool IsFloat(const TfLiteTensor& tensor) { return tensor.type == kTfLiteFloat32; }

bool IsFloatConstant(const TfLiteContext* context, int tensor, int64_t count) {
  return IsConstantOf(context, tensor, kTfLiteFloat32, count);
}

// Each of these looks at what the interpreter has checked for its own kernels already, and at what ours leave out.

const char* ReadElementwise(TfLiteContext* context, const TfLiteNode* node, Op* op) {
  const auto* params = static_cast<const TfLiteActivationParams*>(node->builtin_data);
  Shape a, b, result;
  const TfLiteTensor *first = &context->tensors[op->inputs[0]], *second = &context->tensors[op->inputs[1]];
  if (!IsFloat(*first) || !IsFloat(*second)) return "its operands are not float";
  if (!ShapeOf(*first, &a) || !ShapeOf(*second, &b) || !BroadcastShapes(a, b, &result)) {
    return "its operands do not fit";
  }
  if (ClassifyOperand(a, result) == Operand::kBroadcast || ClassifyOperand(b, result) == Operand::kBroadcast) {
    return "its operands are broadcast in a way that has no kernel here";
  }
  if (IsConstant(*first) && IsConstant(*second)) return "it computes a constant";
  if (params == nullptr || !ActivationRange(params->activation, &op->clamp, &op->low, &op->high)) {
    return "it has an activation that has no kernel here";
  }
  return nullptr;
}

const char* ReadPrelu(TfLiteContext* context, Op* op) {
  Shape input, slopes;
  const TfLiteTensor& tensor = context->tensors[op->inputs[0]];
  if (!IsFloat(tensor) || !ShapeOf(tensor, &input)) return "its input is not float";
  // As many numbers may as well be one a row.
  const bool one_a_channel = ShapeOf(context->tensors[op->inputs[1]], &slopes) && slopes.last() == input.last() &&
                             slopes.pixels() == 1 && IsFloatConstant(context, op->inputs[1], input.last());
  return one_a_channel ? nullptr : "its slopes are not one constant a channel";
}

const char* ReadMean(TfLiteContext* context, const TfLiteNode* node, Op* op) {
  const auto* params = static_cast<const TfLiteReducerParams*>(node->builtin_data);
  const TfLiteTensor &tensor = context->tensors[op->inputs[0]], &axes = context->tensors[op->inputs[1]];
  if (!IsFloat(tensor)) return "its input is no float map";
  if (!IsConstant(axes) || axes.type != kTfLiteInt32 || axes.bytes != 2 * sizeof(int32_t) || params == nullptr) {
    return "it is no mean over height and width";
  }
  unsigned seen = 0;
  for (int i = 0; i < 2; ++i) {
    const int32_t axis = static_cast<const int32_t*>(axes.data)[i];
    const int place = axis < 0 ? axis + 4 : axis;
    if (place != 1 && place != 2) return "it is no mean over height and width";
    seen |= 1u << place;
  }
  if (seen != 6) return "it is no mean over height and width";
  op->keep_dims = params->keep_dims;
  return nullptr;
}

const char* ReadReshape(TfLiteContext* context, const Op* op) {
  if (!IsFloat(context->tensors[op->inputs[0]])) return "its input is not float";
  const TfLiteTensor& shape = context->tensors[op->inputs[1]];
  Shape list;
  // The interpreter looks elsewhere if that is no list.
  const bool fits = shape.type == kTfLiteInt32 && IsConstant(shape) && shape.bytes <= kMaxRank * sizeof(int32_t) &&
                    ShapeOf(shape, &list) && list.rank == 1;
  return fits ? nullptr : "its shape is not constant";
}

const char* ReadFullyConnected(TfLiteContext* context, const TfLiteNode* node, Op* op) {
  const auto* params = static_cast<const TfLiteFullyConnectedParams*>(node->builtin_data);
  Shape weights;
  if (!IsFloat(context->tensors[op->inputs[0]])) return "its input is not float";
  if (!ShapeOf(context->tensors[op->inputs[1]], &weights) || weights.rank != 2 ||
      !IsFloatConstant(context, op->inputs[1], weights.count())) {
    return "its weights are no constant float matrix";
  }
  if (weights.count() > kLargestMatrix) return "its matrix is too large for a loop in one thread";
  if (op->inputs[2] >= 0 && !IsFloatConstant(context, op->inputs[2], weights.sizes[0])) {
    return "its bias is not constant";
  }
  if (params == nullptr || params->weights_format != 0 ||
      !ActivationRange(params->activation, &op->clamp, &op->low, &op->high)) {
    return "it has a format or an activation that has no kernel here";
  }
  op->keep_dims = params->keep_num_dims;
  return nullptr;
}

const char* ReadLce(TfLiteContext* context, const TfLiteNode* node, Op* op) {
  const void* blob = node->custom_initial_data;
  const size_t size = node->custom_initial_data_size < 0 ? 0 : static_cast<size_t>(node->custom_initial_data_size);
  const TfLiteType input = context->tensors[op->inputs[0]].type, output = context->tensors[op->output].type;
  switch (op->kind) {
    case OpKind::kQuantize:
      if (output != kTfLiteInt32) return "its output is not packed in int32";
      return input == kTfLiteFloat32 || input == kTfLiteInt8 || input == kTfLiteBool ? nullptr
                                                                                    : "its input has an unknown type";
    case OpKind::kDequantize:
      if (input != kTfLiteInt32) return "its input is not packed in int32";
      return output == kTfLiteFloat32 || output == kTfLiteInt8 || output == kTfLiteBool
                 ? nullptr
                 : "its output has an unknown type";
    case OpKind::kMaxPool:
      if (input != kTfLiteInt32 || output != kTfLiteInt32) return "its maps are not packed in int32";
      return ReadMaxPoolOptions(blob, size, &op->window);
    default:
      if (input != kTfLiteInt32) return "its input is not packed in int32";
      if (output != kTfLiteFloat32 && output != kTfLiteInt8 && output != kTfLiteInt32) {
        return "its output has an unknown type";
      }
      return ReadBconvOptions(blob, size, &op->window);
  }
}

const char* ReadKind(TfLiteContext* context, const TfLiteNode* node, Op* op) {
  switch (op->kind) {
    case OpKind::kAdd:
    case OpKind::kMul:
      return ReadElementwise(context, node, op);
    case OpKind::kPrelu:
      return ReadPrelu(context, op);
    case OpKind::kMean:
      return ReadMean(context, node, op);
    case OpKind::kFullyConnected:
      return ReadFullyConnected(context, node, op);
    case OpKind::kReshape:
      return ReadReshape(context, op);
    default:
      return IsFloat(context->tensors[op->inputs[0]]) ? nullptr : "its input is not float";
  }
}

const char* ReadBuiltin(TfLiteContext* context, const TfLiteNode* node, Op* op) {
  if (!IsFloat(context->tensors[op->output])) return "its output is not float";
  const char* problem = ReadKind(context, node, op);
  if (problem != nullptr) return problem;
  Shape input, second = {}, result;
  if (!ShapeOf(context->tensors[op->inputs[0]], &input) ||
      (op->inputs[1] >= 0 && !ShapeOf(context->tensors[op->inputs[1]], &second))) {
    return "its operands have odd shapes";
  }
  return BuiltinShape(context, *op, input, second, &result);
}

bool BuiltinKind(int32_t code, OpKind* kind, int* inputs) {
  *inputs = 2;
  switch (code) {
    case kTfLiteBuiltinAdd:
      *kind = OpKind::kAdd;
      return true;
    case kTfLiteBuiltinMul:
      *kind = OpKind::kMul;
      return true;
    case kTfLiteBuiltinPrelu:
      *kind = OpKind::kPrelu;
      return true;
    case kTfLiteBuiltinMean:
      *kind = OpKind::kMean;
      return true;
    case kTfLiteBuiltinFullyConnected:
      *kind = OpKind::kFullyConnected;
      return true;
    case kTfLiteBuiltinLogistic:
      *kind = OpKind::kLogistic;
      *inputs = 1;
      return true;
    case kTfLiteBuiltinReshape:
      *kind = OpKind::kReshape;
      return true;
    default:
      return false;
  }
}

}  // namespace

const char* OpName(OpKind kind) {
  static const char* const kNames[] = {"quantize", "dequantize", "bconv2d", "bmaxpool2d",      "add",     "mul",
                                       "prelu",    "mean",       "dense",   "logistic", "reshape"};
  return kNames[static_cast<int>(kind)];
}

bool ReadOp(TfLiteContext* context, int node_index, Op* op, const char** reason, bool* is_lce) {
  *is_lce = false;
  *reason = "it has no kernel here";
  TfLiteNode* node = nullptr;
  TfLiteRegistration* registration = nullptr;
  if (context->GetNodeAndRegistration(context, node_index, &node, &registration) != kTfLiteOk) return false;
  int wanted = 0;
  if (registration->builtin_code == kTfLiteBuiltinCustom && registration->custom_name != nullptr) {
    for (const Name& known : kLceNames) {
      if (strcmp(registration->custom_name, known.name) != 0) continue;
      *is_lce = true;
      op->kind = known.kind;
      wanted = known.inputs;
    }
    if (!*is_lce) return false;
  } else if (!BuiltinKind(registration->builtin_code, &op->kind, &wanted)) {
    return false;
  }
  op->node = node_index;
  if (node->inputs == nullptr || node->outputs == nullptr || node->inputs->size < wanted || node->outputs->size != 1) {
    *reason = "it has an odd number of inputs or outputs";
    return false;
  }
  const int tensors = static_cast<int>(context->tensors_size);
  for (int i = 0; i < kMaxInputs; ++i) {
    op->inputs[i] = i < node->inputs->size ? node->inputs->data[i] : -1;
    if (op->inputs[i] >= tensors || (op->inputs[i] < 0 && i == 0)) {
      *reason = "it names tensors that are not there";
      return false;
    }
  }
  op->output = node->outputs->data[0];
  if (op->output < 0 || op->output >= tensors) {
    *reason = "it names tensors that are not there";
    return false;
  }
  if (!*is_lce && wanted == 2 && op->inputs[1] < 0) {
    *reason = "it misses an input";
    return false;
  }
  *reason = *is_lce ? ReadLce(context, node, op) : ReadBuiltin(context, node, op);
  return *reason == nullptr;
}

namespace {

const char* MeanShape(const Op& op, const Shape& input, Shape* result) {
  if (input.rank != 4 || input.sizes[1] < 1 || input.sizes[2] < 1) return "its input is no map";
  *result = input;
  if (op.keep_dims) {
    result->sizes[1] = result->sizes[2] = 1;
  } else {
    *result = {2, {input.sizes[0], input.sizes[3]}};
  }
  return nullptr;
}

const char* FullyConnectedShape(const Op& op, const Shape& input, const Shape& weights, Shape* result) {
  const bool fits = input.rank > 0 && weights.rank == 2 && weights.sizes[1] > 0 &&
                    (op.keep_dims ? input.last() == weights.sizes[1] : input.count() % weights.sizes[1] == 0);
  if (!fits) return "its weights do not fit";
  *result = input;
  if (op.keep_dims) {
    result->sizes[input.rank - 1] = weights.sizes[0];
  } else {
    *result = {2, {static_cast<int>(input.count() / weights.sizes[1]), weights.sizes[0]}};
  }
  return nullptr;
}

const char* ReshapeShape(const TfLiteTensor& wanted, const Shape& input, Shape* result) {
  const auto* sizes = static_cast<const int32_t*>(wanted.data);
  result->rank = static_cast<int>(wanted.bytes / sizeof(int32_t));
  int64_t known = 1;
  int open = -1;
  for (int i = 0; i < result->rank; ++i) {
    result->sizes[i] = sizes[i];
    if (sizes[i] < 0) {
      if (open >= 0) return "its shape leaves two sizes open";
      open = i;
    } else if (__builtin_mul_overflow(known, static_cast<int64_t>(sizes[i]), &known)) {
      return "its shape does not fit its input";
    }
  }
  if (open >= 0) result->sizes[open] = known == 0 ? 0 : static_cast<int>(input.count() / known);
  return result->count() == input.count() ? nullptr : "its shape does not fit its input";
}

}  // namespace

const char* BuiltinShape(const TfLiteContext* context, const Op& op, const Shape& input, const Shape& second,
                         Shape* result) {
  switch (op.kind) {
    case OpKind::kMean:
      return MeanShape(op, input, result);
    case OpKind::kFullyConnected:
      return FullyConnectedShape(op, input, second, result);
    case OpKind::kReshape:
      return ReshapeShape(context->tensors[op.inputs[1]], input, result);
    case OpKind::kLogistic:
      *result = input;
      return nullptr;
    default:
      return BroadcastShapes(input, second, result) ? nullptr : "its operands do not fit";
  }
}

bool ShapeOf(const TfLiteTensor& tensor, Shape* shape) {
  if (tensor.dims == nullptr || tensor.dims->size < 0 || tensor.dims->size > kMaxRank) return false;
  shape->rank = tensor.dims->size;
  for (int i = 0; i < shape->rank; ++i) {
    if (tensor.dims->data[i] < 0) return false;
    shape->sizes[i] = tensor.dims->data[i];
  }
  return true;
}

bool ActivationRange(int activation, bool* clamp, float* low, float* high) {
  *clamp = activation != kTfLiteActNone;
  *low = activation == kTfLiteActReluN1To1 ? -1.0f : 0.0f;
  *high = activation == kTfLiteActReluN1To1 ? 1.0f : activation == kTfLiteActRelu6 ? 6.0f : __builtin_inff();
  return activation >= kTfLiteActNone && activation <= kTfLiteActRelu6;
}

Operand ClassifyOperand(const Shape& operand, const Shape& result) {
  if (operand.count() == result.count()) return Operand::kMap;
  if (operand.last() != result.last()) return Operand::kBroadcast;
  if (operand.pixels() == 1) return Operand::kVector;
  const bool an_image_each = result.rank == 4 && operand.rank == 4 && operand.sizes[0] == result.sizes[0] &&
                             operand.sizes[1] == 1 && operand.sizes[2] == 1;
  return an_image_each ? Operand::kImageVectors : Operand::kBroadcast;
}

bool BroadcastShapes(const Shape& a, const Shape& b, Shape* result) {
  const Shape &longer = a.rank < b.rank ? b : a, &shorter = a.rank < b.rank ? a : b;
  *result = longer;
  for (int i = 0; i < shorter.rank; ++i) {
    int& size = result->sizes[longer.rank - shorter.rank + i];
    const int other = shorter.sizes[i];
    if (size != other && size != 1 && other != 1) return false;
    if (size == 1) size = other;
  }
  return true;
}

}  // namespace lqfda
