// What a partition does on every call. Nothing here allocates.
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "ops/partition.h"

namespace lqfda {
namespace {

int64_t Nanoseconds() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<int64_t>(now.tv_sec) * 1000000000 + now.tv_nsec;
}

void PackIntegers(const TfLiteTensor& tensor, int channels, const Value& output, uint32_t* words) {
  const bool is_bool = tensor.type == kTfLiteBool;
  const auto* bytes = static_cast<const int8_t*>(tensor.data);
  const int zero = is_bool ? 1 : tensor.params.zero_point;  // Of bools, false is -1.
  const int64_t pixels = output.layout.pixels();
  for (int64_t pixel = 0; pixel < pixels; ++pixel, bytes += channels) {
    uint32_t* to = words + output.offsets[pixel];
    for (int word = 0; word < output.layout.words; ++word) {
      const int left = channels - 32 * word, count = left < 32 ? left : 32;
      uint32_t bits = 0;
      for (int i = 0; i < count; ++i) bits |= static_cast<uint32_t>(bytes[32 * word + i] < zero) << i;
      to[word] = bits;
    }
  }
}

template <class Number>
void UnpackTo(const Value& input, const uint32_t* words, int channels, Number one, Number minus_one, Number* numbers) {
  const int64_t pixels = input.layout.pixels();
  for (int64_t pixel = 0; pixel < pixels; ++pixel) {
    const uint32_t* from = words + input.layout.at(pixel);
    for (int i = 0; i < channels; ++i) *numbers++ = from[i / 32] >> (i % 32) & 1 ? minus_one : one;
  }
}

void Unpack(const Value& input, const uint32_t* words, const TfLiteTensor& tensor, int channels, void* to) {
  if (tensor.type == kTfLiteFloat32) return UnpackTo(input, words, channels, 1.0f, -1.0f, static_cast<float*>(to));
  if (tensor.type == kTfLiteBool) return UnpackTo<int8_t>(input, words, channels, 1, 0, static_cast<int8_t*>(to));
  const int64_t zero = tensor.params.zero_point;
  const float steps = tensor.params.scale > 0 ? 1.0f / tensor.params.scale : 0.0f;
  const int unit = steps < 255.0f ? static_cast<int>(steps + 0.5f) : 255;
  const auto clamp = [](int64_t x) { return static_cast<int8_t>(x < -128 ? -128 : x > 127 ? 127 : x); };
  UnpackTo(input, words, channels, clamp(zero + unit), clamp(zero - unit), static_cast<int8_t*>(to));
}

void Pad(const Value& input, const uint32_t* from, const Value& output, uint32_t* to) {
  const auto row = static_cast<size_t>(input.layout.width) * static_cast<size_t>(input.layout.words);
  const int64_t rows = static_cast<int64_t>(input.layout.images) * input.layout.height;
  for (int64_t i = 0; i < rows; ++i, from += row) {
    memcpy(to + output.layout.at(i * input.layout.width), from, row * sizeof(uint32_t));
  }
}

// Repeats numbers along the sizes in which the input has 1.
void Expand(const Shape& input, const float* from, const Shape& output, float* to) {
  const int own = input.last(), last = output.last();
  for (int64_t pixel = 0; pixel < output.pixels(); ++pixel) {
    int64_t left = pixel, at = 0, stride = own;
    for (int i = 2; i <= input.rank && i <= output.rank; ++i) {
      const int size = input.sizes[input.rank - i], repeated = output.sizes[output.rank - i];
      if (size != 1) at += left % repeated * stride;
      left /= repeated;
      stride *= size;
    }
    for (int c = 0; c < last; ++c) *to++ = from[own == 1 ? at : at + c];
  }
}

// A set bit is -1, so the largest is the conjunction. What lies outside of the image takes no part.
void MaxPool(const WindowOptions& w, const Value& input, const uint32_t* from, const Value& output, uint32_t* to) {
  const PackedLayout &in = input.layout, &out = output.layout;
  const Sliding vertical = Slide(in.height, w.filter_height, w.stride_height, 1, w.padding);
  const Sliding horizontal = Slide(in.width, w.filter_width, w.stride_width, 1, w.padding);
  int64_t pixel = 0;
  for (int image = 0; image < out.images; ++image) {
    for (int y = 0; y < out.height; ++y) {
      const int64_t top = static_cast<int64_t>(y) * w.stride_height - vertical.before;
      for (int x = 0; x < out.width; ++x, ++pixel) {
        const int64_t left = static_cast<int64_t>(x) * w.stride_width - horizontal.before;
        uint32_t* result = to + output.offsets[pixel];
        memset(result, 0xff, static_cast<size_t>(out.words) * sizeof(uint32_t));
        const int64_t last_row = top + w.filter_height < in.height ? top + w.filter_height : in.height;
        const int64_t last_column = left + w.filter_width < in.width ? left + w.filter_width : in.width;
        for (int64_t row = top < 0 ? 0 : top; row < last_row; ++row) {
          for (int64_t column = left < 0 ? 0 : left; column < last_column; ++column) {
            const int64_t index = (image * static_cast<int64_t>(in.height) + row) * in.width + column;
            const uint32_t* words = from + in.at(index);
            for (int word = 0; word < out.words; ++word) result[word] &= words[word];
          }
        }
      }
    }
  }
}

}  // namespace

