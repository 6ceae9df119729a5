// The stages and the sink, for any instruction set: `Simd` is one of the structs in `kernels/simd`. Included by the
// tables alone, each compiled for its processor, so everything here has internal linkage.
#pragma once
#include <string.h>

#include "kernels/map/map.h"

namespace lqfda {
namespace {

template <class Simd>
constexpr int kBlock = Simd::kLanes * Simd::kVectors;

template <class Simd, int P, int V = Simd::kVectors>
using Tile = typename Simd::Floats[P][V];

// y = combine(y, a number for each channel)
template <class Simd, typename Simd::Floats (*Combine)(typename Simd::Floats, typename Simd::Floats), int P, int V>
inline __attribute__((always_inline)) void CombineVector(Tile<Simd, P, V>& y, const float* vector) {
#pragma GCC unroll 4
  for (int v = 0; v < V; ++v) {
    const auto numbers = Simd::Load(vector + v * Simd::kLanes);
#pragma GCC unroll 8
    for (int p = 0; p < P; ++p) y[p][v] = Combine(y[p][v], numbers);
  }
}

// y = combine(y, the map's number); `map` is that of the first pixel.
template <class Simd, typename Simd::Floats (*Combine)(typename Simd::Floats, typename Simd::Floats), int P, int V>
inline __attribute__((always_inline)) void CombineMap(Tile<Simd, P, V>& y, const float* map, ptrdiff_t stride,
                                                      int count) {
#pragma GCC unroll 8
  for (int p = 0; p < P; ++p) {
    const float* row = map + (p < count ? p : count - 1) * stride;
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) y[p][v] = Combine(y[p][v], Simd::Load(row + v * Simd::kLanes));
  }
}

// Takes the tile of P pixels by a block of channels that begins at (pixel, channel) through the stages. Rows beyond
// `count` repeat the last one's addresses.
template <class Simd, int P, int V>
inline __attribute__((always_inline)) void ApplyStages(Tile<Simd, P, V>& y, const Stage* stages, int stage_count,
                                                       int pixel, int count, int channel) {
  for (int s = 0; s < stage_count; ++s) {
    const Stage& stage = stages[s];
    switch (stage.kind) {
      case StageKind::kAddVector:
        CombineVector<Simd, Simd::Add, P, V>(y, stage.data + channel);
        break;
      case StageKind::kMulVector:
        CombineVector<Simd, Simd::Mul, P, V>(y, stage.data + channel);
        break;
      case StageKind::kPrelu:
        CombineVector<Simd, Simd::Prelu, P, V>(y, stage.data + channel);
        break;
      case StageKind::kAddMap:
        CombineMap<Simd, Simd::Add, P, V>(y, stage.data + pixel * stage.stride + channel, stage.stride, count);
        break;
      case StageKind::kMulMap:
        CombineMap<Simd, Simd::Mul, P, V>(y, stage.data + pixel * stage.stride + channel, stage.stride, count);
        break;
      case StageKind::kClamp: {
        const auto low = Simd::Broadcast(stage.low), high = Simd::Broadcast(stage.high);
#pragma GCC unroll 8
        for (int p = 0; p < P; ++p) {
#pragma GCC unroll 4
          for (int v = 0; v < V; ++v) y[p][v] = Simd::Min(high, Simd::Max(low, y[p][v]));
        }
        break;
      }
    }
  }
}

// Stores the tile's numbers and packs its signs. The channel must be a multiple of 8.
template <class Simd, int P, int V>
inline __attribute__((always_inline)) void Sink(const Tile<Simd, P, V>& y, const MapSink& sink, int pixel, int count,
                                                int channel) {
  constexpr int kLanes = Simd::kLanes;
  if (sink.map != nullptr) {
#pragma GCC unroll 8
    for (int p = 0; p < P; ++p) {
      if (p >= count) break;
      float* row = sink.map + (pixel + p) * sink.stride + channel;
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) Simd::Store(row + v * kLanes, y[p][v]);
    }
  }
  if (sink.bits == nullptr) return;
#pragma GCC unroll 8
  for (int p = 0; p < P; ++p) {
    if (p >= count) break;
    uint32_t bits = 0;
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) {
      auto x = y[p][v];
      if (sink.bit_shift != nullptr) x = Simd::Add(x, Simd::Load(sink.bit_shift + channel + v * kLanes));
      bits |= Simd::Negative(x) << (v * kLanes);
    }
    // All the processors that are supported store the lowest byte first.
    memcpy(reinterpret_cast<uint8_t*>(sink.bits + sink.bit_offsets[pixel + p]) + channel / 8, &bits,
           kLanes * V / 8);
  }
}

inline const float* SourceRow(const MapRun& run, int pixel, int channel) {
  return run.source + (pixel - run.source_pixel) * run.source_stride + channel - run.source_channel;
}

