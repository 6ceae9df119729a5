// Every table's maps against plain loops, bit for bit.
#include "support/check.h"
#include "support/stages.h"

namespace lqfda::test {
namespace {

struct Region {
  int first_pixel, last_pixel, first_channel, last_channel;
};

// Runs kernel and reference over a region of a map of `pixels` by `channels`.
void ExpectSame(const Kernels& kernels, int pixels, int channels, const Region& region, const Stage* stages,
                int stage_count, int sink, Random* random) {
  Target expected(pixels, channels, random);
  expected.ClearPartial(region.first_pixel, region.last_pixel, region.first_channel, region.last_channel);
  Target actual(expected);
  MapRun run = {};
  // The source holds the region alone, as the scratch memory of a narrow block does.
  const int rows = region.last_pixel - region.first_pixel, columns = region.last_channel - region.first_channel;
  run.source_pixel = region.first_pixel;
  run.source_channel = region.first_channel;
  run.source_stride = columns + random->Below(3);
  Array<float> source(static_cast<size_t>(rows * run.source_stride));
  random->FillOdd(source);
  run.source = source.data();
  run.stages = stages;
  run.stage_count = stage_count;
  run.first_pixel = region.first_pixel;
  run.last_pixel = region.last_pixel;
  run.first_channel = region.first_channel;
  run.last_channel = region.last_channel;
  run.sink = expected.Sink(sink);
  ReferenceMapRun(run);
  run.sink = actual.Sink(sink);
  kernels.map.run(run);
  CHECK(actual.Equals(expected));
}

}  // namespace

// All widths up to a few blocks, all numbers of pixels up to a few tiles.
TEST_TABLES(map_widths) {
  Random random(11);
  for (int channels = 1; channels <= 100; ++channels) {
    for (int sink = 0; sink < Target::kSinks; ++sink) {
      const int pixels = 1 + random.Below(2 * kernels.bconv.pixels + 1);
      const Operands operands(pixels, channels, &random);
      Stage stages[kMaxStages];
      const int count = MakeStages(operands, &random, stages);
      ExpectSame(kernels, pixels, channels, {0, pixels, 0, channels}, stages, count, sink, &random);
    }
  }
}

// Regions anywhere in a map: first channels on a byte, off a byte, and rebased sources.
TEST_TABLES(map_regions) {
  Random random(12);
  for (int repeat = 0; repeat < 1500; ++repeat) {
    const int pixels = 1 + random.Below(12), channels = 1 + random.Below(100);
    Region region;
    region.first_pixel = random.Below(pixels);
    region.last_pixel = random.Between(region.first_pixel, pixels);
    region.first_channel = random.Below(channels);
    if (random.Coin()) region.first_channel &= ~7;
    region.last_channel = random.Between(region.first_channel, channels);
    const Operands operands(pixels, channels, &random);
    Stage stages[kMaxStages];
    const int count = MakeStages(operands, &random, stages);
    ExpectSame(kernels, pixels, channels, region, stages, count, random.Below(Target::kSinks), &random);
  }
}

// Each kind of stage, and each pair of them, over whole blocks and narrow ones.
TEST_TABLES(map_stages) {
  Random random(13);
  for (int first = 0; first < kStageKindCount; ++first) {
    for (int second = -1; second < kStageKindCount; ++second) {
      for (int channels : {kernels.bconv.block, kernels.bconv.block - 1, 2 * kernels.bconv.block + 3}) {
        const Operands operands(5, channels, &random);
        Stage stages[2] = {operands.Make(kStageKinds[first], &random)};
        if (second >= 0) stages[1] = operands.Make(kStageKinds[second], &random);
        ExpectSame(kernels, 5, channels, {0, 5, 0, channels}, stages, second < 0 ? 1 : 2, 3, &random);
      }
    }
  }
}

// A bit is set where a number is negative: zeros of both signs and NaN of both signs are not.
TEST_TABLES(map_signs) {
  const float numbers[] = {0.0f, -0.0f, NAN, -NAN, INFINITY, -INFINITY, 1.0f, -1.0f};
  for (int channels : {8, 16, 24, 32, 64}) {
    Array<float> source(static_cast<size_t>(channels));
    for (int c = 0; c < channels; ++c) source[static_cast<size_t>(c)] = numbers[c % 8];
    Array<uint32_t> bits(static_cast<size_t>((channels + 31) / 32));
    const int32_t offset = 0;
    MapRun run = {};
    run.source = source.data();
    run.source_stride = channels;
    run.sink.bits = bits.data();
    run.sink.bit_offsets = &offset;
    run.last_pixel = 1;
    run.last_channel = channels;
    kernels.map.run(run);
    for (int c = 0; c < channels; ++c) {
      const bool expected = c % 8 == 5 || c % 8 == 7;
      CHECK_EQ(bits[static_cast<size_t>(c / 32)] >> (c % 32) & 1, expected);
    }
  }
}

// Against double precision: a sum of n floats is off by at most n roundings of the sum of magnitudes.
TEST_TABLES(map_mean) {
  Random random(14);
  for (int channels = 1; channels <= 100; channels += channels < 40 ? 1 : 7) {
    for (int pixels : {1, 2, 3, 4, 5, 7, 49, 64}) {
      Array<float> map(static_cast<size_t>(pixels * channels));
      random.Fill(map);
      Array<float> means(static_cast<size_t>(channels));
      kernels.map.mean(map.data(), pixels, channels, means.data());
      for (int c = 0; c < channels; ++c) {
        double sum = 0, magnitude = 0;
        for (int p = 0; p < pixels; ++p) {
          const double x = static_cast<double>(map[static_cast<size_t>(p * channels + c)]);
          sum += x;
          magnitude += fabs(x);
        }
        const double error = fabs(static_cast<double>(means[static_cast<size_t>(c)]) - sum / pixels);
        CHECK(error <= (pixels + 2) * 0x1p-24 * magnitude / pixels);
      }
    }
  }
}

}  // namespace lqfda::test
