// AVX2: there is no vector popcount, but `pshufb` looks up 32 bytes at once in a table of 16. For four bits of each of
// two pixels there is a table that holds, for each of the sixteen values that a weight's four bits can have, how many
// differ, one pixel's in the lower half of a byte and the other's in the upper half: one lookup counts 4 bits of 32
// channels and 2 pixels. The halves hold the sum of three lookups, then they are taken apart.
#pragma once
#include <immintrin.h>
#include <stdint.h>
#include <string.h>

namespace lqfda {
namespace {

// For four bits of a pixel and, above them, four of another: how they differ from each of the sixteen values.
struct DifferenceTables {
  alignas(64) uint8_t of[256 * 16];
  constexpr DifferenceTables() : of() {
    for (int pair = 0; pair < 256; ++pair) {
      for (int value = 0; value < 16; ++value) {
        const int x = pair ^ value * 17;
        const int twos = (x & 0x55) + (x >> 1 & 0x55);
        of[pair * 16 + value] = static_cast<uint8_t>((twos & 0x33) + (twos >> 2 & 0x33));
      }
    }
  }
};

constexpr DifferenceTables kDifferenceTables;

struct Avx2 {
  static constexpr int kLanes = 8;
  static constexpr int kVectors = 4;
  static constexpr int kPixels = 8;
  static constexpr int kMapPixels = 2;  // As many as the 16 registers hold.
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

  // Brings a row of 32 words, one a channel, into eight rows of their first four bits, second four bits and so on, a
  // byte a channel: the loop has no time to take bytes apart. In a row the channels of the first half stand at even
  // places, so that counts widen by taking every other byte.
  static constexpr int kWeightWords = 2;
  static void ArrangeWeights(const uint32_t* row, uint32_t* arranged) {
    uint8_t bytes[8 * kRow];
    for (int channel = 0; channel < kRow; ++channel) {
      const int place = channel % 16 * 2 + channel / 16;
      for (int i = 0; i < 8; ++i) bytes[i * kRow + place] = row[channel] >> (4 * i) & 15;
    }
    memcpy(arranged, bytes, sizeof(bytes));
  }

  // As many words as counts in bytes hold: 8 lookups of up to 4, seven times, are 224.
  static constexpr int kWordsInBytes = 7;
  // As many words as are located in one go: a window of 3 by 3 by 512 channels. Its counts fit into 16 bits.
  static constexpr int kSpan = 144;

  // The places of a pair's tables, in bytes: of the first, second, third and fourth four bits in every 16. Eight words
  // are written at a time, and so beyond the last one.
  using Places = uint16_t[4][2 * (kSpan + 8)];

  // Locates the tables of some words, at most 8, the `at`th and those behind it. No other words are read.
  static inline __attribute__((always_inline)) void Locate(const uint32_t* first, const uint32_t* second, int words,
                                                           int at, Places& places) {
    alignas(64) static constexpr int32_t kMask[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
    const __m256i mask = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kMask + 8 - words));
    const __m256i x = _mm256_maskload_epi32(reinterpret_cast<const int*>(first), mask);
    const __m256i y = _mm256_maskload_epi32(reinterpret_cast<const int*>(second), mask);
    // Both pixels' bits in a byte, which is the table's number; a table takes 16 bytes.
    const __m256i half = _mm256_set1_epi8(15), place = _mm256_set1_epi16(0xff0);
    const __m256i low = _mm256_or_si256(_mm256_and_si256(x, half), _mm256_slli_epi16(_mm256_and_si256(y, half), 4));
    const __m256i high = _mm256_or_si256(_mm256_and_si256(_mm256_srli_epi16(x, 4), half), _mm256_andnot_si256(half, y));
    const auto store = [&](int i, __m256i pairs) __attribute__((always_inline)) {
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(places[i] + 2 * at), _mm256_and_si256(pairs, place));
    };
    store(0, _mm256_slli_epi16(low, 4));
    store(1, _mm256_slli_epi16(high, 4));
    store(2, _mm256_srli_epi16(low, 4));
    store(3, _mm256_srli_epi16(high, 4));
  }