void* Partition::DataOf(TfLiteContext* context, int index) const {
  if (index < 0) return nullptr;
  const Value& root = values_[values_[index].alias];
  return root.outside ? context->tensors[root.tensor].data : root.memory;
}

void Partition::Run(TfLiteContext* context, Pool* pool) {
  for (Step& step : steps_) {
    const int64_t began = settings_.profile ? Nanoseconds() : 0;
    RunStep(context, step, pool);
    if (!settings_.profile) continue;
    step.nanoseconds += Nanoseconds() - began;
    ++step.runs;
  }
}

// Gives the stages their operands, which may lie elsewhere in every run and be others for every image.
void Partition::BindStages(TfLiteContext* context, const Step& step, int images, int channels) {
  const auto vector = [&](int value, Operand operand, int image) {
    const auto* data = static_cast<const float*>(DataOf(context, value));
    return operand == Operand::kImageVectors ? data + static_cast<int64_t>(image) * channels : data;
  };
  for (int image = 0; image < images; ++image) {
    Stage* stages = step.run_stages + static_cast<int64_t>(image) * step.stage_count;
    for (int s = 0; s < step.stage_count; ++s) {
      const StagePlan& plan = step.stages[s];
      const float* data = plan.value < 0 ? nullptr : vector(plan.value, plan.operand, image);
      stages[s] = {plan.kind, data, channels, plan.low, plan.high};
    }
    if (step.bit_shift >= 0) step.bit_shifts[image] = vector(step.bit_shift, step.bit_shift_operand, image);
  }
}

// Where a chain's floats and signs go. Channels come in groups; words of signs that hold fewer than 32 channels of a
// group are zeroed, for there a kernel only adds bits.
MapSink Partition::SinkOf(TfLiteContext* context, const Step& step, int channels, int group_channels) {
  MapSink sink = {};
  sink.map = static_cast<float*>(DataOf(context, step.output));
  sink.stride = channels;
  if (step.bits < 0) return sink;
  const Value& bits = values_[step.bits];
  sink.bits = static_cast<uint32_t*>(DataOf(context, step.bits));
  sink.bit_offsets = bits.offsets;
  if (group_channels % 32 == 0) return sink;
  const int first = group_channels == channels ? bits.layout.words - 1 : 0;
  for (int word = first; word < bits.layout.words; ++word) {
    for (int64_t pixel = 0; pixel < bits.layout.pixels(); ++pixel) sink.bits[bits.offsets[pixel] + word] = 0;
  }
  return sink;
}

// A binary convolution and the stages behind it.
void Partition::RunConvolution(TfLiteContext* context, const Step& step, Pool* pool) {
  const Value& source = values_[step.source];
  BconvRun run = {};
  run.kernels = settings_.kernels;
  run.constants = step.constants;
  run.geometry = &step.geometry;
  run.input = static_cast<const uint32_t*>(DataOf(context, step.source));
  run.images = source.shape.sizes[0];
  run.image_words = source.layout.image();
  run.stages = step.run_stages;
  run.stage_count = step.stage_count;
  run.bit_shifts = step.bit_shift >= 0 ? step.bit_shifts : nullptr;
  BindStages(context, step, run.images, step.constants->outputs);
  if (step.output >= 0 && values_[step.output].type == kTfLiteInt8) {
    run.integers = static_cast<int8_t*>(DataOf(context, step.output));
  } else {
    run.sink = SinkOf(context, step, step.constants->outputs, step.constants->group_outputs);
  }
  RunBconv(run, pool);
}

namespace {

// A float map through its stages, which differ from image to image.
struct MapJob {
  const Kernels* kernels;
  MapRun run;  // Of the first image.
  const float** bit_shifts;
  int64_t image_pixels, pixels;
  int chunks;
};

void RunMapChunk(void* context, int index) {
  const MapJob& job = *static_cast<const MapJob*>(context);
  const int64_t last = job.pixels * (index + 1) / job.chunks;
  for (int64_t pixel = job.pixels * index / job.chunks; pixel < last;) {
    const int64_t image = pixel / job.image_pixels, end = (image + 1) * job.image_pixels;
    MapRun run = job.run;
    run.stages += image * run.stage_count;
    if (job.bit_shifts != nullptr) run.sink.bit_shift = job.bit_shifts[image];
    run.first_pixel = static_cast<int>(pixel);
    run.last_pixel = static_cast<int>(end < last ? end : last);
    job.kernels->map.run(run);
    pixel = run.last_pixel;
  }
}

}  // namespace

