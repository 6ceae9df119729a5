#include "ops/bconv.h"

#include <string.h>

namespace lqfda {
namespace {

// The place of a channel among the blocks.
int64_t Place(const BconvConstants& c, int width, int channel) {
  const int group = channel / c.group_outputs, in_group = channel % c.group_outputs;
  return (static_cast<int64_t>(group) * c.group_blocks + in_group / width) * width + in_group % width;
}

// A word of a filter that is stored as floats: a bit is set where the number is negative.
uint32_t PackFloats(const float* values, int count) {
  uint32_t word = 0;
  for (int i = 0; i < count; ++i) word |= static_cast<uint32_t>(values[i] < 0) << i;
  return word;
}

void PackWeights(const TfLiteTensor& filter, const BconvKernels& kernels, int group_channels, BconvConstants* c) {
  const int width = kernels.block;
  const int taps = c->filter_height * c->filter_width;
  const int64_t words = static_cast<int64_t>(taps) * c->group_words;
  for (int channel = 0; channel < c->outputs; ++channel) {
    const int64_t place = Place(*c, width, channel);
    uint32_t* to = c->weights + place / width * words * width + place % width;
    for (int tap = 0; tap < taps; ++tap) {
      int32_t negatives = 0;
      for (int word = 0; word < c->group_words; ++word, to += width) {
        if (filter.type == kTfLiteInt32) {
          *to = static_cast<const uint32_t*>(filter.data)[(static_cast<int64_t>(channel) * taps + tap) *
                                                              c->group_words + word];
        } else {
          const float* from = static_cast<const float*>(filter.data) +
                              (static_cast<int64_t>(channel) * taps + tap) * group_channels + 32 * word;
          const int left = group_channels - 32 * word;
          *to = PackFloats(from, left < 32 ? left : 32);
        }
        negatives += __builtin_popcount(*to);
      }
      c->tap_sums[static_cast<int64_t>(tap) * c->blocks * width + place] = group_channels - 2 * negatives;
    }
  }
  if (kernels.arrange_weights == nullptr) return;
  // In place, and so from the last to the first.
  for (int64_t row = c->blocks * words - 1; row >= 0; --row) {
    kernels.arrange_weights(c->weights + row * width, c->weights + row * width * kernels.weight_words);
  }
}

// The output transformation. LCE computes float(clamp(K - 2 count)) * m + b; here it is float(clamp'(2 count)) * -m +
// (b + K m), with the products in double precision, as LCE prepares them too. An integer output divides by its scale
// and adds its zero point. Packed outputs are set where count > threshold, that is where 2 threshold - 2 count < 0.
const char* PrepareTransformation(const TfLiteContext* context, const Op& op, int width, int64_t dot_length,
                                  BconvConstants* c) {
  const TfLiteTensor& output = context->tensors[op.output];
  if (output.type == kTfLiteInt32) {
    if (!IsConstantOf(context, op.inputs[4], kTfLiteInt32, c->outputs)) {
      return "its thresholds are not one constant for each output channel";
    }
    const int32_t* thresholds = static_cast<const int32_t*>(context->tensors[op.inputs[4]].data);
    for (int channel = 0; channel < c->outputs; ++channel) {
      const int64_t place = Place(*c, width, channel);
      c->multiplier[place] = -1.0f;
      c->bias[place] = static_cast<float>(2.0 * thresholds[channel]);
    }
    return nullptr;
  }
  if (!IsConstantOf(context, op.inputs[2], kTfLiteFloat32, c->outputs) ||
      !IsConstantOf(context, op.inputs[3], kTfLiteFloat32, c->outputs)) {
    return "its multiplier and bias are not one constant for each output channel";
  }
  const bool integers = output.type == kTfLiteInt8;
  const double scale = integers ? static_cast<double>(output.params.scale) : 1.0;
  const double zero = integers ? output.params.zero_point : 0.0;
  if (!(scale > 0)) return "its output has no scale";
  const float* multiplier = static_cast<const float*>(context->tensors[op.inputs[2]].data);
  const float* bias = static_cast<const float*>(context->tensors[op.inputs[3]].data);
  for (int channel = 0; channel < c->outputs; ++channel) {
    const int64_t place = Place(*c, width, channel);
    const double m = static_cast<double>(multiplier[channel]), b = static_cast<double>(bias[channel]);
    c->multiplier[place] = static_cast<float>(-1.0 * m / scale);
    c->bias[place] = static_cast<float>((b + static_cast<double>(dot_length) * m) / scale + zero);
    c->border_factor[place] = -1.0f * multiplier[channel];
  }
  // LCE's optimized kernel, which knows neither groups nor activations here, adds the border's part as a float at the end;
  // its reference kernel counts it. Both are followed to the bit.
  c->late_borders = !integers && c->groups == 1 && op.window.activation == kTfLiteActNone;
  c->clamp = op.window.activation != kTfLiteActNone;
  // Of the dot product, which lies between -K and K.
  static constexpr int64_t kLow[] = {INT32_MIN, 0, -1, 0}, kHigh[] = {INT32_MAX, INT32_MAX, 1, 6};
  const int64_t low = kLow[op.window.activation], high = kHigh[op.window.activation];
  c->clamp_low = static_cast<int32_t>(dot_length - (high < dot_length ? high : dot_length));
  c->clamp_high = static_cast<int32_t>(dot_length - (low > -dot_length ? low : -dot_length));
  return nullptr;
}

}  // namespace

const char* PrepareBconvConstants(const TfLiteContext* context, const Op& op, const Shape& input,
                                  const Kernels& kernels, Arena* arena, BconvConstants* c) {
  const TfLiteTensor& filter = context->tensors[op.inputs[1] < 0 ? op.inputs[0] : op.inputs[1]];
  Shape shape;
  if (op.inputs[1] < 0 || !ShapeOf(filter, &shape) || shape.rank != 4 || shape.count() < 1 ||
      !IsConstantOf(context, op.inputs[1], filter.type, shape.count()) ||
      (filter.type != kTfLiteInt32 && filter.type != kTfLiteFloat32)) {
    return "its filter is no constant of four dimensions";
  }
  const int channels = op.window.channels_in, words = WordsFor(channels);
  const bool packed = filter.type == kTfLiteInt32;
  if (input.rank != 4 || input.last() != words) return "its input has another number of channels than its options say";
  c->group_words = packed ? shape.sizes[3] : WordsFor(shape.sizes[3]);
  if (words % c->group_words != 0) return "its filter does not divide the input's channels";
  c->groups = words / c->group_words;
  const int group_channels = channels / c->groups;
  if (channels % c->groups != 0 || (c->groups > 1 && group_channels % 32 != 0) ||
      (!packed && shape.sizes[3] != group_channels)) {
    return "its filter does not divide the input's channels";
  }
  c->outputs = shape.sizes[0];
  c->filter_height = shape.sizes[1];
  c->filter_width = shape.sizes[2];
  if (c->outputs % c->groups != 0) return "its groups do not divide the output's channels";
  const int width = kernels.bconv.block;
  c->group_outputs = c->outputs / c->groups;
  c->group_blocks = (c->group_outputs + width - 1) / width;
  c->blocks = c->groups * c->group_blocks;
  const int64_t taps = static_cast<int64_t>(c->filter_height) * c->filter_width;
  // Beyond this, sums would no longer be exact in float, here and in LCE.
  if (taps * group_channels > 1 << 23) return "its windows are too large";
  const size_t places = static_cast<size_t>(c->blocks) * static_cast<size_t>(width);
  c->weights = arena->New<uint32_t>(places * static_cast<size_t>(taps) * static_cast<size_t>(c->group_words) *
                                    static_cast<size_t>(kernels.bconv.weight_words));
  c->multiplier = arena->New<float>(places);
  c->bias = arena->New<float>(places);
  c->border_factor = arena->New<float>(places);
  c->tap_sums = arena->New<int32_t>(places * static_cast<size_t>(taps));
  if (c->weights == nullptr || c->multiplier == nullptr || c->bias == nullptr || c->border_factor == nullptr ||
      c->tap_sums == nullptr) {
    return kNoMemory;
  }
  PackWeights(filter, kernels.bconv, group_channels, c);
  return PrepareTransformation(context, op, width, taps * group_channels, c);
}

const char* BconvWindow(const Op& op, const BconvConstants& c, const Shape& input, Sliding* vertical,
                        Sliding* horizontal) {
  const WindowOptions& w = op.window;
  *vertical = Slide(input.sizes[1], c.filter_height, w.stride_height, w.dilation_height, w.padding);
  *horizontal = Slide(input.sizes[2], c.filter_width, w.stride_width, w.dilation_width, w.padding);
  return vertical->outputs < 1 || horizontal->outputs < 1 ? "its window does not fit into its input" : nullptr;
}

namespace {

// Windows that leave a zero-padded image: the kernel reads ones there, whose products must be taken back. Windows that
// lose the same taps share their corrections.
const char* PrepareBorders(const Op& op, const BconvConstants& c, const Shape& input, int width, int top, int left,
                           Arena* arena, BconvGeometry* g) {
  const int taps = c.filter_height * c.filter_width;
  const int64_t places = static_cast<int64_t>(c.blocks) * width;
  const auto pixels = static_cast<size_t>(g->height) * static_cast<size_t>(g->width);
  constexpr int kMaxKinds = 255;
  uint8_t* lost = arena->New<uint8_t>(static_cast<size_t>(taps) * (kMaxKinds + 2));
  g->borders = arena->New<uint8_t>(pixels);
  if (lost == nullptr || g->borders == nullptr) return kNoMemory;
  uint8_t* current = lost + static_cast<int64_t>(taps) * (kMaxKinds + 1);
  int kinds = 1;  // Kind 0 loses none.
  for (size_t pixel = 0; pixel < pixels; ++pixel) {
    const int first_row = static_cast<int>(pixel) / g->width * op.window.stride_height - top;
    const int first_column = static_cast<int>(pixel) % g->width * op.window.stride_width - left;
    for (int tap = 0; tap < taps; ++tap) {
      const int row = first_row + tap / c.filter_width * op.window.dilation_height;
      const int column = first_column + tap % c.filter_width * op.window.dilation_width;
      current[tap] = row < 0 || column < 0 || row >= input.sizes[1] || column >= input.sizes[2];
    }
    int kind = 0;
    while (kind < kinds && memcmp(lost + static_cast<int64_t>(kind) * taps, current, static_cast<size_t>(taps)) != 0) {
      ++kind;
    }
    if (kind == kinds) {
      if (kinds > kMaxKinds) return "its windows leave the image in too many ways";
      memcpy(lost + static_cast<int64_t>(kind) * taps, current, static_cast<size_t>(taps));
      ++kinds;
    }
    g->borders[pixel] = static_cast<uint8_t>(kind);
  }
  g->sums = arena->New<int32_t>(static_cast<size_t>(kinds) * static_cast<size_t>(places));
  g->corrections = arena->New<float>(static_cast<size_t>(kinds) * static_cast<size_t>(places));
  if (g->sums == nullptr || g->corrections == nullptr) return kNoMemory;
  for (int kind = 1; kind < kinds; ++kind) {
    int32_t* sums = g->sums + kind * places;
    for (int tap = 0; tap < taps; ++tap) {
      if (!lost[static_cast<int64_t>(kind) * taps + tap]) continue;
      for (int64_t place = 0; place < places; ++place) sums[place] += c.tap_sums[tap * places + place];
    }
    for (int64_t place = 0; place < places; ++place) {
      g->corrections[kind * places + place] = c.border_factor[place] * static_cast<float>(sums[place]);
    }
  }
  return nullptr;
}

}  // namespace

const char* PrepareBconvGeometry(const Op& op, const BconvConstants& c, const Value& input, const Kernels& kernels,
                                 Arena* arena, BconvGeometry* g) {
  Sliding vertical, horizontal;
  const char* problem = BconvWindow(op, c, input.shape, &vertical, &horizontal);
  if (problem != nullptr) return problem;
  const WindowOptions& w = op.window;
  const PackedLayout& layout = input.layout;
  g->height = vertical.outputs;
  g->width = horizontal.outputs;
  // Words of a window that follow each other in memory form a segment: a row of taps, unless they are spread.
  const bool rows = w.dilation_width == 1 && c.groups == 1;
  g->segment_words = rows ? c.filter_width * c.group_words : c.group_words;
  g->segment_count = rows ? c.filter_height : c.filter_height * c.filter_width;
  g->segments = arena->New<int32_t>(static_cast<size_t>(g->segment_count));
  g->windows = arena->New<int32_t>(static_cast<size_t>(g->height) * static_cast<size_t>(g->width));
  if (g->segments == nullptr || g->windows == nullptr) return kNoMemory;
  for (int segment = 0; segment < g->segment_count; ++segment) {
    const int row = rows ? segment : segment / c.filter_width, column = rows ? 0 : segment % c.filter_width;
    g->segments[segment] =
        static_cast<int32_t>(static_cast<int64_t>(row) * w.dilation_height * layout.row() +
                             static_cast<int64_t>(column) * w.dilation_width * layout.words);
  }
  for (int row = 0; row < g->height; ++row) {
    for (int column = 0; column < g->width; ++column) {
      const int64_t down = static_cast<int64_t>(row) * w.stride_height - vertical.before + layout.top;
      const int64_t across = static_cast<int64_t>(column) * w.stride_width - horizontal.before + layout.left;
      g->windows[row * g->width + column] = static_cast<int32_t>(down * layout.row() + across * layout.words);
    }
  }
  if (w.padding == Padding::kValid || w.pad_value == 1) return nullptr;
  return PrepareBorders(op, c, input.shape, kernels.bconv.block, vertical.before, horizontal.before, arena, g);
}

namespace {

struct Chunks {
  const BconvRun* run;
  int64_t tiles_per_image, tiles, units;
  int count;
  bool by_tile;  // Chunks hold all blocks of their tiles.
};

// Rounds half away from zero.
int8_t ToInt8(float value) {
  if (value <= -128.0f) return -128;
  if (!(value < 127.0f)) return 127;
  const int cut = static_cast<int>(value);
  const float rest = value - static_cast<float>(cut);
  return static_cast<int8_t>(rest >= 0.5f ? cut + 1 : rest <= -0.5f ? cut - 1 : cut);
}

void StoreIntegers(const BconvRun& run, const BconvTile& tile, int channels) {
  const BconvConstants& c = *run.constants;
  const int width = run.kernels->bconv.block;
  alignas(64) int32_t counts[kMaxTilePixels * kMaxTileChannels];
  run.kernels->bconv.to_counts(tile, counts);
  for (int p = 0; p < tile.count; ++p) {
    int8_t* to = run.integers + static_cast<int64_t>(tile.pixel + p) * c.outputs + tile.channel;
    const int32_t* lost = tile.borders ? tile.sums[p] : nullptr;
    for (int i = 0; i < channels; ++i) {
      int32_t sum = 2 * counts[p * width + i] + (lost == nullptr ? 0 : lost[i]);
      if (c.clamp) sum = sum < c.clamp_low ? c.clamp_low : sum > c.clamp_high ? c.clamp_high : sum;
      to[i] = ToInt8(static_cast<float>(sum) * tile.multiplier[i] + tile.bias[i]);
    }
  }
}

// Channels of a block that is not full: floats through memory, then on as a map.
void StoreNarrow(const BconvRun& run, BconvTile* tile, int channels) {
  alignas(64) float numbers[kMaxTilePixels * kMaxTileChannels];
  const int pixel = tile->pixel, channel = tile->channel;
  tile->stage_count = 0;
  tile->sink = {numbers, run.kernels->bconv.block, nullptr, nullptr, nullptr};
  tile->pixel = tile->channel = 0;
  run.kernels->bconv.to_map(*tile);
  MapRun map = {};
  map.source = numbers;
  map.source_stride = run.kernels->bconv.block;
  map.source_pixel = map.first_pixel = pixel;
  map.source_channel = map.first_channel = channel;
  map.last_pixel = pixel + tile->count;
  map.last_channel = channel + channels;
  const int image = pixel / (run.geometry->height * run.geometry->width);
  map.stages = run.stages + static_cast<int64_t>(image) * run.stage_count;
  map.stage_count = run.stage_count;
  map.sink = run.sink;
  if (run.bit_shifts != nullptr) map.sink.bit_shift = run.bit_shifts[image];
  run.kernels->map.run(map);
}

void RunTiles(const BconvRun& run, int block, int64_t first, int64_t last, int64_t tiles_per_image) {
  const BconvConstants& c = *run.constants;
  const BconvGeometry& g = *run.geometry;
  const int width = run.kernels->bconv.block, pixels = run.kernels->bconv.pixels;
  const int group = block / c.group_blocks, in_group = block % c.group_blocks * width;
  const int channels = c.group_outputs - in_group < width ? c.group_outputs - in_group : width;
  const int64_t places = static_cast<int64_t>(c.blocks) * width, place = static_cast<int64_t>(block) * width;
  const int image_pixels = g.height * g.width;
  BconvTile tile = {};
  tile.segments = g.segments;
  tile.segment_count = g.segment_count;
  tile.segment_words = g.segment_words;
  tile.weights = c.weights + place * g.segment_count * g.segment_words * run.kernels->bconv.weight_words;
  tile.multiplier = c.multiplier + place;
  tile.bias = c.bias + place;
  tile.borders = g.borders != nullptr;
  tile.clamp = c.clamp;
  tile.clamp_low = c.clamp_low;
  tile.clamp_high = c.clamp_high;
  const int channel = group * c.group_outputs + in_group;
  const bool bytes = run.sink.bits == nullptr || channel % 8 == 0;
  tile.half = bytes && HasHalfBlock(width) && channels == width / 2;
  const bool narrow = !bytes || (channels < width && !tile.half);
  for (int64_t index = first; index < last; ++index) {
    const int image = static_cast<int>(index / tiles_per_image);
    const int begin = static_cast<int>(index % tiles_per_image) * pixels;
    const uint32_t* from = run.input + image * run.image_words + group * c.group_words;
    tile.count = image_pixels - begin < pixels ? image_pixels - begin : pixels;
    for (int p = 0; p < pixels; ++p) {
      const int pixel = begin + (p < tile.count ? p : tile.count - 1);
      tile.pixels[p] = from + g.windows[pixel];
      if (g.borders == nullptr) continue;
      const int64_t border = g.borders[pixel] * places + place;
      tile.sums[p] = g.borders[pixel] == 0 || c.late_borders ? nullptr : g.sums + border;
      tile.corrections[p] = g.borders[pixel] == 0 || !c.late_borders ? nullptr : g.corrections + border;
    }
    tile.pixel = image * image_pixels + begin;
    tile.channel = channel;
    if (run.integers != nullptr) {
      StoreIntegers(run, tile, channels);
      continue;
    }
    if (narrow) {
      StoreNarrow(run, &tile, channels);
      continue;
    }
    tile.stages = run.stages + static_cast<int64_t>(image) * run.stage_count;
    tile.stage_count = run.stage_count;
    tile.sink = run.sink;
    if (run.bit_shifts != nullptr) tile.sink.bit_shift = run.bit_shifts[image];
    run.kernels->bconv.to_map(tile);
  }
}

void RunChunk(void* context, int index) {
  const Chunks& chunks = *static_cast<const Chunks*>(context);
  const BconvRun& run = *chunks.run;
  const int64_t first = chunks.units * index / chunks.count, last = chunks.units * (index + 1) / chunks.count;
  if (chunks.by_tile) {
    for (int block = 0; block < run.constants->blocks; ++block) {
      RunTiles(run, block, first, last, chunks.tiles_per_image);
    }
    return;
  }
  for (int64_t unit = first; unit < last;) {
    const int64_t block = unit / chunks.tiles, tile = unit % chunks.tiles;
    const int64_t end = last - block * chunks.tiles < chunks.tiles ? last - block * chunks.tiles : chunks.tiles;
    RunTiles(run, static_cast<int>(block), tile, end, chunks.tiles_per_image);
    unit = block * chunks.tiles + end;
  }
}

}  // namespace

void RunBconv(const BconvRun& run, Pool* pool) {
  const BconvConstants& c = *run.constants;
  const BconvGeometry& g = *run.geometry;
  const int64_t pixels = static_cast<int64_t>(g.height) * g.width, width = run.kernels->bconv.pixels;
  Chunks chunks = {};
  chunks.run = &run;
  chunks.tiles_per_image = (pixels + width - 1) / width;
  chunks.tiles = chunks.tiles_per_image * run.images;
  // Channels of two blocks may share a word of the packed output: then one thread does both.
  chunks.by_tile = run.sink.bits != nullptr && c.group_outputs % 32 != 0;
  chunks.units = chunks.by_tile ? chunks.tiles : chunks.tiles * c.blocks;
  // Below some hundred thousand operations a second thread costs more than it brings.
  constexpr int64_t kWorthwhile = 1 << 21;
  const int64_t work = pixels * run.images * c.outputs * g.segment_count * g.segment_words * 32;
  const int threads = PoolThreads(pool);
  constexpr int kChunksPerThread = 2;
  chunks.count = threads < 2 || work < kWorthwhile ? 1 : threads * kChunksPerThread;
  if (chunks.count > chunks.units) chunks.count = static_cast<int>(chunks.units);
  if (chunks.units > 0) RunOnPool(pool, chunks.count, RunChunk, &chunks);
}

}  // namespace lqfda
