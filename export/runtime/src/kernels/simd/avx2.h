// AVX2: there is no vector popcount, but `pshufb` looks up 32 bytes at once in a table of 16. For a pixel's four bits
// there is a table that holds, for each of the sixteen values that a weight's four bits can have, how many differ: one
// lookup and one addition count 4 bits of 32 channels, without a xor, a shift or a mask. So a row of weights holds one
// byte of each of the block's channels. Counts stay in bytes for as many lookups as a byte can hold, then widen.
#pragma once
#include <immintrin.h>
#include <stdint.h>
#include <string.h>

namespace lqfda {
namespace {

// For every byte of a pixel: how its lower and its upper half differ from each of the sixteen values of four bits.
struct DifferenceTables {
  alignas(64) uint8_t of[256][32];
  constexpr DifferenceTables() : of() {
    for (int pixel = 0; pixel < 256; ++pixel) {
      for (int i = 0; i < 32; ++i) {
        const int differing = (i < 16 ? pixel & 15 : pixel >> 4) ^ (i & 15);
        of[pixel][i] = static_cast<uint8_t>((differing & 1) + (differing >> 1 & 1) + (differing >> 2 & 1) +
                                            (differing >> 3));
      }
    }
  }
};

constexpr DifferenceTables kDifferenceTables;

struct Avx2 {
  static constexpr int kLanes = 8;
  static constexpr int kVectors = 4;
  static constexpr int kPixels = 4;
  static constexpr int kRow = kLanes * kVectors;
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

  // Brings a row of 32 words, one a channel, into rows of their first bytes, second bytes and so on.
  static void ArrangeWeights(uint32_t* row) {
    uint8_t bytes[kRow * 4];
    for (int channel = 0; channel < kRow; ++channel) {
      for (int i = 0; i < 4; ++i) bytes[i * kRow + channel] = static_cast<uint8_t>(row[channel] >> (8 * i));
    }
    memcpy(row, bytes, sizeof(bytes));
  }

  template <int P, class Tile>
  static inline __attribute__((always_inline)) void Count(const Tile& tile, Ints (&sums)[P][kVectors]) {
    const __m256i half = _mm256_set1_epi8(15);
    __m256i bytes[P];
#pragma GCC unroll 4
    for (int p = 0; p < P; ++p) {
      bytes[p] = _mm256_setzero_si256();
      for (int v = 0; v < kVectors; ++v) sums[p][v] = _mm256_setzero_si256();
    }
    const auto widen = [&]() __attribute__((always_inline)) {
#pragma GCC unroll 4
      for (int p = 0; p < P; ++p) {
        const __m128i low = _mm256_castsi256_si128(bytes[p]), high = _mm256_extracti128_si256(bytes[p], 1);
        sums[p][0] = _mm256_add_epi32(sums[p][0], _mm256_cvtepu8_epi32(low));
        sums[p][1] = _mm256_add_epi32(sums[p][1], _mm256_cvtepu8_epi32(_mm_srli_si128(low, 8)));
        sums[p][2] = _mm256_add_epi32(sums[p][2], _mm256_cvtepu8_epi32(high));
        sums[p][3] = _mm256_add_epi32(sums[p][3], _mm256_cvtepu8_epi32(_mm_srli_si128(high, 8)));
        bytes[p] = _mm256_setzero_si256();
      }
    };
    constexpr long kWordsInBytes = 7;  // 4 bytes of 8 bits each, seven times: 224.
    const uint8_t* weights = reinterpret_cast<const uint8_t*>(tile.weights);
    long room = kWordsInBytes;
    for (int segment = 0; segment < tile.segment_count; ++segment) {
      const uint8_t* from[P];
#pragma GCC unroll 4
      for (int p = 0; p < P; ++p) {
        from[p] = reinterpret_cast<const uint8_t*>(tile.pixels[p] + tile.segments[segment]);
      }
      for (long word = 0; word < tile.segment_words;) {
        const long left = tile.segment_words - word;
        const long end = word + (left < room ? left : room);
        room -= end - word;
        for (long byte = 4 * word; byte < 4 * end; ++byte, weights += kRow) {
          const __m256i row = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(weights));
          const __m256i low = _mm256_and_si256(row, half);
          const __m256i high = _mm256_and_si256(_mm256_srli_epi16(row, 4), half);
#pragma GCC unroll 4
          for (int p = 0; p < P; ++p) {
            const auto* tables = reinterpret_cast<const __m128i*>(kDifferenceTables.of[from[p][byte]]);
            const __m256i low_table = _mm256_broadcastsi128_si256(_mm_load_si128(tables));
            const __m256i high_table = _mm256_broadcastsi128_si256(_mm_load_si128(tables + 1));
            bytes[p] = _mm256_add_epi8(bytes[p], _mm256_shuffle_epi8(low_table, low));
            bytes[p] = _mm256_add_epi8(bytes[p], _mm256_shuffle_epi8(high_table, high));
          }
        }
        word = end;
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
