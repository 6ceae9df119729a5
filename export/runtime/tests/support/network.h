// Networks of random weights for the interpreter of the tests. Numbers are multiples of 1/16, so that what is computed
// in another order gives the same.
#pragma once
#include "support/interpreter.h"

namespace lqfda::test {

struct Conv {
  int outputs = 32;
  int rows = 3, columns = 3, stride = 1, dilation = 1, groups = 1;
  Padding padding = Padding::kSame;
  int pad_value = 1;
  int activation = kTfLiteActNone;
  TfLiteType type = kTfLiteFloat32;
  bool float_weights = false;
};

class Network {
 public:
  explicit Network(uint64_t seed) : random(seed) {}

  int Input(TfLiteType type, const Shape& shape) {
    const int tensor = interpreter.Tensor(type, shape);
    if (type == kTfLiteInt8) interpreter.tensor(tensor).params = {0.5f, 3};
    inputs[input_count++] = tensor;
    return tensor;
  }

  // Signs from outside, packed.
  int PackedInput(const Shape& shape) {
    Shape packed = shape;
    packed.sizes[shape.rank - 1] = (shape.last() + 31) / 32;
    const int tensor = Input(kTfLiteInt32, packed);
    channels_[tensor] = shape.last();
    return tensor;
  }

  int Quantize(int input) {
    const Shape shape = ShapeOfTensor(input);
    const int output = interpreter.Tensor(kTfLiteInt32, shape);
    channels_[output] = shape.last();
    return Infer(interpreter.Custom("LceQuantize", {input}, output), output);
  }

  int Dequantize(int input, TfLiteType type = kTfLiteFloat32) {
    Shape shape = ShapeOfTensor(input);
    shape.sizes[shape.rank - 1] = channels_[input];
    const int output = interpreter.Tensor(type, shape);
    if (type == kTfLiteInt8) interpreter.tensor(output).params = {0.25f, -2};
    return Infer(interpreter.Custom("LceDequantize", {input}, output), output);
  }

  int MaxPool(int input, int filter, int stride, Padding padding) {
    const int output = interpreter.Tensor(kTfLiteInt32, ShapeOfTensor(input));
    channels_[output] = channels_[input];
    WindowOptions o;
    o.filter_height = filter;
    o.filter_width = filter == 1 ? 1 : filter - 1;
    o.stride_height = stride;
    o.stride_width = stride;
    o.padding = padding;
    return Infer(interpreter.Custom("LceBMaxPool2d", {input}, output, &o), output);
  }

  int Bconv(int input, const Conv& conv) {
    WindowOptions o;
    o.stride_height = o.stride_width = conv.stride;
    o.dilation_height = o.dilation_width = conv.dilation;
    o.padding = conv.padding;
    o.pad_value = conv.pad_value;
    o.activation = conv.activation;
    o.channels_in = channels_[input];
    const int group_channels = o.channels_in / conv.groups;
    const int length = conv.rows * conv.columns * group_channels;
    const int output = interpreter.Tensor(conv.type, {4, {1, 1, 1, 1}});
    if (conv.type == kTfLiteInt8) interpreter.tensor(output).params = {4.0f, -3};
    channels_[output] = conv.outputs;
    const int filter = Filter(conv, group_channels);
    const int multiplier = Vector(conv.outputs, 0.25f), bias = Vector(conv.outputs);
    int node;
    if (conv.type == kTfLiteInt32) {
      Array<int32_t> thresholds(static_cast<size_t>(conv.outputs));
      for (int32_t& threshold : thresholds) {
        static constexpr int32_t kExtremes[] = {INT32_MAX, INT32_MIN, 0, -1};
        threshold = random.Below(12) == 0 ? kExtremes[random.Below(4)] : length / 2 + random.Between(-9, 9);
      }
      const int tensor = interpreter.Constant(kTfLiteInt32, {1, {conv.outputs}}, thresholds.data(), thresholds.bytes());
      node = interpreter.Custom("LceBconv2d", {input, filter, -1, -1, tensor}, output, &o);
    } else {
      node = interpreter.Custom("LceBconv2d", {input, filter, multiplier, bias, -1}, output, &o);
    }
    return Infer(node, output);
  }

  int Add(int a, int b, TfLiteFusedActivation activation = kTfLiteActNone) {
    return Elementwise(kTfLiteBuiltinAdd, a, b, activation);
  }
  int Mul(int a, int b, TfLiteFusedActivation activation = kTfLiteActNone) {
    return Elementwise(kTfLiteBuiltinMul, a, b, activation);
  }

  int Prelu(int input) { return Prelu(input, Vector(Last(input), 0.25f)); }
  int Prelu(int input, int slopes) { return Float(kTfLiteBuiltinPrelu, {input, slopes}); }
  int Logistic(int input) { return Float(kTfLiteBuiltinLogistic, {input}); }

  int Mean(int input, bool keep_dims) {
    const int32_t axes[] = {1, -2};
    const int tensor = interpreter.Constant(kTfLiteInt32, {1, {2}}, axes, sizeof(axes));
    const TfLiteReducerParams params = {keep_dims};
    return Float(kTfLiteBuiltinMean, {input, tensor}, &params, sizeof(params));
  }

