#include "support/interpreter.h"

#include <stdarg.h>
#include <stdio.h>

#include "support/hooks.h"

namespace lqfda::test {

TfLiteIntArray* NewIntArray(const int* values, int size) {
  const Pause pause;
  auto* array = static_cast<TfLiteIntArray*>(malloc(sizeof(int) * (static_cast<size_t>(size) + 1)));
  if (array == nullptr) abort();
  array->size = size;
  if (size > 0) memcpy(array->data, values, sizeof(int) * static_cast<size_t>(size));
  return array;
}

size_t SizeOf(TfLiteType type) { return type == kTfLiteFloat32 || type == kTfLiteInt32 ? 4 : 1; }

namespace {

void* Copy(const void* data, size_t bytes) {
  void* copy = malloc(bytes == 0 ? 1 : bytes);
  if (copy == nullptr) abort();
  if (bytes > 0) memcpy(copy, data, bytes);
  return copy;
}

bool Holds(const TfLiteIntArray& array, int value) {
  for (int i = 0; i < array.size; ++i) {
    if (array.data[i] == value) return true;
  }
  return false;
}

}  // namespace

Interpreter::Interpreter() {
  context_.impl_ = this;
  context_.tensors = tensors_;
  context_.GetExecutionPlan = GetExecutionPlan;
  context_.ResizeTensor = ResizeTensor;
  context_.ReportError = ReportError;
  context_.GetNodeAndRegistration = GetNode;
  context_.ReplaceNodeSubsetsWithDelegateKernels = Replace;
  context_.recommended_num_threads = -1;
  const int room[kMostNodes] = {};
  plan_ = NewIntArray(room, kMostNodes);
  plan_->size = 0;
  shown_plan_ = NewIntArray(nullptr, 0);
}

void Interpreter::ForgetDelegate() {
  for (int i = 0; i < node_count_; ++i) {
    NodeAndRegistration& n = nodes_[i];
    if (n.node.user_data != nullptr) n.registration.free(&context_, n.node.user_data);
    n.node.user_data = nullptr;
  }
}

Interpreter::~Interpreter() {
  ForgetDelegate();
  for (int i = 0; i < node_count_; ++i) {
    NodeAndRegistration& n = nodes_[i];
    free(n.node.inputs);
    free(n.node.outputs);
    free(n.node.builtin_data);
    free(const_cast<void*>(n.node.custom_initial_data));
  }
  free(nodes_);
  for (TfLiteTensor& tensor : tensors_) {
    free(tensor.data);
    free(tensor.dims);
  }
  free(plan_);
  free(shown_plan_);
}

int Interpreter::Tensor(TfLiteType type, const Shape& shape) {
  if (tensors() == kMostTensors) abort();
  TfLiteTensor& tensor = tensors_[context_.tensors_size];
  tensor.type = type;
  tensor.dims = NewIntArray(shape.sizes, shape.rank);
  tensor.params = {1.0f, 0};
  return static_cast<int>(context_.tensors_size++);
}

int Interpreter::Constant(TfLiteType type, const Shape& shape, const void* data, size_t bytes) {
  const int number = Tensor(type, shape);
  tensors_[number].allocation_type = kTfLiteMmapRo;
  tensors_[number].data = Copy(data, bytes);
  tensors_[number].bytes = bytes;
  return number;
}

int Interpreter::Node(int builtin_code, const char* custom_name, const int* inputs, int input_count, int output,
                      const void* params, size_t params_size, const uint8_t* options, size_t options_size) {
  if (node_count_ == kMostNodes) abort();
  // Elsewhere each time, as in a vector that grows.
  auto* larger = static_cast<NodeAndRegistration*>(calloc(static_cast<size_t>(node_count_) + 1, sizeof(*nodes_)));
  if (larger == nullptr) abort();
  if (node_count_ > 0) memcpy(static_cast<void*>(larger), nodes_, static_cast<size_t>(node_count_) * sizeof(*nodes_));
  free(nodes_);
  nodes_ = larger;
  NodeAndRegistration& n = nodes_[node_count_];
  n.node.inputs = NewIntArray(inputs, input_count);
  n.node.outputs = NewIntArray(&output, 1);
  n.node.builtin_data = params == nullptr ? nullptr : Copy(params, params_size);
  n.node.custom_initial_data = options == nullptr ? nullptr : Copy(options, options_size);
  n.node.custom_initial_data_size = static_cast<int>(options_size);
  n.registration.builtin_code = builtin_code;
  n.registration.custom_name = custom_name;
  plan_->data[plan_->size++] = node_count_;
  return node_count_++;
}

int Interpreter::Builtin(TfLiteBuiltinOperator code, std::initializer_list<int> inputs, int output, const void* params,
                         size_t params_size) {
  return Node(code, nullptr, inputs.begin(), static_cast<int>(inputs.size()), output, params, params_size, nullptr, 0);
}

int Interpreter::Custom(const char* name, std::initializer_list<int> inputs, int output, const WindowOptions* options) {
  Blob blob;
  if (options != nullptr) blob = options->filter_height > 0 ? EncodeMaxPool(*options) : EncodeBconv(*options);
  return Node(kTfLiteBuiltinCustom, name, inputs.begin(), static_cast<int>(inputs.size()), output, options,
              sizeof(*options), options == nullptr ? nullptr : blob.bytes, blob.size);
}

void Interpreter::Output(int tensor) { is_output_[tensor] = true; }

int Interpreter::delegated() const {
  int count = 0;
  for (int i = 0; i < plan_->size; ++i) {
    count += nodes_[plan_->data[i]].registration.builtin_code == kTfLiteBuiltinDelegate;
  }
  return count;
}

TfLiteStatus Interpreter::GetExecutionPlan(TfLiteContext* context, TfLiteIntArray** plan) {
  const Pause pause;
  Interpreter& self = Of(context);
  free(self.shown_plan_);
  *plan = self.shown_plan_ = NewIntArray(self.plan_->data, self.plan_->size);
  return kTfLiteOk;
}

// Takes over `sizes`, whether it succeeds or not.
TfLiteStatus Interpreter::ResizeTensor(TfLiteContext* context, TfLiteTensor* tensor, TfLiteIntArray* sizes) {
  const Pause pause;
  Interpreter& self = Of(context);
  const ptrdiff_t number = tensor - self.tensors_;
  const bool is_known = number >= 0 && number < static_cast<ptrdiff_t>(context->tensors_size);
  if (self.refuses_to_resize || !is_known || tensor->allocation_type == kTfLiteMmapRo) {
    free(sizes);
    return kTfLiteError;
  }
  free(tensor->dims);
  tensor->dims = sizes;
  free(tensor->data);
  tensor->data = nullptr;
  return kTfLiteOk;
}

void Interpreter::ReportError(TfLiteContext* context, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(Of(context).error_, sizeof(error_), format, arguments);
  va_end(arguments);
}

TfLiteStatus Interpreter::GetNode(TfLiteContext* context, int number, TfLiteNode** node,
                                  TfLiteRegistration** registration) {
  Interpreter& self = Of(context);
  if (number < 0 || number >= self.node_count_) return kTfLiteError;
  *node = &self.nodes_[number].node;
  *registration = &self.nodes_[number].registration;
  // Nodes that begin elsewhere; only their addresses are looked at.
  if (self.layout == Layout::kLargerNode) {
    *registration = reinterpret_cast<TfLiteRegistration*>(reinterpret_cast<char*>(*registration) + 8);
  } else if (self.layout == Layout::kLargerRegistration) {
    *node = reinterpret_cast<TfLiteNode*>(reinterpret_cast<char*>(*node) + 8 * number);
    *registration = reinterpret_cast<TfLiteRegistration*>(reinterpret_cast<char*>(*registration) + 8 * number);
  }
  return kTfLiteOk;
}

// As TensorFlow Lite does: subsets of nodes that are all taken or all not, each as large as the order of the data
// allows.
TfLiteStatus Interpreter::Replace(TfLiteContext* context, TfLiteRegistration registration, const TfLiteIntArray* taken,
                                  TfLiteDelegate* delegate) {
  Interpreter& self = Of(context);
  if (self.refuses_to_replace) return kTfLiteError;
  const int count = self.node_count_;
  bool done[kMostNodes] = {}, ready[kMostTensors], inside[kMostNodes];
  for (int i = 0; i < self.tensors(); ++i) {
    ready[i] = true;
    for (int n = 0; n < count; ++n) ready[i] &= !Holds(*self.nodes_[n].node.outputs, i);
  }
  self.plan_->size = 0;
  for (int left = count; left > 0;) {
    int first = -1;
    memset(inside, 0, sizeof(inside));
    for (int n = 0; n < count; ++n) {
      const TfLiteNode& node = self.nodes_[n].node;
      bool runs = !done[n] && (first < 0 || Holds(*taken, n) == Holds(*taken, first));
      for (int i = 0; runs && i < node.inputs->size; ++i) {
        const int tensor = node.inputs->data[i];
        runs = tensor < 0 || (tensor < self.tensors() && ready[tensor]);
      }
      if (!runs) continue;
      if (first < 0) first = n;
      done[n] = inside[n] = true;
      --left;
      for (int i = 0; i < node.outputs->size; ++i) {
        const int tensor = node.outputs->data[i];
        if (tensor >= 0 && tensor < self.tensors()) ready[tensor] = true;
      }
    }
    if (first < 0) return kTfLiteError;  // A circle.
    if (Holds(*taken, first)) {
      if (!self.AddPartition(registration, inside, delegate)) return kTfLiteError;
      continue;
    }
    for (int n = 0; n < count; ++n) {
      if (inside[n]) self.plan_->data[self.plan_->size++] = n;
    }
  }
  return kTfLiteOk;
}

bool Interpreter::AddPartition(const TfLiteRegistration& registration, const bool* inside, TfLiteDelegate* delegate) {
  TfLiteDelegateParams params = {};
  int node = 0;
  {
    const Pause pause;
    const int originals = node_count_;
    int members[kMostNodes], inputs[kMostTensors], outputs[kMostTensors];
    int member_count = 0, input_count = 0, output_count = 0;
    for (int n = 0; n < originals; ++n) {
      if (inside[n]) members[member_count++] = n;
    }
    for (int tensor = 0; tensor < tensors(); ++tensor) {
      bool made = false, read_inside = false, read_outside = is_output_[tensor];
      for (int n = 0; n < originals; ++n) {
        const bool is_member = inside[n];
        made |= is_member && Holds(*nodes_[n].node.outputs, tensor);
        const bool reads = Holds(*nodes_[n].node.inputs, tensor);
        read_inside |= is_member && reads;
        read_outside |= !is_member && reads && nodes_[n].registration.builtin_code != kTfLiteBuiltinDelegate;
      }
      if (made && read_outside) outputs[output_count++] = tensor;
      if (!made && read_inside) inputs[input_count++] = tensor;
    }
    node = Node(kTfLiteBuiltinDelegate, nullptr, inputs, input_count, 0, nullptr, 0, nullptr, 0);
    free(nodes_[node].node.outputs);
    nodes_[node].node.outputs = NewIntArray(outputs, output_count);
    nodes_[node].node.delegate = delegate;
    nodes_[node].registration = registration;
    params = {delegate, NewIntArray(members, member_count), NewIntArray(inputs, input_count),
              NewIntArray(outputs, output_count)};
  }
  void* data = registration.init(&context_, reinterpret_cast<const char*>(&params), sizeof(params));
  const Pause pause;
  nodes_[node].node.user_data = data;
  free(params.nodes_to_replace);
  free(params.input_tensors);
  free(params.output_tensors);
  return true;
}

bool Interpreter::Apply(TfLiteDelegate* delegate) {
  context_.tensors = layout == Layout::kNoTensors ? nullptr : tensors_;
  const bool applied = delegate->Prepare(&context_, delegate) == kTfLiteOk;
  context_.tensors = tensors_;
  return applied;
}

bool Interpreter::Resize(int tensor, const Shape& shape) {
  return ResizeTensor(&context_, &tensors_[tensor], NewIntArray(shape.sizes, shape.rank)) == kTfLiteOk;
}

bool Interpreter::AllocateData(int number) {
  TfLiteTensor& tensor = tensors_[number];
  if (tensor.allocation_type == kTfLiteMmapRo) return true;
  int64_t bytes = static_cast<int64_t>(SizeOf(tensor.type));
  for (int i = 0; i < tensor.dims->size; ++i) {
    const bool overflows = __builtin_mul_overflow(bytes, static_cast<int64_t>(tensor.dims->data[i]), &bytes);
    if (overflows || tensor.dims->data[i] < 0 || bytes > most_bytes) return false;
  }
  tensor.bytes = static_cast<size_t>(bytes);
  free(tensor.data);
  tensor.data = calloc(1, tensor.bytes);  // Of no bytes, too: not to be read.
  return tensor.data != nullptr;
}

bool Interpreter::Allocate() {
  for (int i = 0; i < plan_->size; ++i) {
    NodeAndRegistration& n = nodes_[plan_->data[i]];
    const bool is_ours = n.registration.builtin_code == kTfLiteBuiltinDelegate;
    if (!is_ours && ignores_other_operators) continue;
    if (is_ours ? n.registration.prepare(&context_, &n.node) != kTfLiteOk : !ReferencePrepare(&context_, n))
      return false;
  }
  const Pause pause;
  for (int i = 0; i < plan_->size; ++i) {
    const TfLiteNode& node = nodes_[plan_->data[i]].node;
    for (const TfLiteIntArray* list : {node.inputs, node.outputs}) {
      for (int t = 0; t < list->size; ++t) {
        const int number = list->data[t];
        if (number < 0 || number >= tensors()) continue;
        if (tensors_[number].data == nullptr && !AllocateData(number)) return false;
      }
    }
  }
  return true;
}

bool Interpreter::Invoke() {
  for (int i = 0; i < plan_->size; ++i) {
    NodeAndRegistration& n = nodes_[plan_->data[i]];
    if (n.registration.builtin_code == kTfLiteBuiltinDelegate) {
      if (n.registration.invoke(&context_, &n.node) != kTfLiteOk) return false;
    } else if (!ignores_other_operators) {
      ReferenceInvoke(&context_, n);
    }
  }
  return true;
}

}  // namespace lqfda::test
