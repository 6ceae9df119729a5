// The binary convolution's tile, for any instruction set; included by the tables alone.
#pragma once
#include "kernels/bconv/bconv.h"
#include "kernels/map/tile.h"

namespace lqfda {
namespace {

template <class Simd, int P>
inline __attribute__((always_inline)) void BconvToMap(const BconvTile& tile) {
  constexpr int kLanes = Simd::kLanes, kVectors = Simd::kVectors;
  typename Simd::Ints counts[P][kVectors];
  Simd::template Count<P>(tile, counts);
  Tile<Simd, P> y;
#pragma GCC unroll 8
  for (int p = 0; p < P; ++p) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) counts[p][v] = Simd::Double(counts[p][v]);
  }
#pragma GCC unroll 8
  for (int p = 0; p < P; ++p) {
    if (!tile.borders || tile.sums[p] == nullptr) continue;
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      counts[p][v] = Simd::AddInts(counts[p][v], Simd::LoadInts(tile.sums[p] + v * kLanes));
    }
  }
#pragma GCC unroll 4
  for (int v = 0; v < kVectors; ++v) {
    const auto multiplier = Simd::Load(tile.multiplier + v * kLanes), bias = Simd::Load(tile.bias + v * kLanes);
#pragma GCC unroll 8
    for (int p = 0; p < P; ++p) {
      auto sum = counts[p][v];
      if (tile.clamp) sum = Simd::Clamp(sum, tile.clamp_low, tile.clamp_high);
      y[p][v] = Simd::Add(Simd::Mul(Simd::ToFloats(sum), multiplier), bias);
    }
  }
#pragma GCC unroll 8
  for (int p = 0; p < P; ++p) {
    if (!tile.borders || tile.corrections[p] == nullptr) continue;
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) y[p][v] = Simd::Add(y[p][v], Simd::Load(tile.corrections[p] + v * kLanes));
  }
  ApplyStages<Simd, P>(y, tile.stages, tile.stage_count, tile.pixel, tile.count, tile.channel);
  Sink<Simd, P>(y, tile.sink, tile.pixel, tile.count, tile.channel);
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
