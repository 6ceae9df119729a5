// Binary multiply-accumulates a cycle of every table of kernels, on ResNet-18's convolutions; one thread, data in L1
// and L2.
//
// A cycle is measured, too: as long as an addition takes that waits for the one before it, on any processor of today.
#include "kernels/kernels.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "support/data.h"

namespace lqfda::test {
namespace {

struct Layer {
  const char* name;
  int size, channels, outputs;  // A map of size by size.
};

constexpr Layer kLayers[] = {
    {"32x32   64 ->  64", 32, 64, 64},   {"16x16  128 -> 128", 16, 128, 128}, {" 8x8   256 -> 256", 8, 256, 256},
    {" 4x4   512 -> 512", 4, 512, 512},  {"56x56   64 ->  64", 56, 64, 64},   {"28x28  128 -> 128", 28, 128, 128},
    {"14x14  256 -> 256", 14, 256, 256}, {" 7x7   512 -> 512", 7, 512, 512},
};

double Seconds() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

double MeasureClock() {
  constexpr long kRounds = 1000000, kChain = 16;
  long x = 1;
  const long y = 3;
  const double began = Seconds();
  for (long round = 0; round < kRounds; ++round) {
#pragma GCC unroll 16
    for (int i = 0; i < kChain; ++i) {
#if defined(__x86_64__)
      __asm__ volatile("add %1, %0" : "+r"(x) : "r"(y));
#elif defined(__aarch64__) || defined(__arm__)
      __asm__ volatile("add %0, %0, %1" : "+r"(x) : "r"(y));
#endif
    }
  }
  return static_cast<double>(kRounds * kChain) / (Seconds() - began);
}

// The fastest that was seen: what else the machine does makes it look slower only.
double Clock() {
  static double fastest = 0;
  for (int i = 0; i < 3; ++i) {
    const double clock = MeasureClock();
    fastest = clock > fastest ? clock : fastest;
  }
  return fastest;
}

// A 3x3 convolution, with its output transformation.
class Run {
 public:
  Run(const Kernels& kernels, const Layer& layer)
      : kernels_(kernels),
        layer_(layer),
        words_(layer.channels / 32),
        input_(static_cast<size_t>((layer.size + 2) * (layer.size + 2) * words_)),
        weights_(static_cast<size_t>(layer.outputs * 9 * words_ * kernels.bconv.weight_words)),
        vector_(static_cast<size_t>(layer.outputs)),
        map_(static_cast<size_t>(layer.size * layer.size * layer.outputs)) {
    Random random(1);
    random.Fill(input_);
    random.Fill(weights_);
    const auto row = static_cast<size_t>(kernels.bconv.block);
    const size_t arranged = row * static_cast<size_t>(kernels.bconv.weight_words);
    for (size_t i = weights_.size() / arranged; kernels.bconv.arrange_weights != nullptr && i-- > 0;) {
      kernels.bconv.arrange_weights(weights_.data() + i * row, weights_.data() + i * arranged);
    }
    for (int row = 0; row < 3; ++row) segments_[row] = row * (layer.size + 2) * words_;
  }

  void Once() {
    const int block = kernels_.bconv.block, pixels = kernels_.bconv.pixels, count = layer_.size * layer_.size;
    BconvTile tile = {};
    tile.segments = segments_;
    tile.segment_count = 3;
    tile.segment_words = 3 * words_;
    tile.sink.map = map_.data();
    tile.sink.stride = layer_.outputs;
    for (tile.channel = 0; tile.channel < layer_.outputs; tile.channel += block) {
      tile.weights = weights_.data() + tile.channel * 9 * words_ * kernels_.bconv.weight_words;
      tile.multiplier = tile.bias = vector_.data() + tile.channel;
      for (tile.pixel = 0; tile.pixel < count; tile.pixel += pixels) {
        tile.count = count - tile.pixel < pixels ? count - tile.pixel : pixels;
        for (int p = 0; p < pixels; ++p) {
          const int pixel = tile.pixel + (p < tile.count ? p : tile.count - 1);
          tile.pixels[p] = input_.data() + (pixel / layer_.size * (layer_.size + 2) + pixel % layer_.size) * words_;
        }
        kernels_.bconv.to_map(tile);
      }
    }
  }

  // By the fastest of a few batches of runs.
  double MacsPerCycle() {
    constexpr int kBatches = 9;
    const double macs = 9.0 * layer_.size * layer_.size * layer_.channels * layer_.outputs;
    int runs = 1;
    double fastest = 1e9;
    for (int batch = 0; batch < kBatches;) {
      const double began = Seconds();
      for (int i = 0; i < runs; ++i) Once();
      const double took = Seconds() - began;
      if (took < 5e-3) {
        runs *= 2;
        continue;
      }
      fastest = took / runs < fastest ? took / runs : fastest;
      ++batch;
    }
    return macs / fastest / Clock();
  }

 private:
  const Kernels& kernels_;
  const Layer& layer_;
  int words_;
  int32_t segments_[3];
  Array<uint32_t> input_, weights_;
  Array<float> vector_, map_;
};

}  // namespace
}  // namespace lqfda::test

int main() {
  using namespace lqfda;
  using namespace lqfda::test;
  printf("Binary multiply-accumulates a cycle, 3x3 convolutions, one thread, at %.2f GHz\n\n", Clock() / 1e9);
  printf("| layer             |");
  for (Isa isa : kIsas) {
    if (KernelsFor(isa) != nullptr && IsaIsAvailable(isa)) printf(" %8s |", IsaName(isa));
  }
  printf("\n| ----------------- |");
  for (Isa isa : kIsas) {
    if (KernelsFor(isa) != nullptr && IsaIsAvailable(isa)) printf(" -------: |");
  }
  printf("\n");
  for (const Layer& layer : kLayers) {
    printf("| %s |", layer.name);
    for (Isa isa : kIsas) {
      if (KernelsFor(isa) == nullptr || !IsaIsAvailable(isa)) continue;
      printf(" %8.1f |", Run(*KernelsFor(isa), layer).MacsPerCycle());
    }
    printf("\n");
    fflush(stdout);
  }
  return 0;
}
