// An interpreter as the delegate sees it: tensors and nodes laid out like TensorFlow Lite's, the delegate's life from
// its Prepare to the last free, and plain kernels for the operators that nobody takes.
#pragma once
#include "abi/tflite.h"
#include "ops/graph.h"
#include "support/flexbuffers.h"

extern "C" {
TfLiteDelegate* tflite_plugin_create_delegate(const char* const* keys, const char* const* values, size_t count,
                                              void (*report_error)(const char*));
void tflite_plugin_destroy_delegate(TfLiteDelegate* delegate);
const char* lq_fda_delegate_report(TfLiteDelegate* delegate);
const char* lq_fda_delegate_isas();
}

namespace lqfda::test {

struct NodeAndRegistration {
  TfLiteNode node;
  TfLiteRegistration registration;
};

// Ways in which another version of the interpreter could be laid out.
enum class Layout { kKnown, kLargerNode, kLargerRegistration, kNoTensors };

class Interpreter {
 public:
  static constexpr int kMostTensors = 256, kMostNodes = 128;

  Interpreter();
  Interpreter(const Interpreter&) = delete;
  ~Interpreter();

  // Builds a graph. Tensors and nodes have numbers from 0 on; nodes run in this order.
  int Tensor(TfLiteType type, const Shape& shape);
  int Constant(TfLiteType type, const Shape& shape, const void* data, size_t bytes);
  int Node(int builtin_code, const char* custom_name, const int* inputs, int input_count, int output,
           const void* params, size_t params_size, const uint8_t* options, size_t options_size);
  int Builtin(TfLiteBuiltinOperator code, std::initializer_list<int> inputs, int output, const void* params = nullptr,
              size_t params_size = 0);
  int Custom(const char* name, std::initializer_list<int> inputs, int output, const WindowOptions* options = nullptr);
  void Output(int tensor);  // Of the graph.

  // A run. False, and `error()`, where the interpreter would fail.
  bool Apply(TfLiteDelegate* delegate);
  bool Resize(int tensor, const Shape& shape);
  bool Allocate();
  bool Invoke();
  void ForgetDelegate();  // Frees its partitions, as the interpreter's end does.

  TfLiteContext* context() { return &context_; }
  TfLiteTensor& tensor(int number) { return tensors_[number]; }
  int tensors() const { return static_cast<int>(context_.tensors_size); }
  NodeAndRegistration& node(int number) { return nodes_[number]; }
  // How many nodes run now, and how many of them are the delegate's.
  int planned() const { return plan_->size; }
  int delegated() const;
  const char* error() const { return error_; }

  // What goes wrong on request.
  Layout layout = Layout::kKnown;
  bool refuses_to_resize = false;
  bool refuses_to_replace = false;
  bool ignores_other_operators = false;  // Nobody runs what the delegate leaves.
  int64_t most_bytes = 1 << 24;          // Of a tensor.

 private:
  static Interpreter& Of(TfLiteContext* context) { return *static_cast<Interpreter*>(context->impl_); }
  static TfLiteStatus GetExecutionPlan(TfLiteContext* context, TfLiteIntArray** plan);
  static TfLiteStatus ResizeTensor(TfLiteContext* context, TfLiteTensor* tensor, TfLiteIntArray* sizes);
  static void ReportError(TfLiteContext* context, const char* format, ...);
  static TfLiteStatus GetNode(TfLiteContext* context, int number, TfLiteNode** node, TfLiteRegistration** registration);
  static TfLiteStatus Replace(TfLiteContext* context, TfLiteRegistration registration, const TfLiteIntArray* taken,
                              TfLiteDelegate* delegate);
  bool AddPartition(const TfLiteRegistration& registration, const bool* inside, TfLiteDelegate* delegate);
  bool AllocateData(int tensor);

  TfLiteContext context_ = {};
  TfLiteTensor tensors_[kMostTensors] = {};
  NodeAndRegistration* nodes_ = nullptr;
  int node_count_ = 0;
  TfLiteIntArray* plan_ = nullptr;
  TfLiteIntArray* shown_plan_ = nullptr;
  bool is_output_[kMostTensors] = {};
  char error_[512] = "";
};

// Plain kernels. They return false for an operator that they do not know or a shape that does not fit.
bool ReferencePrepare(TfLiteContext* context, const NodeAndRegistration& node);
void ReferenceInvoke(TfLiteContext* context, const NodeAndRegistration& node);

TfLiteIntArray* NewIntArray(const int* values, int size);
size_t SizeOf(TfLiteType type);

}  // namespace lqfda::test
