#include "delegate/claims.h"

#include <stdio.h>
#include <string.h>

namespace lqfda {
namespace {

struct Names {
  int32_t code;
  const char* name;
};

// For reports: the built-in operators that stand beside binary layers.
constexpr Names kBuiltinNames[] = {
    {0, "ADD"},      {1, "AVERAGE_POOL_2D"}, {2, "CONCATENATION"}, {3, "CONV_2D"},  {4, "DEPTHWISE_CONV_2D"},
    {6, "DEQUANTIZE"}, {9, "FULLY_CONNECTED"}, {14, "LOGISTIC"},   {17, "MAX_POOL_2D"}, {18, "MUL"},
    {19, "RELU"},    {21, "RELU6"},          {22, "RESHAPE"},      {25, "SOFTMAX"}, {34, "PAD"},
    {39, "TRANSPOSE"}, {40, "MEAN"},         {41, "SUB"},          {42, "DIV"},     {54, "PRELU"},
    {60, "PADV2"},   {74, "SUM"},            {83, "PACK"},         {114, "QUANTIZE"},
};

void NameOf(const TfLiteRegistration& registration, char (&name)[32]) {
  if (registration.builtin_code == kTfLiteBuiltinCustom && registration.custom_name != nullptr) {
    snprintf(name, sizeof(name), "%s", registration.custom_name);
    return;
  }
  for (const Names& known : kBuiltinNames) {
    if (known.code == registration.builtin_code) {
      snprintf(name, sizeof(name), "%s", known.name);
      return;
    }
  }
  snprintf(name, sizeof(name), "builtin %d", static_cast<int>(registration.builtin_code));
}

// What stands between binary layers is worth taking; a classifier behind the last of them is not.
struct Candidate {
  Op op;
  bool is_lce;
  bool runs;
  bool feeds_sign;     // A sign depends on it by way of nodes that run here.
  bool follows_bconv;  // It depends on a binary convolution by way of ADD, MUL and PRELU.
};

bool IsElementwise(OpKind kind) { return kind == OpKind::kAdd || kind == OpKind::kMul || kind == OpKind::kPrelu; }

}  // namespace

const char* ClaimNodes(TfLiteContext* context, const TfLiteIntArray& plan, bool fuse, Arena* arena, List<Claim>* claims,
                       int* failed) {
  auto* candidates = arena->New<Candidate>(static_cast<size_t>(plan.size));
  // Of every tensor: whether a sign depends on it, whether it comes from a binary convolution, how many nodes write it.
  auto* feeds = arena->New<bool>(context->tensors_size);
  auto* follows = arena->New<bool>(context->tensors_size);
  auto* writers = arena->New<int>(context->tensors_size);
  if (candidates == nullptr || feeds == nullptr || follows == nullptr || writers == nullptr) return kNoMemory;
  for (int i = 0; i < plan.size; ++i) {
    Claim* claim = claims->Append(arena);
    if (claim == nullptr) return kNoMemory;
    claim->node = *failed = plan.data[i];
    TfLiteNode* node;
    TfLiteRegistration* registration;
    if (context->GetNodeAndRegistration(context, claim->node, &node, &registration) != kTfLiteOk) {
      return "the interpreter does not show it";
    }
    NameOf(*registration, claim->name);
    for (int o = 0; node->outputs != nullptr && o < node->outputs->size; ++o) {
      const int tensor = node->outputs->data[o];
      if (tensor >= 0 && static_cast<size_t>(tensor) < context->tensors_size) ++writers[tensor];
    }
    Candidate& candidate = candidates[i];
    candidate.runs = ReadOp(context, claim->node, &candidate.op, &claim->reason, &candidate.is_lce);
    if (candidate.is_lce && !candidate.runs) return claim->reason;
    if (!candidate.is_lce && !fuse) {
      candidate.runs = false;
      claim->reason = "fusion is off";
    }
    if (!candidate.runs) continue;
    const Op& op = candidate.op;
    candidate.follows_bconv = op.kind == OpKind::kBconv;
    for (int tensor : op.inputs) {
      candidate.follows_bconv |= IsElementwise(op.kind) && tensor >= 0 && follows[tensor];
    }
    follows[op.output] = candidate.follows_bconv;
  }
  for (int i = plan.size - 1; i >= 0; --i) {
    Candidate& candidate = candidates[i];
    if (!candidate.runs) continue;
    candidate.feeds_sign = candidate.op.kind == OpKind::kQuantize || feeds[candidate.op.output];
    // A binary layer's operators pass nothing on: what is in front of a sign is what counts.
    if (candidate.op.kind == OpKind::kQuantize || (!candidate.is_lce && candidate.feeds_sign)) {
      for (int tensor : candidate.op.inputs) {
        if (tensor >= 0) feeds[tensor] = true;
      }
    }
  }
  for (int i = 0; i < plan.size; ++i) {
    const Candidate& candidate = candidates[i];
    Claim& claim = (*claims)[i];
    claim.taken = candidate.runs && (candidate.is_lce || candidate.feeds_sign || candidate.follows_bconv);
    if (candidate.runs && !claim.taken) claim.reason = "no binary layer is beside it";
    if (claim.taken && writers[candidate.op.output] > 1) {
      // Then its size would be the one that was planned last.
      *failed = claim.node;
      return "another node writes its output";
    }
  }
  return nullptr;
}

const char* CheckLayout(TfLiteContext* context, const TfLiteIntArray& plan) {
  constexpr size_t kMostTensors = 1 << 24;
  if (context->tensors_size > kMostTensors || (context->tensors_size > 0 && context->tensors == nullptr)) {
    return "it lists an absurd number of tensors";
  }
  // Nodes stand in one array, each beside its registration.
  constexpr ptrdiff_t kStride = sizeof(TfLiteNode) + sizeof(TfLiteRegistration);
  const char* before = nullptr;
  for (int i = 0; i < plan.size; ++i) {
    TfLiteNode* node = nullptr;
    TfLiteRegistration* registration = nullptr;
    if (context->GetNodeAndRegistration(context, plan.data[i], &node, &registration) != kTfLiteOk) {
      return "it does not show its nodes";
    }
    const char* at = reinterpret_cast<const char*>(node);
    if (reinterpret_cast<const char*>(registration) - at != sizeof(TfLiteNode)) return "its nodes have another size";
    if (before != nullptr && at - before != kStride * (plan.data[i] - plan.data[i - 1])) {
      return "its registrations have another size";
    }
    before = at;
  }
  for (size_t i = 0; i < context->tensors_size; ++i) {
    const TfLiteTensor& tensor = context->tensors[i];
    const bool wide = tensor.type == kTfLiteFloat32 || tensor.type == kTfLiteInt32;
    const bool narrow = tensor.type == kTfLiteInt8 || tensor.type == kTfLiteBool;
    Shape shape;
    if ((!wide && !narrow) || tensor.sparsity != nullptr || !IsConstant(tensor) || !ShapeOf(tensor, &shape)) continue;
    if (!Holds(tensor, shape.count(), wide ? 4 : 1)) return "its tensors have another layout";
  }
  return nullptr;
}

}  // namespace lqfda
