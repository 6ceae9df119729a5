// AVX-512 with VPOPCNTDQ: Ice Lake, Zen 4 and later.
#pragma once
#include <immintrin.h>
#include <stdint.h>

namespace lqfda {
namespace {

struct Avx512 {
  static constexpr int kLanes = 16;
  static constexpr int kVectors = 2;  // Vectors of a block: 16 sums, 2 weights and a pixel fill the 32 registers.
  static constexpr int kPixels = 8;
  static constexpr int kMapPixels = kPixels;
  using Floats = __m512;
  using Ints = __m512i;

  static Floats Load(const float* from) { return _mm512_loadu_ps(from); }
  static void Store(float* to, Floats x) { _mm512_storeu_ps(to, x); }
  static void StoreInts(int32_t* to, Ints x) { _mm512_storeu_si512(to, x); }
  static Floats Broadcast(float x) { return _mm512_set1_ps(x); }
  static Floats Add(Floats a, Floats b) { return _mm512_add_ps(a, b); }
  static Floats Mul(Floats a, Floats b) { return _mm512_mul_ps(a, b); }
  static Floats Min(Floats a, Floats b) { return _mm512_min_ps(a, b); }
  static Floats Max(Floats a, Floats b) { return _mm512_max_ps(a, b); }
  // x < 0 ? x * slope : x
  static Floats Prelu(Floats x, Floats slope) {
    return _mm512_mask_mul_ps(x, _mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_LT_OQ), x, slope);
  }
  static uint32_t Negative(Floats x) { return _mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_LT_OQ); }
  static Floats ToFloats(Ints x) { return _mm512_cvtepi32_ps(x); }
  static Ints LoadInts(const int32_t* from) { return _mm512_loadu_si512(from); }
  static Ints AddInts(Ints a, Ints b) { return _mm512_add_epi32(a, b); }
  static Ints Double(Ints x) { return _mm512_slli_epi32(x, 1); }
  static Ints Clamp(Ints x, int32_t low, int32_t high) {
    return _mm512_max_epi32(_mm512_min_epi32(x, _mm512_set1_epi32(high)), _mm512_set1_epi32(low));
  }

  // The popcounts of a tile of P pixels.
  template <int P, class Tile>
  static inline __attribute__((always_inline)) void Count(const Tile& tile, Ints (&sums)[P][kVectors]) {
#pragma GCC unroll 8
    for (int p = 0; p < P; ++p) sums[p][0] = sums[p][1] = _mm512_setzero_si512();
    const uint32_t* weights = tile.weights;
    const long words = tile.segment_words;
    for (int segment = 0; segment < tile.segment_count; ++segment) {
      const uint32_t* from[P];
#pragma GCC unroll 8
      for (int p = 0; p < P; ++p) from[p] = tile.pixels[p] + tile.segments[segment];
      for (long word = 0; word < words; ++word, weights += 2 * kLanes) {
        const __m512i first = _mm512_loadu_si512(weights), second = _mm512_loadu_si512(weights + kLanes);
#pragma GCC unroll 8
        for (int p = 0; p < P; ++p) {
          const __m512i pixel = _mm512_set1_epi32(static_cast<int>(from[p][word]));
          sums[p][0] = _mm512_add_epi32(sums[p][0], _mm512_popcnt_epi32(_mm512_xor_si512(pixel, first)));
          sums[p][1] = _mm512_add_epi32(sums[p][1], _mm512_popcnt_epi32(_mm512_xor_si512(pixel, second)));
        }
      }
    }
  }
};

}  // namespace
}  // namespace lqfda
