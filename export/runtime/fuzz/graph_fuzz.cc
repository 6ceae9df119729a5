// Whole graphs, as a file may hold them: each ends with an error or with a run.
//
// The bytes first choose a graph that makes sense, then what is wrong with it: sizes, types, constants that end early,
// damaged options, tensors that are not there. Bytes that are missing are zero, and a zero chooses what is usual.
#include <stdio.h>

#include "kernels/kernels.h"
#include "support/hooks.h"
#include "support/json.h"
#include "support/network.h"

namespace lqfda::test {
namespace {

class Bytes {
 public:
  Bytes(const uint8_t* data, size_t size) : data_(data), left_(size) {}

  int Next() {
    if (left_ == 0) return 0;
    --left_;
    return *data_++;
  }
  int Below(int limit) { return Next() % limit; }
  int Size() {
    static constexpr int kSizes[] = {4, 1, 2, 3, 5, 7, 8, 16, 31, 32, 33, 64, 65, 100};
    return kSizes[Below(14)];
  }
  int OddSize() {
    static constexpr int kSizes[] = {0,       -1,      INT32_MAX, INT32_MIN, 1 << 30, 1 << 28, 1 << 24, 1 << 20,
                                     1 << 16, 1 << 12, 1 << 10,   0x7fff,    6,       255,     257,     2};
    return kSizes[Below(16)];
  }

 private:
  const uint8_t* data_;
  size_t left_;
};

constexpr size_t kMostConstant = 1 << 13;  // Bytes.
constexpr int64_t kMostTensor = 1 << 15;
constexpr size_t kMostRequest = 1 << 20;

class Graph {
 public:
  Graph(const uint8_t* data, size_t size) : bytes_(data, size) {
    interpreter_.ignores_other_operators = true;
    interpreter_.most_bytes = kMostTensor;
  }

  void Run() {
    Build();
    for (int i = bytes_.Below(6); i > 0; --i) Spoil();
    char options[64];
    static constexpr const char* kIsas[] = {"auto", "avx2", "portable"};
    const int settings = bytes_.Next();
    snprintf(options, sizeof(options), "isa=%s fuse=%d num_threads=%d profile=%d",
             settings % 3 == 1 && !IsaIsAvailable(Isa::kAvx2) ? "auto" : kIsas[settings % 3], !(settings & 8),
             settings & 16 ? 2 : 1, settings >> 5 & 1);
    TfLiteDelegate* delegate = NewDelegate(options);
    if (delegate == nullptr) abort();
    if (interpreter_.Apply(delegate)) {
      for (int round = 0; round < 2; ++round) {
        if (interpreter_.Allocate()) {
          Fill();
          interpreter_.Invoke();
        }
        Shape shape;
        if (!ShapeOf(interpreter_.tensor(0), &shape) || shape.rank == 0) break;
        shape.sizes[bytes_.Below(shape.rank)] = bytes_.Next() % 2 == 0 ? bytes_.Size() : bytes_.OddSize();
        if (!interpreter_.Resize(0, shape)) break;
      }
    }
    if (!Json::Holds(lq_fda_delegate_report(delegate))) abort();
    interpreter_.ForgetDelegate();
    tflite_plugin_destroy_delegate(delegate);
  }

 private:
  TfLiteTensor& At(int tensor) { return interpreter_.tensor(tensor); }
  int Dim(int tensor, int from_end) {
    const TfLiteIntArray& dims = *At(tensor).dims;
    const int size = dims.size < from_end ? 1 : dims.data[dims.size - from_end];
    return size < 1 << 16 ? size : 1 << 16;
  }

  // A tensor that a node may read: the last one, or any.
  int Operand() {
    const int choice = bytes_.Next();
    return choice == 0 ? last_ : choice % interpreter_.tensors();
  }
  // The same; if it is not of a type, the last one that is.
  int Operand(TfLiteType type) {
    const int tensor = Operand();
    for (int t = tensor; t >= 0; --t) {
      if (At(t).type == type && At(t).allocation_type != kTfLiteMmapRo) return t;
    }
    return tensor;
  }

  int Constant(TfLiteType type, const Shape& shape, int pattern) {
    int64_t count = 1;
    for (int i = 0; i < shape.rank; ++i) count *= shape.sizes[i];
    const size_t wanted = static_cast<size_t>(count) * SizeOf(type),
                 bytes = wanted < kMostConstant ? wanted : kMostConstant;
    uint8_t data[kMostConstant];
    for (size_t i = 0; i < bytes; ++i) {
      const float number = static_cast<float>(static_cast<int>(i / 4 + static_cast<size_t>(pattern)) % 13 - 6) / 4;
      data[i] = type == kTfLiteFloat32 ? reinterpret_cast<const uint8_t*>(&number)[i % 4]
                                       : static_cast<uint8_t>(i * 7 + static_cast<size_t>(pattern));
    }
    return interpreter_.Constant(type, shape, data, bytes);
  }

