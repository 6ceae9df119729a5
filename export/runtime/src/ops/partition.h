// One node of the interpreter that stands for several: what the delegate runs in their place.
#pragma once
#include "base/threads.h"
#include "kernels/kernels.h"
#include "ops/steps.h"

namespace lqfda {

struct PartitionSettings {
  const Kernels* kernels;
  bool profile;
};

class Partition {
 public:
  explicit Partition(const PartitionSettings& settings) : settings_(settings) {}

  // Takes over nodes. These return null, or what is wrong; `problem_node` then tells where.
  const char* Init(TfLiteContext* context, const TfLiteDelegateParams& params);

  // Plans for the sizes that the inputs have now, and resizes the outputs.
  const char* Prepare(TfLiteContext* context, const TfLiteNode& node);

  void Run(TfLiteContext* context, Pool* pool);

  const List<Step>& steps() const { return steps_; }
  const List<Op>& ops() const { return ops_; }
  // A name of a step for people, such as "bconv2d 3x3 64x64 + add + sign".
  void Describe(const Step& step, char* text, size_t size) const;
  int problem_node() const { return problem_node_; }

 private:
  const char* Plan(TfLiteContext* context, const TfLiteNode& node);
  const char* InferShapes(TfLiteContext* context);
  const char* InferShape(TfLiteContext* context, int index);
  const char* BconvShape(TfLiteContext* context, int index, const Value& input, Value* output);
  const char* PrepareStep(TfLiteContext* context, Step* step);
  const char* PrepareVectors(Step* step);
  const char* PrepareWeights(const TfLiteContext* context, Step* step);
  void FindLastUses();
  const char* PlaceNumbers();
  const char* PlaceSigns();
  void RunStep(TfLiteContext* context, const Step& step, Pool* pool);
  void RunConvolution(TfLiteContext* context, const Step& step, Pool* pool);
  void RunMap(TfLiteContext* context, const Step& step, Pool* pool);
  void BindStages(TfLiteContext* context, const Step& step, int images, int channels);
  MapSink SinkOf(TfLiteContext* context, const Step& step, int channels, int group_channels);
  void* DataOf(TfLiteContext* context, int value) const;

  const PartitionSettings settings_;
  int problem_node_ = -1;
  Arena constants_;  // As long as the partition.
  Arena plan_;       // As long as the inputs keep their sizes.
  List<Op> ops_;
  BconvConstants* bconvs_ = nullptr;  // One an operator.
  float** weights_ = nullptr;         // Likewise, of FULLY_CONNECTED.
  List<Value> initial_values_;
  int* value_of_tensor_ = nullptr;
  List<Value> values_;
  List<Step> steps_;
};

}  // namespace lqfda