  int Dense(int input, int outputs, TfLiteFusedActivation activation, bool keep_dims = false, bool biased = true) {
    const int inputs_of_one = Last(input);
    Array<float> weights(static_cast<size_t>(outputs * inputs_of_one));
    for (float& weight : weights) weight = random.Dyadic() / 4;
    const int matrix =
        interpreter.Constant(kTfLiteFloat32, {2, {outputs, inputs_of_one}}, weights.data(), weights.bytes());
    const int bias = biased ? Vector(outputs) : -1;
    const TfLiteFullyConnectedParams params = {activation, 0, keep_dims};
    return Float(kTfLiteBuiltinFullyConnected, {input, matrix, bias}, &params, sizeof(params));
  }

  int Reshape(int input, std::initializer_list<int32_t> sizes) {
    const int rank = static_cast<int>(sizes.size());
    const int tensor = interpreter.Constant(kTfLiteInt32, {1, {rank}}, sizes.begin(), sizes.size() * sizeof(int32_t));
    return Float(kTfLiteBuiltinReshape, {input, tensor});
  }

  int Constant(const Shape& shape, float scale = 1.0f) {
    Array<float> values(static_cast<size_t>(shape.count()));
    for (float& value : values) value = random.Dyadic() * scale;
    return interpreter.Constant(kTfLiteFloat32, shape, values.data(), values.bytes());
  }
  // One number a channel.
  int Vector(int channels, float scale = 1.0f) { return Constant({1, {channels}}, scale); }

  void Output(int tensor) {
    interpreter.Output(tensor);
    outputs[output_count++] = tensor;
  }

  // Another first size of every input.
  bool ResizeBatch(int images) {
    for (int i = 0; i < input_count; ++i) {
      Shape shape = ShapeOfTensor(inputs[i]);
      shape.sizes[0] = images;
      if (!interpreter.Resize(inputs[i], shape)) return false;
    }
    return true;
  }

  // The same inputs for the same seed.
  void FillInputs(uint64_t seed) {
    Random content(seed);
    for (int i = 0; i < input_count; ++i) {
      const TfLiteTensor& tensor = interpreter.tensor(inputs[i]);
      const auto count = static_cast<size_t>(ShapeOfTensor(inputs[i]).count());
      for (size_t k = 0; k < count; ++k) {
        if (tensor.type == kTfLiteFloat32) {
          static_cast<float*>(tensor.data)[k] = content.Dyadic();
        } else if (tensor.type == kTfLiteInt32) {
          const int last = Last(inputs[i]),
                    left = channels_[inputs[i]] - 32 * static_cast<int>(k % static_cast<size_t>(last));
          static_cast<uint32_t*>(tensor.data)[k] = content.Word() & (left >= 32 ? ~0u : (1u << left) - 1);
        } else {
          static_cast<int8_t*>(tensor.data)[k] =
              static_cast<int8_t>(tensor.type == kTfLiteBool ? content.Below(2) : content.Between(-128, 127));
        }
      }
    }
  }

  Shape ShapeOfTensor(int tensor) {
    Shape shape;
    if (!ShapeOf(interpreter.tensor(tensor), &shape)) abort();
    return shape;
  }
  int Last(int tensor) { return ShapeOfTensor(tensor).last(); }

  Interpreter interpreter;
  Random random;
  int inputs[8], outputs[8];
  int input_count = 0, output_count = 0;

 private:
  // Gives the output the shape that a file would have.
  int Infer(int node, int output) {
    if (!ReferencePrepare(interpreter.context(), interpreter.node(node))) abort();
    return output;
  }

  int Float(TfLiteBuiltinOperator code, std::initializer_list<int> operands, const void* params = nullptr,
            size_t size = 0) {
    const int output = interpreter.Tensor(kTfLiteFloat32, {0, {}});
    return Infer(interpreter.Builtin(code, operands, output, params, size), output);
  }

  int Elementwise(TfLiteBuiltinOperator code, int a, int b, TfLiteFusedActivation activation) {
    const TfLiteActivationParams params = {activation};
    return Float(code, {a, b}, &params, sizeof(params));
  }

  int Filter(const Conv& conv, int group_channels) {
    const int taps = conv.outputs * conv.rows * conv.columns, words = (group_channels + 31) / 32;
    if (conv.float_weights) {
      Array<float> signs(static_cast<size_t>(taps * group_channels));
      for (float& sign : signs) sign = random.Coin() ? 1.0f : -1.0f;
      return interpreter.Constant(kTfLiteFloat32, {4, {conv.outputs, conv.rows, conv.columns, group_channels}},
                                  signs.data(), signs.bytes());
    }
    Array<uint32_t> bits(static_cast<size_t>(taps * words));
    random.Fill(bits);
    for (size_t i = 0; i < bits.size(); ++i) {
      const int left = group_channels - 32 * static_cast<int>(i % static_cast<size_t>(words));
      if (left < 32) bits[i] &= (1u << left) - 1;
    }
    return interpreter.Constant(kTfLiteInt32, {4, {conv.outputs, conv.rows, conv.columns, words}}, bits.data(),
                                bits.bytes());
  }

  int channels_[Interpreter::kMostTensors] = {};
};

// A delegate with options given as text: "isa=avx2 fuse=false". Null if it is refused; `RefusalText` then says why.
TfLiteDelegate* NewDelegate(const char* options);
const char* RefusalText();

}  // namespace lqfda::test
