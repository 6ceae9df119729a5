// What a partition prepares: shapes, steps, memory.
#include <string.h>

#include "ops/partition.h"

namespace lqfda {
namespace {

// Offsets inside a value are 32 bits wide.
constexpr int64_t kLargestValue = INT32_MAX / 8;

// Also of what is empty: products of some of its sizes are not to overflow.
bool IsTooLarge(const Shape& shape) {
  int64_t product = 1;
  for (int i = 0; i < shape.rank; ++i) {
    const int64_t size = shape.sizes[i] > 0 ? shape.sizes[i] : 1;
    if (__builtin_mul_overflow(product, size, &product) || product > kLargestValue) return true;
  }
  return false;
}

void Widen(int* side, int wanted) {
  if (*side < wanted) *side = wanted;
}

TfLiteIntArray* ToIntArray(const Shape& shape) {
  // The interpreter frees it with free().
  auto* array = static_cast<TfLiteIntArray*>(malloc(sizeof(int) * (static_cast<size_t>(shape.rank) + 1)));
  if (array == nullptr) return nullptr;
  array->size = shape.rank;
  memcpy(array->data, shape.sizes, sizeof(int) * static_cast<size_t>(shape.rank));
  return array;
}

}  // namespace

const char* Partition::Init(TfLiteContext* context, const TfLiteDelegateParams& params) {
  const auto tensors = context->tensors_size;
  value_of_tensor_ = constants_.New<int>(tensors);
  if (value_of_tensor_ == nullptr) return kNoMemory;
  for (size_t i = 0; i < tensors; ++i) value_of_tensor_[i] = -1;
  for (int i = 0; i < params.nodes_to_replace->size; ++i) {
    Op* op = ops_.Append(&constants_);
    if (op == nullptr) return kNoMemory;
    problem_node_ = params.nodes_to_replace->data[i];
    const char* reason;
    bool is_lce;
    if (!ReadOp(context, problem_node_, op, &reason, &is_lce)) return reason;
    // A constant that an operator reads as it is prepared needs no value, but it does not hurt.
    for (int tensor : op->inputs) {
      if (tensor < 0) continue;
      if (value_of_tensor_[tensor] < 0) {
        Value* value = initial_values_.Append(&constants_);
        if (value == nullptr) return kNoMemory;
        *value = {};
        value->tensor = tensor;
        value->outside = true;
        value_of_tensor_[tensor] = initial_values_.size - 1;
      }
      ++initial_values_[value_of_tensor_[tensor]].consumers;
    }
    Value* output = initial_values_.Append(&constants_);
    if (output == nullptr || value_of_tensor_[op->output] >= 0) return output == nullptr ? kNoMemory : "it repeats";
    *output = {};
    output->tensor = op->output;
    output->produced = true;
    value_of_tensor_[op->output] = initial_values_.size - 1;
  }
  for (int i = 0; i < params.output_tensors->size; ++i) {
    const int value = value_of_tensor_[params.output_tensors->data[i]];
    if (value >= 0) initial_values_[value].outside = true;
  }
  for (Value& value : initial_values_) value.type = context->tensors[value.tensor].type;
  bconvs_ = constants_.New<BconvConstants>(static_cast<size_t>(ops_.size));
  weights_ = constants_.New<float*>(static_cast<size_t>(ops_.size));
  return bconvs_ == nullptr || weights_ == nullptr ? kNoMemory : nullptr;
}

const char* Partition::Prepare(TfLiteContext* context, const TfLiteNode& node) {
  const char* problem = Plan(context, node);
  if (problem != nullptr) steps_ = {};  // Half a plan is not to be described.
  return problem;
}

const char* Partition::Plan(TfLiteContext* context, const TfLiteNode& node) {
  plan_.Clear();
  values_ = {};
  steps_ = {};
  for (const Value& initial : initial_values_) {
    Value* value = values_.Append(&plan_);
    if (value == nullptr) return kNoMemory;
    *value = initial;
    value->alias = values_.size - 1;
    value->maker = -1;
  }
  const char* problem = InferShapes(context);
  if (problem != nullptr) return problem;
  problem_node_ = -1;
  problem = BuildSteps(ops_, value_of_tensor_, &plan_, &values_, &steps_);
  if (problem != nullptr) return problem;
  for (int i = 0; i < node.outputs->size; ++i) {
    const int tensor = node.outputs->data[i];
    const int value = value_of_tensor_[tensor];
    if (value < 0) continue;
    TfLiteIntArray* sizes = ToIntArray(values_[value].shape);
    if (sizes == nullptr) return kNoMemory;
    if (context->ResizeTensor(context, &context->tensors[tensor], sizes) != kTfLiteOk) {
      return "the interpreter did not resize an output";
    }
  }
  FindLastUses();
  problem = PlaceNumbers();
  if (problem == nullptr) problem = PlaceSigns();
  for (int i = 0; problem == nullptr && i < steps_.size; ++i) {
    problem_node_ = ops_[steps_[i].op].node;
    problem = PrepareStep(context, &steps_[i]);
  }
  return problem;
}

const char* Partition::InferShapes(TfLiteContext* context) {
  for (Value& value : values_) {
    if (value.produced) continue;
    if (!ShapeOf(context->tensors[value.tensor], &value.shape) || IsTooLarge(value.shape)) {
      return "an input has an odd shape";
    }
    value.layout = DenseLayout(value.shape);
  }
  for (int index = 0; index < ops_.size; ++index) {
    problem_node_ = ops_[index].node;
    const char* problem = InferShape(context, index);
    if (problem != nullptr) return problem;
    Value& output = values_[value_of_tensor_[ops_[index].output]];
    if (IsTooLarge(output.shape)) return "its output is too large";
    output.layout = DenseLayout(output.shape);
  }
  return nullptr;
}

const char* Partition::InferShape(TfLiteContext* context, int index) {
  const Op& op = ops_[index];
  Value &input = values_[value_of_tensor_[op.inputs[0]]], &output = values_[value_of_tensor_[op.output]];
  Shape& shape = output.shape;
  shape = input.shape;
  const int last = shape.rank - 1;
  switch (op.kind) {
    case OpKind::kQuantize:
      if (shape.rank < 1) return "its input has no channels";
      shape.sizes[last] = WordsFor(shape.sizes[last]);
      return nullptr;
    case OpKind::kDequantize: {
      Shape given;
      if (!ShapeOf(context->tensors[op.output], &given) || shape.rank < 1 || given.rank != shape.rank ||
          WordsFor(given.last()) != shape.last()) {
        return "its output has another number of channels than its input";
      }
      shape.sizes[last] = given.last();
      return nullptr;
    }
    case OpKind::kBconv:
      return BconvShape(context, index, input, &output);
    case OpKind::kMaxPool: {
      if (shape.rank != 4) return "its input is no map";
      const WindowOptions& w = op.window;
      shape.sizes[1] = Slide(shape.sizes[1], w.filter_height, w.stride_height, 1, w.padding).outputs;
      shape.sizes[2] = Slide(shape.sizes[2], w.filter_width, w.stride_width, 1, w.padding).outputs;
      return shape.sizes[1] < 1 || shape.sizes[2] < 1 ? "its window does not fit into its input" : nullptr;
    }
    default: {
      const int second = op.inputs[1] < 0 ? -1 : value_of_tensor_[op.inputs[1]];
      return BuiltinShape(context, op, input.shape, second < 0 ? Shape{} : values_[second].shape, &shape);
    }
  }
}

const char* Partition::BconvShape(TfLiteContext* context, int index, const Value& input, Value* output) {
  const Op& op = ops_[index];
  BconvConstants* constants = &bconvs_[index];
  const char* problem = nullptr;
  if (constants->weights == nullptr) {
    BconvConstants fresh = {};
    const Arena::Mark before = constants_.Now();
    problem = PrepareBconvConstants(context, op, input.shape, *settings_.kernels, &constants_, &fresh);
    if (problem != nullptr) {
      constants_.ReturnTo(before);  // The next try begins anew.
      return problem;
    }
    *constants = fresh;
  } else if (input.shape.rank != 4 || input.shape.last() != constants->groups * constants->group_words) {
    return "its input has another number of channels than its options say";
  }
  Sliding vertical, horizontal;
  problem = BconvWindow(op, *constants, input.shape, &vertical, &horizontal);
  if (problem != nullptr) return problem;
  PackedLayout& border = values_[value_of_tensor_[op.inputs[0]]].layout;
  Widen(&border.top, vertical.before);
  Widen(&border.bottom, vertical.behind);
  Widen(&border.left, horizontal.before);
  Widen(&border.right, horizontal.behind);
  int64_t total;
  const int64_t images = border.images > 0 ? border.images : 1;  // Offsets inside one are computed for none, too.
  const bool overflows =
      __builtin_mul_overflow(border.row(), static_cast<int64_t>(border.top) + border.height + border.bottom, &total) ||
      __builtin_mul_overflow(total, images, &total);
  if (overflows || total > kLargestValue) return "its padded input is too large";
  const int channels = output->type == kTfLiteInt32 ? WordsFor(constants->outputs) : constants->outputs;
  output->shape = {4, {input.shape.sizes[0], vertical.outputs, horizontal.outputs, channels}};
  return nullptr;
}

// Notes the last step that reads or writes each value.
void Partition::FindLastUses() {
  for (Value& value : values_) value.last_use = value.maker;
  const auto use = [&](int value, int step) {
    if (value < 0) return;
    Value& root = values_[values_[value].alias];
    if (root.last_use < step) root.last_use = step;
  };
  for (int i = 0; i < steps_.size; ++i) {
    const Step& step = steps_[i];
    use(step.source, i);
    use(step.output, i);
    use(step.bit_shift, i);
    for (int s = 0; s < step.stage_count; ++s) use(step.stages[s].value, i);
  }
}

namespace {

// Memory for one value after the other.
struct Slot {
  size_t bytes;
  int free_from;  // Step.
  void* memory;
};

// Of the slots that are free at a step, the smallest that is large enough, else the largest; -1 if none is free.
int ChooseSlot(const List<Slot>& slots, int step, size_t bytes) {
  int chosen = -1;
  for (int s = 0; s < slots.size; ++s) {
    if (slots[s].free_from > step) continue;
    const bool fits = slots[s].bytes >= bytes;
    const bool better = chosen < 0 || (fits ? slots[chosen].bytes < bytes || slots[s].bytes < slots[chosen].bytes
                                            : slots[chosen].bytes < bytes && slots[s].bytes > slots[chosen].bytes);
    if (better) chosen = s;
  }
  return chosen;
}

}  // namespace

// Numbers whose last reader has run leave their place to later ones, so that what is written next lies in the cache.
const char* Partition::PlaceNumbers() {
  List<Slot> slots;
  int* slot_of = plan_.New<int>(static_cast<size_t>(steps_.size));
  if (slot_of == nullptr) return kNoMemory;
  for (int number = 0; number < steps_.size; ++number) {
    const int output = steps_[number].output;
    slot_of[number] = -1;
    if (output < 0 || values_[output].outside || IsPacked(values_[output]) || values_[output].alias != output) continue;
    const size_t element = values_[output].type == kTfLiteFloat32 ? 4 : 1;
    const size_t bytes = static_cast<size_t>(values_[output].shape.count()) * element;
    int chosen = ChooseSlot(slots, number, bytes);
    if (chosen < 0) {
      if (slots.Append(&plan_) == nullptr) return kNoMemory;
      chosen = slots.size - 1;
    }
    if (slots[chosen].bytes < bytes) slots[chosen].bytes = bytes;
    slots[chosen].free_from = values_[output].last_use + 1;
    slot_of[number] = chosen;
  }
  for (Slot& slot : slots) {
    slot.memory = plan_.New<uint8_t>(slot.bytes);
    if (slot.memory == nullptr) return kNoMemory;
  }
  for (int number = 0; number < steps_.size; ++number) {
    if (slot_of[number] >= 0) values_[steps_[number].output].memory = slots[slot_of[number]].memory;
  }
  return nullptr;
}

// Each packed value inside keeps a place of its own, for its border must stay zero.
const char* Partition::PlaceSigns() {
  for (Value& value : values_) {
    if (!IsPacked(value)) continue;
    if (value.outside) {
      value.layout = DenseLayout(value.shape);
    } else {
      value.memory = plan_.New<uint32_t>(static_cast<size_t>(value.layout.total()));
      if (value.memory == nullptr) return kNoMemory;
    }
    if (!value.produced) continue;
    value.offsets = plan_.New<int32_t>(static_cast<size_t>(value.layout.pixels()));
    if (value.offsets == nullptr) return kNoMemory;
    for (int64_t pixel = 0; pixel < value.layout.pixels(); ++pixel) {
      value.offsets[pixel] = static_cast<int32_t>(value.layout.at(pixel));
    }
  }
  return nullptr;
}

const char* Partition::PrepareStep(TfLiteContext* context, Step* step) {
  if (step->kind == StepKind::kBconv) {
    step->constants = &bconvs_[step->op];
    const char* problem = PrepareBconvGeometry(ops_[step->op], *step->constants, values_[step->source],
                                               *settings_.kernels, &plan_, &step->geometry);
    if (problem != nullptr) return problem;
  }
  if (step->kind == StepKind::kFullyConnected) return PrepareWeights(context, step);
  const bool is_chain = step->kind == StepKind::kBconv || step->kind == StepKind::kMap;
  return is_chain ? PrepareVectors(step) : nullptr;
}

const char* Partition::PrepareVectors(Step* step) {
  const Value& source = values_[step->source];
  const int images = step->kind == StepKind::kBconv || source.shape.rank == 4 ? source.shape.sizes[0] : 1;
  step->run_stages = plan_.New<Stage>(static_cast<size_t>(images) * static_cast<size_t>(step->stage_count));
  if (step->run_stages == nullptr) return kNoMemory;
  if (step->bit_shift < 0) return nullptr;
  step->bit_shifts = plan_.New<const float*>(static_cast<size_t>(images));
  return step->bit_shifts == nullptr ? kNoMemory : nullptr;
}

const char* Partition::PrepareWeights(const TfLiteContext* context, Step* step) {
  const Op& op = ops_[step->op];
  float*& transposed = weights_[step->op];
  if (transposed == nullptr) {
    const Shape& shape = values_[value_of_tensor_[op.inputs[1]]].shape;
    const int outputs = shape.sizes[0], inputs = shape.sizes[1];
    transposed = constants_.New<float>(static_cast<size_t>(shape.count()));
    if (transposed == nullptr) return kNoMemory;
    const auto* weights = static_cast<const float*>(context->tensors[op.inputs[1]].data);
    for (int o = 0; o < outputs; ++o) {
      for (int i = 0; i < inputs; ++i) {
        transposed[static_cast<int64_t>(i) * outputs + o] = weights[static_cast<int64_t>(o) * inputs + i];
      }
    }
  }
  step->weights = transposed;
  return nullptr;
}

}  // namespace lqfda