  int Like(int tensor, TfLiteType type, int last) {
    Shape shape = {4, {1, 4, 4, last}};
    ShapeOf(At(tensor), &shape);
    if (shape.rank > 0) shape.sizes[shape.rank - 1] = last;
    return interpreter_.Tensor(type, shape);
  }

  void Build() {
    static constexpr TfLiteType kTypes[] = {kTfLiteFloat32, kTfLiteInt32, kTfLiteInt8, kTfLiteBool};
    for (int i = bytes_.Below(3); i >= 0; --i) {
      const TfLiteType type = kTypes[bytes_.Below(4)];
      Shape shape = {4, {1 + bytes_.Below(3), bytes_.Size(), bytes_.Size(), 32}};
      shape.sizes[3] = type == kTfLiteInt32 ? 1 + bytes_.Below(3) : bytes_.Next() % 2 == 0 ? 32 : bytes_.Size();
      if (bytes_.Below(8) == 1) shape.rank = bytes_.Below(7);
      last_ = interpreter_.Tensor(type, shape);
    }
    for (int i = bytes_.Below(16); i >= 0; --i) AddNode();
    interpreter_.Output(last_);
  }

  void AddNode() {
    const int kind = bytes_.Below(12);
    if (interpreter_.tensors() + 8 > Interpreter::kMostTensors) return;
    switch (kind) {
      case 0:
      case 1:
        return Quantize();
      case 2:
      case 3:
        return Bconv();
      case 4:
        return MaxPool();
      case 5:
        return Dequantize();
      case 6:
      case 7:
        return Elementwise(kind == 6 ? kTfLiteBuiltinAdd : kTfLiteBuiltinMul);
      case 8:
        return Prelu();
      case 9:
        return Dense();
      case 10:
        return Mean();
      default:
        return Reshape();
    }
  }

  void Quantize() {
    const int input = Operand();
    const int output = Like(input, kTfLiteInt32, Dim(input, 1) / 32 + 1);
    Node(interpreter_.Custom("LceQuantize", {input}, output), output);
  }

  void Dequantize() {
    static constexpr TfLiteType kTypes[] = {kTfLiteFloat32, kTfLiteInt8, kTfLiteBool};
    const int input = Operand(kTfLiteInt32), choice = bytes_.Next();
    const int output = Like(input, kTypes[choice % 3], Dim(input, 1) * 32 - choice / 3 % 32);
    Node(interpreter_.Custom("LceDequantize", {input}, output), output);
  }

  WindowOptions Window() {
    WindowOptions o;
    const int choice = bytes_.Next();
    o.stride_height = 1 + (choice & 1);
    o.stride_width = 1 + (choice >> 1 & 1);
    o.padding = static_cast<Padding>(choice >> 2 & 1);
    o.pad_value = !(choice >> 3 & 1);
    o.dilation_height = 1 + (choice >> 4 & 1);
    o.dilation_width = 1 + (choice >> 5 & 1);
    if (choice >> 6 == 3) o.dilation_height = o.stride_width = 1 << bytes_.Below(21);
    return o;
  }

  void Bconv() {
    static constexpr TfLiteType kTypes[] = {kTfLiteFloat32, kTfLiteInt32, kTfLiteInt8};
    const int input = Operand(kTfLiteInt32), words = Dim(input, 1), choice = bytes_.Next();
    WindowOptions o = Window();
    const int groups = words > 0 && words % 2 == 0 && choice & 4 ? 2 : 1;
    o.channels_in = words < 1 || words > 1 << 15 ? 32 : 32 * words - (choice & 8 ? 5 : 0);
    o.activation = choice >> 4 & 3;
    const int outputs = bytes_.Size() * (groups == 2 ? 2 : 1), rows = 1 + bytes_.Below(5),
              columns = 1 + bytes_.Below(5);
    const TfLiteType type = kTypes[choice % 3];
    const bool floats = choice & 64;
    const int last = floats ? o.channels_in / groups : words / groups;
    const int filter = Constant(floats ? kTfLiteFloat32 : kTfLiteInt32, {4, {outputs, rows, columns, last}}, choice);
    const int vector = Constant(kTfLiteFloat32, {1, {outputs}}, 3);
    const int thresholds = type == kTfLiteInt32 ? Constant(kTfLiteInt32, {1, {outputs}}, 1) : -1;
    const int output = Like(input, type, type == kTfLiteInt32 ? (outputs + 31) / 32 : outputs);
    Node(interpreter_.Custom("LceBconv2d", {input, filter, vector, vector, thresholds}, output, &o), output);
  }

