// The binary convolution's tile, for any instruction set; included by the tables alone.
#pragma once
#include "kernels/bconv/bconv.h"
#include "kernels/map/tile.h"

namespace lqfda {
namespace {

// The counts of P pixels, the tile's `first`th and those behind it, in their first V vectors to numbers and through the
// stages into the sink.
template <class Simd, int P, int V>
inline __attribute__((always_inline)) void Finish(const BconvTile& tile, int first,
                                                  const typename Simd::Ints (*counts)[Simd::kVectors]) {
  constexpr int kLanes = Simd::kLanes;
  typename Simd::Ints sums[P][V];
#pragma GCC unroll 8
  for (int p = 0; p < P; ++p) {
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) sums[p][v] = Simd::Double(counts[p][v]);
  }
#pragma GCC unroll 8
  for (int p = 0; p < P; ++p) {
    if (!tile.borders || tile.sums[first + p] == nullptr) continue;
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) {
      sums[p][v] = Simd::AddInts(sums[p][v], Simd::LoadInts(tile.sums[first + p] + v * kLanes));
    }
  }
  Tile<Simd, P, V> y;
#pragma GCC unroll 4
  for (int v = 0; v < V; ++v) {
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
    for (int v = 0; v < V; ++v) {
      y[p][v] = Simd::Add(y[p][v], Simd::Load(tile.corrections[first + p] + v * kLanes));
    }
  }
  const int pixel = tile.pixel + first, count = tile.count - first;
  ApplyStages<Simd, P, V>(y, tile.stages, tile.stage_count, pixel, count, tile.channel);
  Sink<Simd, P, V>(y, tile.sink, pixel, count, tile.channel);
}

template <class Simd, int P, int V>
inline __attribute__((always_inline)) void BconvToMap(const BconvTile& tile) {
  typename Simd::Ints counts[P][Simd::kVectors];
  Simd::template Count<P>(tile, counts);  // Compilers leave out what is not used.
  constexpr int kAtOnce = P < Simd::kMapPixels ? P : Simd::kMapPixels;
  for (int first = 0; first < P && first < tile.count; first += kAtOnce) {
    Finish<Simd, kAtOnce, V>(tile, first, counts + first);
  }
}

template <class Simd>
void BconvMap(const BconvTile& tile) {
  constexpr int kPixels = Simd::kPixels, kVectors = Simd::kVectors;
  if constexpr (HasHalfBlock(kBlock<Simd>)) {
    if (tile.half) return BconvToMap<Simd, kPixels, kVectors / 2>(tile);
  }
  if (tile.count > kPixels / 2) {
    BconvToMap<Simd, kPixels, kVectors>(tile);
  } else {
    BconvToMap<Simd, kPixels / 2, kVectors>(tile);
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
