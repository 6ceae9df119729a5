// Every table's binary convolution against plain loops, bit for bit.
#include "support/check.h"
#include "support/stages.h"

namespace lqfda::test {
namespace {

// Segments by words: around the numbers of words after which counts in bytes overflow (7 and 31), and of those that
// AVX2 locates in one go (144), in one segment and across.
constexpr int kWindows[][2] = {
    {1, 1},  {1, 2},  {1, 3},  {2, 1},  {3, 1},  {3, 3},  {9, 1},  {1, 6},  {1, 7},  {1, 8},  {2, 7},
    {7, 1},  {8, 1},  {3, 5},  {1, 14}, {1, 15}, {1, 30}, {1, 31}, {1, 32}, {1, 33}, {1, 62}, {1, 63},
    {2, 15}, {3, 10}, {2, 16}, {31, 1}, {32, 1}, {33, 1}, {2, 31}, {31, 2}, {3, 21}, {7, 9},  {9, 7},
    {1, 93}, {3, 31}, {4, 31}, {1, 95}, {9, 16}, {25, 5}, {49, 2}, {2, 62}, {5, 30}, {30, 2},
    {1, 143}, {1, 144}, {1, 145}, {2, 145}, {1, 151}, {1, 152}, {145, 1}, {16, 9}, {48, 3}, {1, 300},
};
enum Pattern { kRandom, kAllDiffer, kNoneDiffers, kPatterns };

// A tile with data of its own.
struct Case {
  Case(const Kernels& kernels, int segment_count, int segment_words, int count, Pattern pattern, Random* random)
      : block(kernels.bconv.block),
        segments(static_cast<size_t>(segment_count)),
        input(static_cast<size_t>(kernels.bconv.pixels - 1 + segment_count * segment_words + 2 * (segment_count - 1))),
        weights(static_cast<size_t>(segment_count * segment_words * block)),
        arranged(weights.size() * static_cast<size_t>(kernels.bconv.weight_words)),
        multiplier(static_cast<size_t>(block)),
        bias(static_cast<size_t>(block)),
        sums(static_cast<size_t>(block)),
        corrections(static_cast<size_t>(block)) {
    // Segments from the last to the first, with gaps; windows overlap.
    for (int s = 0; s < segment_count; ++s) {
      segments[static_cast<size_t>(s)] = (segment_count - 1 - s) * (segment_words + 2);
    }
    random->Fill(input);
    random->Fill(weights);
    if (pattern != kRandom) {
      for (uint32_t& word : input) word = 0;
      for (uint32_t& word : weights) word = pattern == kAllDiffer ? ~0u : 0u;
    }
    memcpy(arranged.data(), weights.data(), weights.bytes());
    for (size_t row = 0; kernels.bconv.arrange_weights != nullptr && row < weights.size();
         row += static_cast<size_t>(block)) {
      kernels.bconv.arrange_weights(weights.data() + row,
                                    arranged.data() + row * static_cast<size_t>(kernels.bconv.weight_words));
    }
    random->Fill(multiplier);
    random->Fill(bias);
    random->Fill(corrections);
    for (int32_t& sum : sums) sum = random->Between(-300, 300);
    tile = {};
    for (int p = 0; p < kernels.bconv.pixels; ++p) tile.pixels[p] = input.data() + (p < count ? p : count - 1);
    tile.count = count;
    tile.segments = segments.data();
    tile.segment_count = segment_count;
    tile.segment_words = segment_words;
    tile.weights = weights.data();
    tile.multiplier = multiplier.data();
    tile.bias = bias.data();
    tile.clamp = random->Coin();
    tile.clamp_low = random->Between(0, 20);
    tile.clamp_high = random->Between(10, 16 * segment_count * segment_words + 20);
    tile.borders = random->Coin();
    tile.half = HasHalfBlock(block) && random->Coin();
    for (int p = 0; tile.borders && p < kernels.bconv.pixels; ++p) {
      if (random->Below(4) == 0) tile.sums[p] = sums.data();
      if (tile.sums[p] == nullptr && random->Coin()) tile.corrections[p] = corrections.data();
    }
  }
  Case(const Case&) = delete;

  // The tile as the kernel wants it; the reference reads `tile`.
  BconvTile ForKernel() const {
    BconvTile result = tile;
    result.weights = arranged.data();
    return result;
  }