// Channels that fill no block, or that do not begin on a byte: through copies that do.
template <class Simd>
void RunNarrow(const MapRun& run, int channel, int width) {
  constexpr int kWide = kBlock<Simd>;
  float rows[2][kWide];
  MapRun narrow = run;
  Stage stages[kMaxStages];
  float vectors[kMaxStages + 1][kWide] = {};
  for (int s = 0; s < run.stage_count; ++s) {
    stages[s] = run.stages[s];
    const bool is_map = stages[s].kind == StageKind::kAddMap || stages[s].kind == StageKind::kMulMap;
    if (is_map || stages[s].kind == StageKind::kClamp) continue;
    memcpy(vectors[s], stages[s].data + channel, static_cast<size_t>(width) * sizeof(float));
    stages[s].data = vectors[s];
  }
  if (run.sink.bit_shift != nullptr) {
    memcpy(vectors[kMaxStages], run.sink.bit_shift + channel, static_cast<size_t>(width) * sizeof(float));
    narrow.sink.bit_shift = vectors[kMaxStages];
  }
  for (int pixel = run.first_pixel; pixel < run.last_pixel; ++pixel) {
    memset(rows, 0, sizeof(rows));
    memcpy(rows[0], SourceRow(run, pixel, channel), static_cast<size_t>(width) * sizeof(float));
    Tile<Simd, 1> y;
    for (int v = 0; v < Simd::kVectors; ++v) y[0][v] = Simd::Load(rows[0] + v * Simd::kLanes);
    for (int s = 0; s < run.stage_count; ++s) {
      Stage stage = stages[s];
      if (stage.kind == StageKind::kAddMap || stage.kind == StageKind::kMulMap) {
        memcpy(rows[1], stage.data + pixel * stage.stride + channel, static_cast<size_t>(width) * sizeof(float));
        stage.data = rows[1];
      }
      ApplyStages<Simd, 1, Simd::kVectors>(y, &stage, 1, 0, 1, 0);
    }
    uint32_t bits[1] = {0};
    const int32_t offset = 0;
    narrow.sink.map = rows[0];
    if (run.sink.bits != nullptr) {
      narrow.sink.bits = bits;
      narrow.sink.bit_offsets = &offset;
    }
    Sink<Simd, 1, Simd::kVectors>(y, narrow.sink, 0, 1, 0);
    if (run.sink.map != nullptr) {
      memcpy(run.sink.map + pixel * run.sink.stride + channel, rows[0], static_cast<size_t>(width) * sizeof(float));
    }
    if (run.sink.bits == nullptr) continue;
    uint32_t* words = run.sink.bits + run.sink.bit_offsets[pixel];
    for (int c = 0; c < width; ++c) words[(channel + c) / 32] |= (bits[0] >> c & 1) << ((channel + c) % 32);
  }
}

template <class Simd, int P, int V>
inline __attribute__((always_inline)) void RunTile(const MapRun& run, int pixel, int count, int channel) {
  Tile<Simd, P, V> y;
#pragma GCC unroll 8
  for (int p = 0; p < P; ++p) {
    const float* row = SourceRow(run, pixel + (p < count ? p : count - 1), channel);
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) y[p][v] = Simd::Load(row + v * Simd::kLanes);
  }
  ApplyStages<Simd, P, V>(y, run.stages, run.stage_count, pixel, count, channel);
  Sink<Simd, P, V>(y, run.sink, pixel, count, channel);
}

// Blocks of V vectors, as many as there are, and behind them half as wide ones. Returns the first channel that is left.
template <class Simd, int V>
int RunBlocks(const MapRun& run, int channel) {
  constexpr int kWide = Simd::kLanes * V;
  const int end = channel + (run.last_channel - channel) / kWide * kWide;
  for (int pixel = run.first_pixel; pixel < run.last_pixel && channel < end; pixel += Simd::kMapPixels) {
    const int left = run.last_pixel - pixel;
    const int count = left < Simd::kMapPixels ? left : Simd::kMapPixels;
    for (int c = channel; c < end; c += kWide) RunTile<Simd, Simd::kMapPixels, V>(run, pixel, count, c);
  }
  // Signs are packed a byte at a time.
  if constexpr (V % 2 == 0 && Simd::kLanes * V / 2 % 8 == 0) return RunBlocks<Simd, V / 2>(run, end);
  return end;
}

template <class Simd>
void RunMap(const MapRun& run) {
  constexpr int kWide = kBlock<Simd>;
  int channel = run.first_channel;
  if (channel % 8 == 0) channel = RunBlocks<Simd, Simd::kVectors>(run, channel);
  for (; channel < run.last_channel; channel += kWide) {
    const int left = run.last_channel - channel;
    RunNarrow<Simd>(run, channel, left < kWide ? left : kWide);
  }
}

template <class Simd>
void Mean(const float* map, int pixels, int channels, float* means) {
  constexpr int kLanes = Simd::kLanes, kSums = 4;
  const auto share = Simd::Broadcast(1.0f / static_cast<float>(pixels));
  int channel = 0;
  for (; channel + kLanes <= channels; channel += kLanes) {
    typename Simd::Floats sums[kSums];
    for (auto& sum : sums) sum = Simd::Broadcast(0.0f);
    const float* from = map + channel;
    int pixel = 0;
    for (; pixel + kSums <= pixels; pixel += kSums) {
#pragma GCC unroll 4
      for (int i = 0; i < kSums; ++i, from += channels) sums[i] = Simd::Add(sums[i], Simd::Load(from));
    }
    for (; pixel < pixels; ++pixel, from += channels) sums[0] = Simd::Add(sums[0], Simd::Load(from));
    const auto sum = Simd::Add(Simd::Add(sums[0], sums[1]), Simd::Add(sums[2], sums[3]));
    Simd::Store(means + channel, Simd::Mul(sum, share));
  }
  for (; channel < channels; ++channel) {
    float sum = 0;
    for (int pixel = 0; pixel < pixels; ++pixel) sum += map[static_cast<ptrdiff_t>(pixel) * channels + channel];
    means[channel] = sum * (1.0f / static_cast<float>(pixels));
  }
}

}  // namespace
}  // namespace lqfda