  void MaxPool() {
    const int input = Operand(kTfLiteInt32);
    WindowOptions o = Window();
    o.filter_height = 1 + bytes_.Below(4);
    o.filter_width = 1 + bytes_.Below(4);
    if (o.filter_width == 4) o.filter_height = 1 << 20;
    const int output = Like(input, kTfLiteInt32, Dim(input, 1));
    Node(interpreter_.Custom("LceBMaxPool2d", {input}, output, &o), output);
  }

  void Elementwise(TfLiteBuiltinOperator code) {
    const int a = Operand(kTfLiteFloat32), choice = bytes_.Next();
    const int b = choice % 4 == 0 ? Constant(kTfLiteFloat32, {1, {Dim(a, 1)}}, choice) : Operand(kTfLiteFloat32);
    const int output = Like(a, kTfLiteFloat32, Dim(a, 1));
    const TfLiteActivationParams params = {static_cast<TfLiteFusedActivation>(choice >> 2 & 3)};
    const bool swap = choice & 16;
    Node(interpreter_.Builtin(code, {swap ? b : a, swap ? a : b}, output, &params, sizeof(params)), output);
  }

  void Prelu() {
    const int input = Operand(kTfLiteFloat32);
    const int slopes = Constant(kTfLiteFloat32, {1, {Dim(input, 1)}}, 5);
    const int output = Like(input, kTfLiteFloat32, Dim(input, 1));
    Node(interpreter_.Builtin(kTfLiteBuiltinPrelu, {input, slopes}, output), output);
  }

  void Dense() {
    const int input = Operand(kTfLiteFloat32), outputs = bytes_.Size(), choice = bytes_.Next();
    if (choice & 1) {
      const int output = Like(input, kTfLiteFloat32, Dim(input, 1));
      return Node(interpreter_.Builtin(kTfLiteBuiltinLogistic, {input}, output), output);
    }
    const int weights = Constant(kTfLiteFloat32, {2, {outputs, Dim(input, 1)}}, choice);
    const int bias = choice & 2 ? -1 : Constant(kTfLiteFloat32, {1, {outputs}}, choice);
    const int output = Like(input, kTfLiteFloat32, outputs);
    const TfLiteFullyConnectedParams params = {static_cast<TfLiteFusedActivation>(choice >> 2 & 3), 0,
                                               (choice & 16) != 0};
    Node(interpreter_.Builtin(kTfLiteBuiltinFullyConnected, {input, weights, bias}, output, &params, sizeof(params)),
         output);
  }

  void Mean() {
    const int input = Operand(kTfLiteFloat32), choice = bytes_.Next();
    const int32_t axes[] = {1 + (choice & 2), 2};
    const int tensor = interpreter_.Constant(kTfLiteInt32, {1, {2}}, axes, sizeof(axes));
    const int output = interpreter_.Tensor(kTfLiteFloat32, {2, {1, Dim(input, 1)}});
    const TfLiteReducerParams params = {(choice & 1) != 0};
    Node(interpreter_.Builtin(kTfLiteBuiltinMean, {input, tensor}, output, &params, sizeof(params)), output);
  }

  void Reshape() {
    const int input = Operand(kTfLiteFloat32), choice = bytes_.Next();
    const int32_t sizes[] = {-1, 1 + (choice & 1), 1 + (choice >> 1 & 1), Dim(input, 1), 1, 1};
    const int rank = choice & 8 ? choice >> 4 & 7 : 4;
    const int shape = interpreter_.Constant(kTfLiteInt32, {1, {rank}}, sizes,
                                            sizeof(int32_t) * static_cast<size_t>(rank > 6 ? 6 : rank));
    const int output = interpreter_.Tensor(kTfLiteFloat32, {4, {1, 1, 1, Dim(input, 1)}});
    Node(interpreter_.Builtin(kTfLiteBuiltinReshape, {input, shape}, output), output);
  }

  void Node(int, int output) {
    last_ = output;
    if (bytes_.Below(8) == 1) interpreter_.Output(output);
    ++nodes_;
  }

