// AVX2: there is no vector popcount, so bytes are counted by looking up their halves. Counts stay in bytes for as many
// words as a byte can hold (31 times 8), then widen.
#pragma once
#include <immintrin.h>
#include <stdint.h>

namespace lqfda {
namespace {

struct Avx2 {
  static constexpr int kLanes = 8;
  static constexpr int kVectors = 2;
  static constexpr int kPixels = 4;
  using Floats = __m256;
  using Ints = __m256i;

  static Floats Load(const float* from) { return _mm256_loadu_ps(from); }
  static void Store(float* to, Floats x) { _mm256_storeu_ps(to, x); }
  static void StoreInts(int32_t* to, Ints x) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), x); }
  static Floats Broadcast(float x) { return _mm256_set1_ps(x); }
  static Floats Add(Floats a, Floats b) { return _mm256_add_ps(a, b); }
  static Floats Mul(Floats a, Floats b) { return _mm256_mul_ps(a, b); }
  static Floats Min(Floats a, Floats b) { return _mm256_min_ps(a, b); }
  static Floats Max(Floats a, Floats b) { return _mm256_max_ps(a, b); }
  static Floats Prelu(Floats x, Floats slope) {
    return _mm256_blendv_ps(x, _mm256_mul_ps(x, slope), _mm256_cmp_ps(x, _mm256_setzero_ps(), _CMP_LT_OQ));
  }
  static uint32_t Negative(Floats x) {
    return static_cast<uint32_t>(_mm256_movemask_ps(_mm256_cmp_ps(x, _mm256_setzero_ps(), _CMP_LT_OQ)));
  }
  static Floats ToFloats(Ints x) { return _mm256_cvtepi32_ps(x); }
  static Ints LoadInts(const int32_t* from) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)); }
  static Ints AddInts(Ints a, Ints b) { return _mm256_add_epi32(a, b); }
  static Ints Double(Ints x) { return _mm256_slli_epi32(x, 1); }
  static Ints Clamp(Ints x, int32_t low, int32_t high) {
    return _mm256_max_epi32(_mm256_min_epi32(x, _mm256_set1_epi32(high)), _mm256_set1_epi32(low));
  }

  template <int P, class Tile>
  static inline __attribute__((always_inline)) void Count(const Tile& tile, Ints (&sums)[P][kVectors]) {
    const __m256i half = _mm256_set1_epi8(15), one8 = _mm256_set1_epi8(1), one16 = _mm256_set1_epi16(1);
    const __m256i table = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4,  //
                                           0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
    const auto count = [&](__m256i x) __attribute__((always_inline)) {
      const __m256i low = _mm256_shuffle_epi8(table, _mm256_and_si256(x, half));
      const __m256i high = _mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi16(x, 4), half));
      return _mm256_add_epi8(low, high);
    };
    __m256i bytes[P][kVectors];
#pragma GCC unroll 4
    for (int p = 0; p < P; ++p) {
      sums[p][0] = sums[p][1] = bytes[p][0] = bytes[p][1] = _mm256_setzero_si256();
    }
    const auto widen = [&]() __attribute__((always_inline)) {
#pragma GCC unroll 4
      for (int p = 0; p < P; ++p) {
#pragma GCC unroll 2
        for (int v = 0; v < kVectors; ++v) {
          const __m256i pairs = _mm256_maddubs_epi16(bytes[p][v], one8);
          sums[p][v] = _mm256_add_epi32(sums[p][v], _mm256_madd_epi16(pairs, one16));
          bytes[p][v] = _mm256_setzero_si256();
        }
      }
    };
    constexpr long kWordsInBytes = 31;
    const uint32_t* weights = tile.weights;
    long room = kWordsInBytes;
    for (int segment = 0; segment < tile.segment_count; ++segment) {
      const uint32_t* from[P];
#pragma GCC unroll 4
      for (int p = 0; p < P; ++p) from[p] = tile.pixels[p] + tile.segments[segment];
      for (long word = 0; word < tile.segment_words;) {
        const long left = tile.segment_words - word;
        const long end = word + (left < room ? left : room);
        room -= end - word;
        for (; word < end; ++word, weights += 2 * kLanes) {
          const __m256i first = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(weights));
          const __m256i second = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(weights + kLanes));
#pragma GCC unroll 4
          for (int p = 0; p < P; ++p) {
            const __m256i pixel = _mm256_set1_epi32(static_cast<int>(from[p][word]));
            bytes[p][0] = _mm256_add_epi8(bytes[p][0], count(_mm256_xor_si256(pixel, first)));
            bytes[p][1] = _mm256_add_epi8(bytes[p][1], count(_mm256_xor_si256(pixel, second)));
          }
        }
        if (room == 0) {
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
