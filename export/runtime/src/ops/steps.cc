#include "ops/steps.h"

namespace lqfda {
namespace {

class Builder {
 public:
  Builder(const List<Op>& ops, const int* value_of_tensor, Arena* arena, List<Value>* values)
      : ops_(ops), value_of_tensor_(value_of_tensor), arena_(arena), values_(*values) {}

  const char* Build(List<Step>* steps) {
    padded_ = arena_->New<int>(static_cast<size_t>(values_.size));
    if (padded_ == nullptr) return kNoMemory;
    for (int index = 0; index < ops_.size; ++index) {
      const char* problem = Add(index);
      if (problem != nullptr) return problem;
    }
    return Order(steps);
  }

 private:
  int Input(const Op& op, int index) const { return value_of_tensor_[op.inputs[index]]; }
  int Output(const Op& op) const { return value_of_tensor_[op.output]; }

  const char* Add(int index) {
    const Op& op = ops_[index];
    const int source = Input(op, 0), output = Output(op);
    switch (op.kind) {
      case OpKind::kAdd:
      case OpKind::kMul:
      case OpKind::kPrelu:
        return AddElementwise(index);
      case OpKind::kQuantize:
        return AddQuantize(index);
      case OpKind::kBconv:
        return AddBconv(index);
      case OpKind::kReshape:
        if (values_[output].outside) return Made(Begin(StepKind::kCopy, index, source), output);
        values_[output].alias = values_[source].alias;
        values_[output].maker = values_[source].maker;
        return nullptr;
      case OpKind::kDequantize:
        return Made(Begin(StepKind::kUnpack, index, source), output);
      case OpKind::kMaxPool:
        return Made(Begin(StepKind::kMaxPool, index, source), output);
      case OpKind::kMean:
        return Made(Begin(StepKind::kMean, index, source), output);
      case OpKind::kFullyConnected:
        return Made(Begin(StepKind::kFullyConnected, index, source), output);
      case OpKind::kLogistic:
        return Made(Begin(StepKind::kLogistic, index, source), output);
    }
    return "an operator is not known";
  }

  // A new step behind all others; null without memory.
  Step* Begin(StepKind kind, int op, int source) {
    Step* step = steps_.Append(arena_);
    if (step == nullptr) return nullptr;
    step->kind = kind;
    step->op = step->position = op;
    step->source = source;
    step->output = step->bits = step->bit_shift = -1;
    step->nodes[step->node_count++] = ops_[op].node;
    return step;
  }

  int NumberOf(const Step* step) const { return static_cast<int>(step - steps_.values); }

  const char* Made(Step* step, int output) {
    if (step == nullptr) return kNoMemory;
    step->output = output;
    values_[output].maker = NumberOf(step);
    return nullptr;
  }

  const char* AddBconv(int index) {
    const Op& op = ops_[index];
    int source = Input(op, 0);
    const PackedLayout border = values_[source].layout;
    if (values_[source].outside && (border.top | border.left | border.bottom | border.right) != 0) {
      source = Padded(source, index);
      if (source < 0) return kNoMemory;
    }
    Step* step = Begin(StepKind::kBconv, index, source);
    const int output = Output(op);
    if (step == nullptr || !IsPacked(values_[output])) return Made(step, output);
    step->bits = output;
    values_[output].maker = NumberOf(step);
    return nullptr;
  }

  // A copy of a value, made by a new step; -1 without memory.
  int Copied(StepKind kind, int index, int source) {
    Value* copy = values_.Append(arena_);
    if (copy == nullptr) return -1;
    const int number = values_.size - 1;
    *copy = values_[source];
    copy->tensor = -1;
    copy->produced = true;
    copy->outside = false;
    copy->alias = number;
    return Made(Begin(kind, index, source), number) == nullptr ? number : -1;
  }

  // The copy with a border of a value that lives outside; made once.
  int Padded(int outside, int index) {
    // No copy has the number 0.
    if (padded_[outside] == 0) padded_[outside] = Copied(StepKind::kPad, index, outside);
    return padded_[outside];
  }

  // The copy of numbers that are broadcast to a shape. The file's sizes never ask for one, others may.
  int Expanded(int source, const Shape& shape, int index) {
    const int behind = values_[source].maker, copy = Copied(StepKind::kExpand, index, source);
    if (copy < 0) return -1;
    values_[copy].shape = shape;
    // An older step may take the operator's place, and read the copy there.
    steps_[values_[copy].maker].position = behind < 0 ? 0 : steps_[behind].position;
    return copy;
  }

  // The chain of stages that makes a value, if that is its result still; null if there is none.
  Step* ChainOf(int value) {
    if (values_[value].maker < 0) return nullptr;
    Step* step = &steps_[values_[value].maker];
    const bool is_chain = step->kind == StepKind::kMap || step->kind == StepKind::kBconv;
    const bool is_open = step->output == value && step->bits < 0 && step->node_count + 2 <= kMaxStepNodes;
    return is_chain && is_open && values_[value].type == kTfLiteFloat32 ? step : nullptr;
  }

  // The same, if the value is needed for one more stage only, and that can be added.
  Step* Extendable(int value, int stages) {
    Step* step = ChainOf(value);
    const bool is_free = values_[value].consumers == 1 && !values_[value].outside;
    return step != nullptr && is_free && step->stage_count + stages <= kMaxStages ? step : nullptr;
  }