  // Adds up the counts of a few words in 16 bits: [pixel][half of the channels].
  template <int P>
  static inline __attribute__((always_inline)) void CountWords(const Places (&places)[P / 2], int begin, int end,
                                                               const uint8_t* weights, __m256i (&halves)[P][2]) {
    constexpr int kPairs = P / 2;
    // The sums of a pair's lookups, and of these shifted by four bits.
    __m256i both[kPairs], upper[kPairs];
#pragma GCC unroll 4
    for (int pair = 0; pair < kPairs; ++pair) both[pair] = upper[pair] = _mm256_setzero_si256();
    for (int word = begin; word < end; ++word, weights += 8 * kRow) {
      const auto find = [&](int pair, int lookup) __attribute__((always_inline)) {
        const uint8_t* table = kDifferenceTables.of + places[pair][lookup % 4][2 * word + lookup / 4];
        return _mm256_shuffle_epi8(
            _mm256_broadcastsi128_si256(_mm_load_si128(reinterpret_cast<const __m128i*>(table))),
            _mm256_loadu_si256(reinterpret_cast<const __m256i*>(weights + lookup * kRow)));
      };
#pragma GCC unroll 3
      for (int lookup = 0; lookup < 8; lookup += 3) {
#pragma GCC unroll 4
        for (int pair = 0; pair < kPairs; ++pair) {
          __m256i some = _mm256_add_epi8(find(pair, lookup), find(pair, lookup + 1));
          if (lookup < 6) some = _mm256_add_epi8(some, find(pair, lookup + 2));
          both[pair] = _mm256_add_epi8(both[pair], some);
          upper[pair] = _mm256_add_epi8(upper[pair], _mm256_srli_epi16(some, 4));
          // In this order all of it fits into 16 registers. Without the barrier GCC chooses another one, and spills.
          __asm__("" : "+x"(both[pair]), "+x"(upper[pair]));
        }
      }
    }
    // Shifts are of 16 bits, so the lower half of an odd byte gets into the even byte of `upper`; taking it out here is
    // cheaper than a mask in the loop. With the counts a, c of the first pixel and b, d of the second, in an even
    // and an odd byte, `both` holds a + 16 b and c + 16 d, and `upper` b + 16 c and d, all modulo 256.
#pragma GCC unroll 4
    for (int pair = 0; pair < kPairs; ++pair) {
      const __m256i low = _mm256_set1_epi16(255);
      const auto less = [&](__m256i x, __m256i y) __attribute__((always_inline)) {
        return _mm256_and_si256(_mm256_sub_epi16(x, _mm256_slli_epi16(y, 4)), low);
      };
      const __m256i d = _mm256_srli_epi16(upper[pair], 8);
      const __m256i c = less(_mm256_srli_epi16(both[pair], 8), d);
      const __m256i b = less(upper[pair], c);
      const __m256i a = less(both[pair], b);
      halves[2 * pair][0] = _mm256_add_epi16(halves[2 * pair][0], a);
      halves[2 * pair][1] = _mm256_add_epi16(halves[2 * pair][1], c);
      halves[2 * pair + 1][0] = _mm256_add_epi16(halves[2 * pair + 1][0], b);
      halves[2 * pair + 1][1] = _mm256_add_epi16(halves[2 * pair + 1][1], d);
    }
  }

  template <int P, class Tile>
  static inline __attribute__((always_inline)) void Count(const Tile& tile, Ints (&sums)[P][kVectors]) {
    const uint8_t* weights = reinterpret_cast<const uint8_t*>(tile.weights);
    bool first = true;
    // Locating a whole window first keeps loads away from the stores that they depend on.
    for (int segment = 0, word = 0; segment < tile.segment_count; first = false) {
      Places places[P / 2];
      int words = 0;
      while (words < kSpan && segment < tile.segment_count) {
        const long at = tile.segments[segment] + word;
        const int left = tile.segment_words - word, room = kSpan - words, some = left < room ? left : room;
        const int run = some < 8 ? some : 8;
#pragma GCC unroll 4
        for (int pair = 0; pair < P / 2; ++pair) {
          Locate(tile.pixels[2 * pair] + at, tile.pixels[2 * pair + 1] + at, run, words, places[pair]);
        }
        words += run;
        word += run;
        if (word == tile.segment_words) word = 0, ++segment;
      }
      __m256i halves[P][2];
#pragma GCC unroll 8
      for (int p = 0; p < P; ++p) halves[p][0] = halves[p][1] = _mm256_setzero_si256();
      for (int begin = 0; begin < words; begin += kWordsInBytes) {
        const int end = begin + kWordsInBytes < words ? begin + kWordsInBytes : words;
        CountWords<P>(places, begin, end, weights, halves);
        weights += (end - begin) * 8 * kRow;
      }
#pragma GCC unroll 8
      for (int p = 0; p < P; ++p) {
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) {
          const __m256i from = halves[p][v / 2];
          const __m128i eight = v % 2 == 0 ? _mm256_castsi256_si128(from) : _mm256_extracti128_si256(from, 1);
          const __m256i wide = _mm256_cvtepu16_epi32(eight);
          sums[p][v] = first ? wide : _mm256_add_epi32(sums[p][v], wide);
        }
      }
    }
  }
};

}  // namespace
}  // namespace lqfda