  int block;
  Array<int32_t> segments;
  Array<uint32_t> input, weights, arranged;
  Array<float> multiplier, bias;
  Array<int32_t> sums;
  Array<float> corrections;
  BconvTile tile;
};

int Width(const BconvTile& tile, int block) { return tile.half ? block / 2 : block; }

// The definition in bconv.h, then the definition of stages and sink.
void ReferenceToMap(const BconvTile& tile, int block) {
  Array<int32_t> counts(static_cast<size_t>(tile.count * block));
  ReferenceBconvCounts(tile, block, counts.data());
  Array<float> numbers(counts.size());
  for (int p = 0; p < tile.count; ++p) {
    for (int c = 0; c < block; ++c) {
      const auto at = static_cast<size_t>(p * block + c);
      int32_t sum = 2 * counts[at];
      if (tile.borders && tile.sums[p] != nullptr) sum += tile.sums[p][c];
      if (tile.clamp) {
        sum = sum < tile.clamp_high ? sum : tile.clamp_high;
        sum = sum > tile.clamp_low ? sum : tile.clamp_low;
      }
      numbers[at] = static_cast<float>(sum) * tile.multiplier[c] + tile.bias[c];
      if (tile.borders && tile.corrections[p] != nullptr) numbers[at] += tile.corrections[p][c];
    }
  }
  MapRun run = {};
  run.source = numbers.data();
  run.source_stride = block;
  run.source_pixel = run.first_pixel = tile.pixel;
  run.source_channel = run.first_channel = tile.channel;
  run.last_pixel = tile.pixel + tile.count;
  run.last_channel = tile.channel + Width(tile, block);
  run.stages = tile.stages;
  run.stage_count = tile.stage_count;
  run.sink = tile.sink;
  ReferenceMapRun(run);
}

void ExpectSameMap(const Kernels& kernels, const Case& c, Random* random) {
  BconvTile tile = c.tile, for_kernel = c.ForKernel();
  const int block = kernels.bconv.block, pixels = tile.pixel + tile.count;
  const int channels = tile.channel + Width(tile, block);
  const int sink = random->Below(Target::kSinks);
  Target expected(pixels, channels, random);
  expected.ClearPartial(tile.pixel, pixels, tile.channel, channels);
  Target actual(expected);
  tile.sink = expected.Sink(sink);
  ReferenceToMap(tile, block);
  for_kernel.sink = actual.Sink(sink);
  kernels.bconv.to_map(for_kernel);
  CHECK(actual.Equals(expected));
}

}  // namespace

TEST_TABLES(bconv_counts) {
  Random random(1);
  for (const auto& window : kWindows) {
    for (int pattern = 0; pattern < kPatterns; ++pattern) {
      for (int count = 1; count <= kernels.bconv.pixels; ++count) {
        const Case c(kernels, window[0], window[1], count, static_cast<Pattern>(pattern), &random);
        Array<int32_t> expected(static_cast<size_t>(count * c.block)), actual(expected.size());
        ReferenceBconvCounts(c.tile, c.block, expected.data());
        kernels.bconv.to_counts(c.ForKernel(), actual.data());
        CHECK_EQ(memcmp(actual.data(), expected.data(), expected.bytes()), 0);
        if (pattern == kAllDiffer) CHECK_EQ(expected[0], 32 * window[0] * window[1]);
      }
    }
  }
}

TEST_TABLES(bconv_to_map) {
  Random random(2);
  for (const auto& window : kWindows) {
    for (int count = 1; count <= kernels.bconv.pixels; ++count) {
      for (int repeat = 0; repeat < 4; ++repeat) {
        Case c(kernels, window[0], window[1], count, repeat == 0 ? kAllDiffer : kRandom, &random);
        c.tile.pixel = random.Below(5);
        c.tile.channel = 8 * random.Below(5);
        const Operands operands(c.tile.pixel + count, c.tile.channel + Width(c.tile, c.block), &random);
        Stage stages[kMaxStages];
        c.tile.stages = stages;
        c.tile.stage_count = MakeStages(operands, &random, stages);
        ExpectSameMap(kernels, c, &random);
      }
    }
  }
}

TEST_TABLES(bconv_stages) {
  Random random(3);
  for (int first = 0; first < kStageKindCount; ++first) {
    for (int second = -1; second < kStageKindCount; ++second) {
      for (int count = 1; count <= kernels.bconv.pixels; ++count) {
        Case c(kernels, 3, 2, count, kRandom, &random);
        const Operands operands(count, Width(c.tile, c.block), &random);
        Stage stages[2] = {operands.Make(kStageKinds[first], &random)};
        if (second >= 0) stages[1] = operands.Make(kStageKinds[second], &random);
        c.tile.stages = stages;
        c.tile.stage_count = second < 0 ? 1 : 2;
        ExpectSameMap(kernels, c, &random);
      }
    }
  }
}

TEST_TABLES(bconv_blocks_fit) {
  CHECK(kernels.bconv.block <= kMaxTileChannels && kernels.bconv.block % 8 == 0);
  CHECK(kernels.bconv.pixels <= kMaxTilePixels && kernels.bconv.pixels >= 1);
}

}  // namespace lqfda::test