void Partition::RunMap(TfLiteContext* context, const Step& step, Pool* pool) {
  const Shape& shape = values_[step.source].shape;
  const int channels = shape.last(), images = shape.rank == 4 ? shape.sizes[0] : 1;
  MapJob job = {};
  job.pixels = shape.pixels();
  if (job.pixels == 0) return;
  BindStages(context, step, images, channels);
  job.kernels = settings_.kernels;
  job.image_pixels = job.pixels / images;
  job.bit_shifts = step.bit_shift >= 0 ? step.bit_shifts : nullptr;
  job.run.source = static_cast<const float*>(DataOf(context, step.source));
  job.run.source_stride = channels;
  job.run.last_channel = channels;
  job.run.stages = step.run_stages;
  job.run.stage_count = step.stage_count;
  job.run.sink = SinkOf(context, step, channels, channels);
  constexpr int64_t kWorthwhile = 1 << 15;  // Numbers; below, a second thread costs more than it brings.
  const int threads = PoolThreads(pool);
  job.chunks = job.pixels < threads || job.pixels * channels < kWorthwhile ? 1 : threads;
  RunOnPool(pool, job.chunks, RunMapChunk, &job);
}

void Partition::RunStep(TfLiteContext* context, const Step& step, Pool* pool) {
  const Value& source = values_[step.source];
  const void* from = DataOf(context, step.source);
  void* to = DataOf(context, step.output);
  switch (step.kind) {
    case StepKind::kBconv:
      return RunConvolution(context, step, pool);
    case StepKind::kMap:
      return RunMap(context, step, pool);
    case StepKind::kPackIntegers: {
      TfLiteTensor tensor = context->tensors[source.tensor];
      tensor.data = const_cast<void*>(from);
      return PackIntegers(tensor, source.shape.last(), values_[step.output], static_cast<uint32_t*>(to));
    }
    case StepKind::kUnpack: {
      const Value& output = values_[step.output];
      return Unpack(source, static_cast<const uint32_t*>(from), context->tensors[output.tensor], output.shape.last(),
                    to);
    }
    case StepKind::kPad:
      return Pad(source, static_cast<const uint32_t*>(from), values_[step.output], static_cast<uint32_t*>(to));
    case StepKind::kExpand:
      return Expand(source.shape, static_cast<const float*>(from), values_[step.output].shape, static_cast<float*>(to));
    case StepKind::kMaxPool:
      return MaxPool(ops_[step.op].window, source, static_cast<const uint32_t*>(from), values_[step.output],
                     static_cast<uint32_t*>(to));
    case StepKind::kMean: {
      const int pixels = source.shape.sizes[1] * source.shape.sizes[2], channels = source.shape.last();
      for (int image = 0; image < source.shape.sizes[0]; ++image) {
        settings_.kernels->map.mean(static_cast<const float*>(from) + static_cast<int64_t>(image) * pixels * channels,
                                    pixels, channels, static_cast<float*>(to) + static_cast<int64_t>(image) * channels);
      }
      return;
    }
    case StepKind::kFullyConnected: {
      const Op& op = ops_[step.op];
      const Shape& weights = values_[value_of_tensor_[op.inputs[1]]].shape;
      const auto* bias =
          op.inputs[2] < 0 ? nullptr : static_cast<const float*>(context->tensors[op.inputs[2]].data);
      auto* outputs = static_cast<float*>(to);
      const auto rows = static_cast<int>(source.shape.count() / weights.sizes[1]);
      settings_.kernels->vector.fully_connected(static_cast<const float*>(from), step.weights, bias, rows,
                                                weights.sizes[1], weights.sizes[0], outputs);
      for (int64_t i = 0; op.clamp && i < static_cast<int64_t>(rows) * weights.sizes[0]; ++i) {
        outputs[i] = outputs[i] < op.low ? op.low : outputs[i] > op.high ? op.high : outputs[i];
      }
      return;
    }
    case StepKind::kLogistic:
      return settings_.kernels->vector.logistic(static_cast<const float*>(from),
                                                static_cast<int>(source.shape.count()), static_cast<float*>(to));
    case StepKind::kCopy:
      memcpy(to, from, static_cast<size_t>(source.shape.count()) * sizeof(float));
      return;
  }
}

void Partition::Describe(const Step& step, char* text, size_t size) const {
  const Op& op = ops_[step.op];
  size_t used;
  if (step.kind == StepKind::kBconv) {
    const BconvConstants& c = *step.constants;
    used = static_cast<size_t>(snprintf(text, size, "bconv2d %dx%d %dx%d -> %dx%d", c.filter_height, c.filter_width,
                                        op.window.channels_in, c.outputs, step.geometry.height, step.geometry.width));
  } else if (step.kind == StepKind::kMap) {
    used = static_cast<size_t>(snprintf(text, size, "map"));
  } else {
    const char* name = OpName(op.kind);
    if (step.kind == StepKind::kPad) name = "pad";
    if (step.kind == StepKind::kExpand) name = "expand";
    used = static_cast<size_t>(snprintf(text, size, "%s", name));
  }
  static const char* const kStages[] = {"add", "mul", "prelu", "add map", "mul map", "clamp"};
  for (int s = 0; s < step.stage_count && used < size; ++s) {
    used += static_cast<size_t>(
        snprintf(text + used, size - used, " + %s", kStages[static_cast<int>(step.stages[s].kind)]));
  }
  if (step.bits >= 0 && used < size) {
    snprintf(text + used, size - used, step.bit_shift >= 0 ? " + shifted sign" : " + sign");
  }
}

}  // namespace lqfda
