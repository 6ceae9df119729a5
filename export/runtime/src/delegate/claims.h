// Which nodes of a graph the delegate takes, and why not the others.
#pragma once
#include "abi/tflite.h"
#include "base/arena.h"
#include "ops/graph.h"

namespace lqfda {

struct Claim {
  int node;
  char name[32];
  bool taken;
  const char* reason;  // Why not.
};

// One claim for each node of the plan. On failure, what is wrong: an operator of LCE cannot be run, and nobody else
// could; `failed` then says which.
const char* ClaimNodes(TfLiteContext* context, const TfLiteIntArray& plan, bool fuse, Arena* arena, List<Claim>* claims,
                       int* failed);

// Compares the running interpreter with the layouts that `abi/tflite.h` declares. Null, or how it differs.
const char* CheckLayout(TfLiteContext* context, const TfLiteIntArray& plan);

}  // namespace lqfda
