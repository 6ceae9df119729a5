// The operators in plain loops over single numbers: signs are +1 and -1, windows are walked pixel by pixel. Nothing of
// the library computes here, or its mistakes would be expected.
#include <math.h>

#include "support/hooks.h"
#include "support/interpreter.h"

namespace lqfda::test {
namespace {

struct View {
  Shape shape;
  TfLiteTensor* tensor;

  float* floats() const { return static_cast<float*>(tensor->data); }
  int8_t* bytes() const { return static_cast<int8_t*>(tensor->data); }
  uint32_t* words() const { return static_cast<uint32_t*>(tensor->data); }
  // +1 or -1.
  int Sign(int64_t pixel, int channel) const {
    return words()[pixel * shape.last() + channel / 32] >> (channel % 32) & 1 ? -1 : 1;
  }
  void SetSign(int64_t pixel, int channel, bool negative) const {
    uint32_t& word = words()[pixel * shape.last() + channel / 32];
    word = (word & ~(1u << (channel % 32))) | static_cast<uint32_t>(negative) << (channel % 32);
  }
};

View Look(TfLiteContext* context, int tensor) {
  View view = {};
  view.tensor = &context->tensors[tensor];
  const TfLiteIntArray& dims = *view.tensor->dims;
  if (dims.size > kMaxRank) abort();
  view.shape.rank = dims.size;
  for (int i = 0; i < dims.size; ++i) view.shape.sizes[i] = dims.data[i];
  return view;
}

View Input(TfLiteContext* context, const NodeAndRegistration& n, int index) {
  return Look(context, n.node.inputs->data[index]);
}

View Output(TfLiteContext* context, const NodeAndRegistration& n) { return Look(context, n.node.outputs->data[0]); }

bool IsCustom(const NodeAndRegistration& n, const char* name) {
  return n.registration.builtin_code == kTfLiteBuiltinCustom && strcmp(n.registration.custom_name, name) == 0;
}

const WindowOptions& Options(const NodeAndRegistration& n) {
  return *static_cast<const WindowOptions*>(n.node.builtin_data);
}

// TensorFlow's SAME and VALID.
int Outputs(int size, int filter, int stride, int dilation, Padding padding) {
  const int extent = (filter - 1) * dilation + 1;
  return padding == Padding::kSame ? (size + stride - 1) / stride : size < extent ? 0 : (size - extent) / stride + 1;
}

int Before(int size, int filter, int stride, int dilation, Padding padding) {
  const int lacking =
      (Outputs(size, filter, stride, dilation, padding) - 1) * stride + (filter - 1) * dilation + 1 - size;
  return padding == Padding::kValid || lacking < 0 ? 0 : lacking / 2;
}

int WordsFor(int channels) { return (channels + 31) / 32; }

// TensorFlow Lite's numbers of activations: none, RELU, RELU_N1_TO_1, RELU6.
float Activate(int activation, float x) {
  switch (activation) {
    case 0:
      return x;
    case 1:
      return x < 0 ? 0 : x;
    case 2:
      return x < -1 ? -1 : x > 1 ? 1 : x;
    case 3:
      return x < 0 ? 0 : x > 6 ? 6 : x;
    default:
      abort();
  }
}

// As numpy broadcasts; false if the shapes do not fit.
bool Broadcasts(const Shape& a, const Shape& b, Shape* result) {
  result->rank = a.rank > b.rank ? a.rank : b.rank;
  for (int i = 1; i <= result->rank; ++i) {
    const int x = i > a.rank ? 1 : a.sizes[a.rank - i], y = i > b.rank ? 1 : b.sizes[b.rank - i];
    if (x != y && x != 1 && y != 1) return false;
    result->sizes[result->rank - i] = x == 1 ? y : x;
  }
  return true;
}

// The flat index in an operand of what lies at an index of the result.
int64_t Broadcast(const Shape& operand, const Shape& result, int64_t index) {
  int64_t at = 0, stride = 1;
  for (int i = 1; i <= result.rank; ++i) {
    const int size = result.sizes[result.rank - i];
    const int64_t place = index % size;
    index /= size;
    if (i > operand.rank) continue;
    const int own = operand.sizes[operand.rank - i];
    at += own == 1 ? 0 : place * stride;
    stride *= own;
  }
  return at;
}

int8_t Round8(double x) {
  const double rounded = x < 0 ? -floor(-x + 0.5) : floor(x + 0.5);
  return static_cast<int8_t>(rounded < -128 ? -128 : rounded > 127 ? 127 : rounded);
}

void Bconv(TfLiteContext* context, const NodeAndRegistration& n) {
  const View input = Input(context, n, 0), filter = Input(context, n, 1), output = Output(context, n);
  const WindowOptions& o = Options(n);
  const int outputs = filter.shape.sizes[0], rows = filter.shape.sizes[1], columns = filter.shape.sizes[2];
  const bool packed = filter.tensor->type == kTfLiteInt32;
  const int words = packed ? filter.shape.sizes[3] : WordsFor(filter.shape.sizes[3]);
  const int groups = input.shape.last() / words, group_channels = o.channels_in / groups;
  const int height = input.shape.sizes[1], width = input.shape.sizes[2];
  const int top = Before(height, rows, o.stride_height, o.dilation_height, o.padding);
  const int left = Before(width, columns, o.stride_width, o.dilation_width, o.padding);
  const int out_height = output.shape.sizes[1], out_width = output.shape.sizes[2];
  const int length = rows * columns * group_channels;
  for (int64_t pixel = 0; pixel < output.shape.pixels(); ++pixel) {
    const int y = static_cast<int>(pixel / out_width % out_height), x = static_cast<int>(pixel % out_width);
    const int64_t image = pixel / out_width / out_height;
    for (int channel = 0; channel < outputs; ++channel) {
      const int first = channel / (outputs / groups) * group_channels;
      int dot = 0;
      for (int tap = 0; tap < rows * columns; ++tap) {
        const int row = y * o.stride_height - top + tap / columns * o.dilation_height;
        const int column = x * o.stride_width - left + tap % columns * o.dilation_width;
        const bool outside = row < 0 || column < 0 || row >= height || column >= width;
        if (outside && o.pad_value == 0) continue;
        const int64_t place = static_cast<int64_t>(channel) * rows * columns + tap;
        for (int i = 0; i < group_channels; ++i) {
          const int a = outside ? 1 : input.Sign((image * height + row) * width + column, first + i);
          const int w = packed ? filter.Sign(place, i) : filter.floats()[place * group_channels + i] < 0 ? -1 : 1;
          dot += a * w;
        }
      }
      if (output.tensor->type == kTfLiteInt32) {
        const int64_t threshold = static_cast<const int32_t*>(Input(context, n, 4).tensor->data)[channel];
        output.SetSign(pixel, channel, length - dot > 2 * threshold);
        continue;
      }
      const double m = static_cast<double>(Input(context, n, 2).floats()[channel]);
      const double b = static_cast<double>(Input(context, n, 3).floats()[channel]);
      const double result = static_cast<double>(Activate(o.activation, static_cast<float>(dot))) * m + b;
      const int64_t at = pixel * outputs + channel;
      if (output.tensor->type == kTfLiteInt8) {
        const TfLiteQuantizationParams& params = output.tensor->params;
        output.bytes()[at] = Round8(result / static_cast<double>(params.scale) + params.zero_point);
      } else {
        output.floats()[at] = static_cast<float>(result);
      }
    }
  }
}

void MaxPool(TfLiteContext* context, const NodeAndRegistration& n) {
  const View input = Input(context, n, 0), output = Output(context, n);
  const WindowOptions& o = Options(n);
  const int height = input.shape.sizes[1], width = input.shape.sizes[2];
  const int top = Before(height, o.filter_height, o.stride_height, 1, o.padding);
  const int left = Before(width, o.filter_width, o.stride_width, 1, o.padding);
  const int out_height = output.shape.sizes[1], out_width = output.shape.sizes[2];
  for (int64_t pixel = 0; pixel < output.shape.pixels(); ++pixel) {
    const int y = static_cast<int>(pixel / out_width % out_height), x = static_cast<int>(pixel % out_width);
    const int64_t image = pixel / out_width / out_height;
    for (int channel = 0; channel < 32 * input.shape.last(); ++channel) {
      bool negative = true;
      for (int tap = 0; tap < o.filter_height * o.filter_width; ++tap) {
        const int row = y * o.stride_height - top + tap / o.filter_width;
        const int column = x * o.stride_width - left + tap % o.filter_width;
        if (row < 0 || column < 0 || row >= height || column >= width) continue;
        negative &= input.Sign((image * height + row) * width + column, channel) < 0;
      }
      output.SetSign(pixel, channel, negative);
    }
  }
}

void Quantize(const View& input, const View& output) {
  memset(output.words(), 0, static_cast<size_t>(output.shape.count()) * 4);
  const int channels = input.shape.last(),
            zero = input.tensor->type == kTfLiteBool ? 1 : input.tensor->params.zero_point;
  for (int64_t i = 0; i < input.shape.count(); ++i) {
    const bool negative = input.tensor->type == kTfLiteFloat32 ? input.floats()[i] < 0 : input.bytes()[i] < zero;
    output.SetSign(i / channels, static_cast<int>(i % channels), negative);
  }
}

void Dequantize(const View& input, const View& output) {
  const int channels = output.shape.last();
  const TfLiteQuantizationParams& params = output.tensor->params;
  for (int64_t i = 0; i < output.shape.count(); ++i) {
    const int sign = input.Sign(i / channels, static_cast<int>(i % channels));
    if (output.tensor->type == kTfLiteFloat32) {
      output.floats()[i] = static_cast<float>(sign);
    } else if (output.tensor->type == kTfLiteBool) {
      output.bytes()[i] = sign > 0;
    } else {
      output.bytes()[i] = Round8(sign / static_cast<double>(params.scale) + params.zero_point);
    }
  }
}

void Elementwise(TfLiteContext* context, const NodeAndRegistration& n) {
  const View a = Input(context, n, 0), b = Input(context, n, 1), output = Output(context, n);
  const auto* params = static_cast<const TfLiteActivationParams*>(n.node.builtin_data);
  for (int64_t i = 0; i < output.shape.count(); ++i) {
    const float x = a.floats()[Broadcast(a.shape, output.shape, i)],
                y = b.floats()[Broadcast(b.shape, output.shape, i)];
    float& result = output.floats()[i];
    if (n.registration.builtin_code == kTfLiteBuiltinPrelu) {
      result = x < 0 ? x * y : x;
    } else {
      result = Activate(params->activation, n.registration.builtin_code == kTfLiteBuiltinAdd ? x + y : x * y);
    }
  }
}

void Mean(const View& input, const View& output) {
  const int channels = input.shape.last(), pixels = input.shape.sizes[1] * input.shape.sizes[2];
  for (int image = 0; image < input.shape.sizes[0]; ++image) {
    for (int c = 0; c < channels; ++c) {
      double sum = 0;
      for (int p = 0; p < pixels; ++p) sum += static_cast<double>(input.floats()[(image * pixels + p) * channels + c]);
      output.floats()[image * channels + c] = static_cast<float>(sum / pixels);
    }
  }
}

void FullyConnected(TfLiteContext* context, const NodeAndRegistration& n) {
  const View input = Input(context, n, 0), weights = Input(context, n, 1), output = Output(context, n);
  const auto* params = static_cast<const TfLiteFullyConnectedParams*>(n.node.builtin_data);
  const int outputs = weights.shape.sizes[0], inputs = weights.shape.sizes[1];
  for (int64_t i = 0; i < output.shape.count(); ++i) {
    const int64_t row = i / outputs, o = i % outputs;
    double sum = n.node.inputs->size > 2 && n.node.inputs->data[2] >= 0
                     ? static_cast<double>(Input(context, n, 2).floats()[o])
                     : 0;
    for (int k = 0; k < inputs; ++k) {
      sum +=
          static_cast<double>(input.floats()[row * inputs + k]) * static_cast<double>(weights.floats()[o * inputs + k]);
    }
    output.floats()[i] = Activate(params->activation, static_cast<float>(sum));
  }
}

bool Infer(TfLiteContext* context, const NodeAndRegistration& n, Shape* shape) {
  const View input = Input(context, n, 0);
  *shape = input.shape;
  if (IsCustom(n, "LceQuantize")) {
    shape->sizes[shape->rank - 1] = WordsFor(shape->last());
    return true;
  }
  if (IsCustom(n, "LceDequantize")) {
    shape->sizes[shape->rank - 1] = Output(context, n).shape.last();
    return true;
  }
  if (IsCustom(n, "LceBconv2d") || IsCustom(n, "LceBMaxPool2d")) {
    const WindowOptions& o = Options(n);
    int rows = o.filter_height, columns = o.filter_width;
    if (IsCustom(n, "LceBconv2d")) {
      const Shape filter = Input(context, n, 1).shape;
      rows = filter.sizes[1];
      columns = filter.sizes[2];
      shape->sizes[3] = Output(context, n).tensor->type == kTfLiteInt32 ? WordsFor(filter.sizes[0]) : filter.sizes[0];
    }
    shape->sizes[1] = Outputs(shape->sizes[1], rows, o.stride_height, o.dilation_height, o.padding);
    shape->sizes[2] = Outputs(shape->sizes[2], columns, o.stride_width, o.dilation_width, o.padding);
    return shape->sizes[1] > 0 && shape->sizes[2] > 0;
  }
  switch (n.registration.builtin_code) {
    case kTfLiteBuiltinAdd:
    case kTfLiteBuiltinMul:
    case kTfLiteBuiltinPrelu:
      return Broadcasts(input.shape, Input(context, n, 1).shape, shape);
    case kTfLiteBuiltinLogistic:
      return true;
    case kTfLiteBuiltinMean:
      if (static_cast<const TfLiteReducerParams*>(n.node.builtin_data)->keep_dims) {
        shape->sizes[1] = shape->sizes[2] = 1;
      } else {
        *shape = {2, {input.shape.sizes[0], input.shape.sizes[3]}};
      }
      return true;
    case kTfLiteBuiltinFullyConnected: {
      const Shape weights = Input(context, n, 1).shape;
      if (static_cast<const TfLiteFullyConnectedParams*>(n.node.builtin_data)->keep_num_dims) {
        shape->sizes[shape->rank - 1] = weights.sizes[0];
      } else {
        *shape = {2, {static_cast<int>(input.shape.count() / weights.sizes[1]), weights.sizes[0]}};
      }
      return true;
    }
    case kTfLiteBuiltinReshape: {
      const View wanted = Input(context, n, 1);
      const auto* sizes = static_cast<const int32_t*>(wanted.tensor->data);
      *shape = {wanted.shape.last(), {}};
      int64_t known = 1;
      for (int i = 0; i < shape->rank; ++i) known *= sizes[i] < 0 ? 1 : sizes[i];
      for (int i = 0; i < shape->rank; ++i) {
        shape->sizes[i] = sizes[i] < 0 ? static_cast<int>(input.shape.count() / known) : sizes[i];
      }
      return shape->count() == input.shape.count();
    }
    default:
      return false;
  }
}

}  // namespace

bool ReferencePrepare(TfLiteContext* context, const NodeAndRegistration& n) {
  const Pause pause;
  Shape shape;
  if (!Infer(context, n, &shape)) return false;
  return context->ResizeTensor(context, Output(context, n).tensor, NewIntArray(shape.sizes, shape.rank)) == kTfLiteOk;
}

void ReferenceInvoke(TfLiteContext* context, const NodeAndRegistration& n) {
  const View input = Input(context, n, 0), output = Output(context, n);
  if (IsCustom(n, "LceQuantize")) return Quantize(input, output);
  if (IsCustom(n, "LceDequantize")) return Dequantize(input, output);
  if (IsCustom(n, "LceBconv2d")) return Bconv(context, n);
  if (IsCustom(n, "LceBMaxPool2d")) return MaxPool(context, n);
  switch (n.registration.builtin_code) {
    case kTfLiteBuiltinAdd:
    case kTfLiteBuiltinMul:
    case kTfLiteBuiltinPrelu:
      return Elementwise(context, n);
    case kTfLiteBuiltinMean:
      return Mean(input, output);
    case kTfLiteBuiltinFullyConnected:
      return FullyConnected(context, n);
    case kTfLiteBuiltinReshape:
      memcpy(output.floats(), input.floats(), static_cast<size_t>(input.shape.count()) * sizeof(float));
      return;
    default:  // LOGISTIC
      for (int64_t i = 0; i < input.shape.count(); ++i) {
        output.floats()[i] = static_cast<float>(1 / (1 + exp(-static_cast<double>(input.floats()[i]))));
      }
  }
}

}  // namespace lqfda::test
