// The binary convolution's tile, for any instruction set; included by the tables alone.
#pragma once
#include "kernels/bconv/bconv.h"
#include "kernels/map/tile.h"

namespace lqfda {
namespace {

// The counts of P pixels, the tile's `first`th and those behind it, to numbers and through the stages into the sink.
template <class Simd, int P>
inline __attribute__((always_inline)) void Finish(const BconvTile& tile, int first,
                                                  const typename Simd::Ints (*counts)[Simd::kVectors]) {
  constexpr int kLanes = Simd::kLanes, kVectors = Simd::kVectors;
  typename Simd::Ints sums[P][kVectors];
#pragma GCC unroll 8
  for (int p = 0; p < P; ++p) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) sums[p][v] = Simd::Double(counts[p][v]);
  }
#pragma GCC unroll 8
  for (int p = 0; p < P; ++p) {
    if (!tile.borders || tile.sums[first + p] == nullptr) continue;
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      sums[p][v] = Simd::AddInts(sums[p][v], Simd::LoadInts(tile.sums[first + p] + v * kLanes));
    }
  }
  Tile<Simd, P> y;
#pragma GCC unroll 4
  for (int v = 0; v < kVectors; ++v) {
    const auto multiplier = Simd::Load(tile.multiplier + v * kLanes), bias = Simd::Load(tile.bias + v * kLanes);
#pragma GCC unroll 8
    for (int p = 0; p < P; ++p) {
      auto sum = sums[p][v];
      if (tile.clamp) sum = Simd::Clamp(sum, tile.clamp_low, tile.clamp_high);
      y[p][v] = Simd::Add(Simd::Mul(Simd::ToFloats(sum), multiplier), bias);
    }
  }
#pragma GCC unroll 8
  for (int p = 0; p < P; ++p) {
    if (!tile.borders || tile.corrections[first + p] == nullptr) continue;
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      y[p][v] = Simd::Add(y[p][v], Simd::Load(tile.corrections[first + p] + v * kLanes));
    }
  }
  const int pixel = tile.pixel + first, count = tile.count - first;
  ApplyStages<Simd, P>(y, tile.stages, tile.stage_count, pixel, count, tile.channel);
  Sink<Simd, P>(y, tile.sink, pixel, count, tile.channel);
}

template <class Simd, int P>
inline __attribute__((always_inline)) void BconvToMap(const BconvTile& tile) {
  typename Simd::Ints counts[P][Simd::kVectors];
  Simd::template Count<P>(tile, counts);
  constexpr int kAtOnce = P < Simd::kMapPixels ? P : Simd::kMapPixels;
  for (int first = 0; first < P && first < tile.count; first += kAtOnce) {
    Finish<Simd, kAtOnce>(tile, first, counts + first);
  }
}

template <class Simd>
void BconvMap(const BconvTile& tile) {
  if (tile.count > Simd::kPixels / 2) {
    BconvToMap<Simd, Simd::kPixels>(tile);
  } else {
    BconvToMap<Simd, Simd::kPixels / 2>(tile);
  }
}

template <class Simd>
void BconvCounts(const BconvTile& tile, int32_t* counts) {
  constexpr int kPixels = Simd::kPixels;
  typename Simd::Ints sums[kPixels][Simd::kVectors];
  Simd::template Count<kPixels>(tile, sums);
  for (int p = 0; p < tile.count; ++p) {
    for (int v = 0; v < Simd::kVectors; ++v) {
      Simd::StoreInts(counts + p * kBlock<Simd> + v * Simd::kLanes, sums[p][v]);
    }
  }
}

}  // namespace
}  // namespace lqfda