  // One thing that is wrong.
  void Spoil() {
    const int kind = bytes_.Below(15), tensor_choice = bytes_.Below(interpreter_.tensors());
    TfLiteTensor& tensor = At(tensor_choice);
    NodeAndRegistration& chosen = interpreter_.node(bytes_.Below(nodes_));
    TfLiteNode& node = chosen.node;
    switch (kind) {
      case 0:
      case 1:
        if (tensor.dims->size > 0) tensor.dims->data[bytes_.Below(tensor.dims->size)] = bytes_.OddSize();
        return;
      case 2: {
        const int sizes[] = {1, 2, 3, 4, 5, 6, 7, 32};
        free(tensor.dims);
        tensor.dims = NewIntArray(sizes, bytes_.Below(9));
        return;
      }
      case 3:
        tensor.type = static_cast<TfLiteType>(bytes_.Below(24));
        return;
      case 4:
        return Shorten(&tensor, bytes_.Next());
      case 5:
        if (tensor.data != nullptr && tensor.bytes > 0)
          static_cast<uint8_t*>(tensor.data)[static_cast<size_t>(bytes_.Next()) % tensor.bytes] =
              static_cast<uint8_t>(bytes_.Next());
        return;
      case 6:
        if (node.inputs->size > 0) node.inputs->data[bytes_.Below(node.inputs->size)] = OddTensor();
        return;
      case 7:
        if (node.outputs->size > 0) node.outputs->data[0] = OddTensor();
        return;
      case 8:
        if (node.custom_initial_data_size > 0) {
          auto* blob = static_cast<uint8_t*>(const_cast<void*>(node.custom_initial_data));
          blob[bytes_.Next() % node.custom_initial_data_size] = static_cast<uint8_t>(bytes_.Next());
        }
        return;
      case 9:
        if (node.custom_initial_data_size > 0) node.custom_initial_data_size -= bytes_.Next();
        return;
      case 10:
        // An activation, which comes first.
        if (node.builtin_data != nullptr && chosen.registration.builtin_code != kTfLiteBuiltinMean)
          *static_cast<int*>(node.builtin_data) = bytes_.OddSize();
        return;
      case 11: {
        static constexpr float kScales[] = {0.5f, 0.0f, -1.0f, 1e-45f, NAN, INFINITY};
        tensor.params = {kScales[bytes_.Below(6)], bytes_.OddSize()};
        return;
      }
      case 12:
        // A list that is shorter, or has a tensor more.
        if (bytes_.Next() % 2 == 0) {
          node.inputs->size = node.inputs->size > 0 ? node.inputs->size - 1 : 0;
        } else {
          node.outputs->size = 0;
        }
        return;
      case 13:
        // What was constant no longer is.
        tensor.allocation_type = {};
        free(tensor.data);
        tensor.data = nullptr;
        return;
      default:
        // What was computed is constant, and may end early.
        if (tensor.data != nullptr) return;
        tensor.allocation_type = kTfLiteMmapRo;
        tensor.bytes = static_cast<size_t>(bytes_.Next());
        tensor.data = calloc(1, tensor.bytes);
        return;
    }
  }

  int OddTensor() {
    const int choice = bytes_.Next();
    return choice < 250    ? choice % interpreter_.tensors()
           : choice == 250 ? interpreter_.tensors()
           : choice == 251 ? INT32_MAX
                           : choice - 256;
  }

  // Cuts a constant off where its memory ends.
  static void Shorten(TfLiteTensor* tensor, int bytes) {
    if (tensor->data == nullptr || tensor->bytes == 0) return;
    const size_t kept = static_cast<size_t>(bytes) % tensor->bytes;
    void* data = malloc(kept);
    memcpy(data, tensor->data, kept);
    free(tensor->data);
    tensor->data = data;
    tensor->bytes = kept;
  }

  // Numbers of both signs in every input that the delegate or another node reads.
  void Fill() {
    for (int t = 0; t < interpreter_.tensors(); ++t) {
      TfLiteTensor& tensor = At(t);
      if (tensor.data == nullptr || tensor.allocation_type == kTfLiteMmapRo) continue;
      for (size_t i = 0; i < tensor.bytes; ++i) {
        static_cast<uint8_t*>(tensor.data)[i] = tensor.type == kTfLiteBool      ? i & 1
                                                : tensor.type == kTfLiteFloat32 ? (i % 4 == 3 ? 0x3f + (i & 0x80) : 0)
                                                                                : static_cast<uint8_t>(37 * i + 11);
      }
    }
  }

  Bytes bytes_;
  Interpreter interpreter_;
  int last_ = 0;
  int nodes_ = 0;
};

}  // namespace
}  // namespace lqfda::test

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  lqfda::test::LimitRequests(lqfda::test::kMostRequest);
  lqfda::test::Graph(data, size).Run();
  return 0;
}
