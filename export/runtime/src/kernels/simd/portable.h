// Plain C++, for any processor; loops over the lanes that compilers turn into what vector code there is.
#pragma once
#include <stdint.h>
#include <string.h>

namespace lqfda {
namespace {

struct Portable {
  static constexpr int kLanes = 8;
  static constexpr int kVectors = 1;
  static constexpr int kPixels = 2;
  static constexpr int kMapPixels = kPixels;
  struct Floats {
    float lane[kLanes];
  };
  struct Ints {
    int32_t lane[kLanes];
  };

  template <class Function>
  static inline __attribute__((always_inline)) Floats Each(Function function) {
    Floats result;
    for (int i = 0; i < kLanes; ++i) result.lane[i] = function(i);
    return result;
  }

  static Floats Load(const float* from) {
    Floats result;
    memcpy(result.lane, from, sizeof(result.lane));
    return result;
  }
  static void Store(float* to, Floats x) { memcpy(to, x.lane, sizeof(x.lane)); }
  static void StoreInts(int32_t* to, Ints x) { memcpy(to, x.lane, sizeof(x.lane)); }
  static Floats Broadcast(float x) {
    return Each([=](int) { return x; });
  }
  static Floats Add(Floats a, Floats b) {
    return Each([&](int i) { return a.lane[i] + b.lane[i]; });
  }
  static Floats Mul(Floats a, Floats b) {
    return Each([&](int i) { return a.lane[i] * b.lane[i]; });
  }
  static Floats Min(Floats a, Floats b) {
    return Each([&](int i) { return a.lane[i] < b.lane[i] ? a.lane[i] : b.lane[i]; });
  }
  static Floats Max(Floats a, Floats b) {
    return Each([&](int i) { return a.lane[i] > b.lane[i] ? a.lane[i] : b.lane[i]; });
  }
  static Floats Prelu(Floats x, Floats slope) {
    return Each([&](int i) { return x.lane[i] < 0 ? x.lane[i] * slope.lane[i] : x.lane[i]; });
  }
  static uint32_t Negative(Floats x) {
    uint32_t bits = 0;
    for (int i = 0; i < kLanes; ++i) bits |= static_cast<uint32_t>(x.lane[i] < 0) << i;
    return bits;
  }
  static Floats ToFloats(Ints x) {
    return Each([&](int i) { return static_cast<float>(x.lane[i]); });
  }
  static Ints LoadInts(const int32_t* from) {
    Ints result;
    memcpy(result.lane, from, sizeof(result.lane));
    return result;
  }
  static Ints AddInts(Ints a, Ints b) {
    for (int i = 0; i < kLanes; ++i) a.lane[i] += b.lane[i];
    return a;
  }
  static Ints Double(Ints x) {
    for (int i = 0; i < kLanes; ++i) x.lane[i] *= 2;
    return x;
  }
  static Ints Clamp(Ints x, int32_t low, int32_t high) {
    for (int i = 0; i < kLanes; ++i) {
      const int32_t cut = x.lane[i] < high ? x.lane[i] : high;
      x.lane[i] = cut < low ? low : cut;
    }
    return x;
  }

  // Counts bits in bytes by adding neighbours, and bytes in words as long as they hold (31 times 8).
  template <int P, class Tile>
  static inline __attribute__((always_inline)) void Count(const Tile& tile, Ints (&sums)[P][kVectors]) {
    uint32_t bytes[P][kLanes] = {};
    memset(sums, 0, sizeof(sums));
    const auto widen = [&]() {
      for (int p = 0; p < P; ++p) {
        for (int i = 0; i < kLanes; ++i) {
          const uint32_t pairs = (bytes[p][i] & 0x00ff00ff) + (bytes[p][i] >> 8 & 0x00ff00ff);
          sums[p][0].lane[i] += static_cast<int32_t>((pairs & 0xffff) + (pairs >> 16));
          bytes[p][i] = 0;
        }
      }
    };
    constexpr int kWordsInBytes = 31;
    const uint32_t* weights = tile.weights;
    int room = kWordsInBytes;
    for (int segment = 0; segment < tile.segment_count; ++segment) {
      for (int word = 0; word < tile.segment_words; ++word, weights += kLanes) {
        for (int p = 0; p < P; ++p) {
          const uint32_t pixel = tile.pixels[p][tile.segments[segment] + word];
          for (int i = 0; i < kLanes; ++i) {
            uint32_t x = pixel ^ weights[i];
            x -= x >> 1 & 0x55555555;
            x = (x & 0x33333333) + (x >> 2 & 0x33333333);
            bytes[p][i] += (x + (x >> 4)) & 0x0f0f0f0f;
          }
        }
        if (--room == 0) {
          widen();
          room = kWordsInBytes;
        }
      }
    }
    widen();
  }
};

}  // namespace
}  // namespace lqfda