  const char* AddElementwise(int index) {
    const Op& op = ops_[index];
    const int output = Output(op);
    const Shape result = values_[output].shape;
    const bool is_prelu = op.kind == OpKind::kPrelu;
    const int stages = op.clamp ? 2 : 1;
    int operands[2] = {Input(op, 0), Input(op, 1)};
    Operand kinds[2];
    for (int i = 0; i < 2; ++i) kinds[i] = ClassifyOperand(values_[operands[i]].shape, result);
    const bool one_a_channel = is_prelu && values_[operands[1]].shape.last() == result.last();
    if (is_prelu) kinds[1] = one_a_channel ? Operand::kVector : Operand::kBroadcast;
    // The main operand has the result's shape. Of two such, rather the one that a convolution makes: then its numbers
    // never go to memory.
    int main = is_prelu || kinds[0] == Operand::kMap ? 0 : 1;
    if (kinds[0] == Operand::kMap && kinds[1] == Operand::kMap) {
      const Step *first = Extendable(operands[0], stages), *second = Extendable(operands[1], stages);
      if (second != nullptr && (first == nullptr || second->kind == StepKind::kBconv)) main = 1;
    }
    const int other = 1 - main;
    if (kinds[main] != Operand::kMap) operands[main] = Expanded(operands[main], result, index);
    if (kinds[other] == Operand::kBroadcast) {
      kinds[other] = is_prelu ? Operand::kVector : Operand::kMap;
      operands[other] = Expanded(operands[other], is_prelu ? Shape{1, {result.last()}} : result, index);
    }
    if (operands[0] < 0 || operands[1] < 0) return kNoMemory;
    Step* step = operands[0] == operands[1] ? nullptr : Extendable(operands[main], stages);
    if (step == nullptr) {
      step = Begin(StepKind::kMap, index, operands[main]);
      if (step == nullptr) return kNoMemory;
    } else {
      step->nodes[step->node_count++] = op.node;
      step->position = index;  // Only then has the other operand been made.
    }
    const bool is_map = kinds[other] == Operand::kMap;
    StageKind kind = is_map ? StageKind::kAddMap : StageKind::kAddVector;
    if (op.kind == OpKind::kMul) kind = is_map ? StageKind::kMulMap : StageKind::kMulVector;
    if (is_prelu) kind = StageKind::kPrelu;
    step->stages[step->stage_count++] = {kind, kinds[other], operands[other], 0, 0};
    if (op.clamp) step->stages[step->stage_count++] = {StageKind::kClamp, Operand::kMap, -1, op.low, op.high};
    return Made(step, output);
  }

  const char* AddQuantize(int index) {
    const Op& op = ops_[index];
    const int source = Input(op, 0), output = Output(op);
    if (values_[source].type != kTfLiteFloat32) return Made(Begin(StepKind::kPackIntegers, index, source), output);
    Step* step = ChainOf(source);
    if (step != nullptr) {
      Step* before = MakerOfShifted(*step);
      if (values_[source].consumers == 1 && !values_[source].outside) {
        step->output = -1;  // Nobody reads the numbers.
        if (before != nullptr) step = Merge(step, before);
      }
      step->nodes[step->node_count++] = op.node;
    } else {
      step = Begin(StepKind::kMap, index, source);
      if (step == nullptr) return kNoMemory;
    }
    step->bits = output;
    values_[output].maker = NumberOf(step);
    return nullptr;
  }

  // For a chain that only adds a vector to a map: the chain that makes the map, if the vector is there when that runs.
  Step* MakerOfShifted(const Step& step) {
    if (step.kind != StepKind::kMap || step.stage_count != 1 || step.stages[0].kind != StageKind::kAddVector) {
      return nullptr;
    }
    Step* before = ChainOf(step.source);
    const int maker = values_[step.stages[0].value].maker;
    const bool in_time = before != nullptr && (maker < 0 || steps_[maker].position < before->position);
    return in_time && before->node_count + step.node_count < kMaxStepNodes ? before : nullptr;
  }

  // Lets the step before take the signs of its own map plus the vector.
  Step* Merge(Step* step, Step* before) {
    before->bit_shift = step->stages[0].value;
    before->bit_shift_operand = step->stages[0].operand;
    for (int i = 0; i < step->node_count; ++i) before->nodes[before->node_count++] = step->nodes[i];
    step->node_count = 0;  // Nothing is left to do.
    return before;
  }

  // Brings the steps into the order in which they run: that of their positions, then that in which they were made.
  const char* Order(List<Step>* steps) {
    // Where the next step of each position goes, and where each step went.
    int* next = arena_->New<int>(static_cast<size_t>(ops_.size) + 1);
    int* numbers = arena_->New<int>(static_cast<size_t>(steps_.size));
    if (next == nullptr || numbers == nullptr) return kNoMemory;
    for (const Step& step : steps_) {
      if (step.node_count == 0) continue;
      ++next[step.position + 1];
      if (steps->Append(arena_) == nullptr) return kNoMemory;
    }
    for (int position = 0; position < ops_.size; ++position) next[position + 1] += next[position];
    for (int i = 0; i < steps_.size; ++i) {
      if (steps_[i].node_count == 0) continue;
      numbers[i] = next[steps_[i].position]++;
      (*steps)[numbers[i]] = steps_[i];
    }
    for (Value& value : values_) value.maker = value.maker < 0 ? -1 : numbers[value.maker];
    return nullptr;
  }

  const List<Op>& ops_;
  const int* value_of_tensor_;
  Arena* arena_;
  List<Value>& values_;
  List<Step> steps_;
  int* padded_ = nullptr;  // Of each value outside: its copy with a border.
};

}  // namespace

const char* BuildSteps(const List<Op>& ops, const int* value_of_tensor, Arena* arena, List<Value>* values,
                       List<Step>* steps) {
  return Builder(ops, value_of_tensor, arena, values).Build(steps);
}

}  // namespace lqfda
