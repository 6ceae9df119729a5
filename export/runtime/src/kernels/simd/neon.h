// NEON: `cnt` counts the bits of every byte. Counts stay in bytes for as many words as a byte can hold (31 times 8),
// then widen by pairwise additions. 64-bit ARM has 32 vector registers, 32-bit ARM has 16.
#pragma once
#include <arm_neon.h>
#include <stdint.h>

namespace lqfda {
namespace {

struct Neon {
  static constexpr int kLanes = 4;
#if defined(__aarch64__)
  static constexpr int kVectors = 4;
  static constexpr int kPixels = 4;
#else
  static constexpr int kVectors = 2;
  static constexpr int kPixels = 2;
#endif
  static constexpr int kMapPixels = kPixels;
  using Floats = float32x4_t;
  using Ints = int32x4_t;

  static Floats Load(const float* from) { return vld1q_f32(from); }
  static void Store(float* to, Floats x) { vst1q_f32(to, x); }
  static void StoreInts(int32_t* to, Ints x) { vst1q_s32(to, x); }
  static Floats Broadcast(float x) { return vdupq_n_f32(x); }
  static Floats Add(Floats a, Floats b) { return vaddq_f32(a, b); }
  static Floats Mul(Floats a, Floats b) { return vmulq_f32(a, b); }
  // As on x86: the second one where they are equal zeros or either is NaN.
  static Floats Min(Floats a, Floats b) { return vbslq_f32(vcltq_f32(a, b), a, b); }
  static Floats Max(Floats a, Floats b) { return vbslq_f32(vcgtq_f32(a, b), a, b); }
  static Floats Prelu(Floats x, Floats slope) {
    return vbslq_f32(vcltq_f32(x, vdupq_n_f32(0.0f)), vmulq_f32(x, slope), x);
  }
  static uint32_t Negative(Floats x) {
    static const uint32_t kBits[4] = {1, 2, 4, 8};
    const uint32x4_t bits = vandq_u32(vcltq_f32(x, vdupq_n_f32(0.0f)), vld1q_u32(kBits));
#if defined(__aarch64__)
    return vaddvq_u32(bits);
#else
    const uint32x2_t pair = vorr_u32(vget_low_u32(bits), vget_high_u32(bits));
    return vget_lane_u32(pair, 0) | vget_lane_u32(pair, 1);
#endif
  }
  static Floats ToFloats(Ints x) { return vcvtq_f32_s32(x); }
  static Ints LoadInts(const int32_t* from) { return vld1q_s32(from); }
  static Ints AddInts(Ints a, Ints b) { return vaddq_s32(a, b); }
  static Ints Double(Ints x) { return vshlq_n_s32(x, 1); }
  static Ints Clamp(Ints x, int32_t low, int32_t high) {
    return vmaxq_s32(vminq_s32(x, vdupq_n_s32(high)), vdupq_n_s32(low));
  }

  template <int P, class Tile>
  static inline __attribute__((always_inline)) void Count(const Tile& tile, Ints (&sums)[P][kVectors]) {
    uint8x16_t bytes[P][kVectors];
#pragma GCC unroll 4
    for (int p = 0; p < P; ++p) {
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) {
        sums[p][v] = vdupq_n_s32(0);
        bytes[p][v] = vdupq_n_u8(0);
      }
    }
    const auto widen = [&]() __attribute__((always_inline)) {
#pragma GCC unroll 4
      for (int p = 0; p < P; ++p) {
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) {
          const uint16x8_t pairs = vpaddlq_u8(bytes[p][v]);
          sums[p][v] = vreinterpretq_s32_u32(vpadalq_u16(vreinterpretq_u32_s32(sums[p][v]), pairs));
          bytes[p][v] = vdupq_n_u8(0);
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
        for (; word < end; ++word, weights += kVectors * kLanes) {
          uint32x4_t row[kVectors];
#pragma GCC unroll 4
          for (int v = 0; v < kVectors; ++v) row[v] = vld1q_u32(weights + v * kLanes);
#pragma GCC unroll 4
          for (int p = 0; p < P; ++p) {
            const uint32x4_t pixel = vld1q_dup_u32(from[p] + word);
#pragma GCC unroll 4
            for (int v = 0; v < kVectors; ++v) {
              const uint8x16_t differing = vreinterpretq_u8_u32(veorq_u32(pixel, row[v]));
              bytes[p][v] = vaddq_u8(bytes[p][v], vcntq_u8(differing));
            }
            // Computes nothing, but keeps clang from adding up the counts of several words first, which takes moves: by
            // llvm-mca 2.29 cycles for 128 multiply-accumulates instead of 1.78.
#pragma GCC unroll 4
            for (int v = 0; v < kVectors; ++v) __asm__ volatile("" : "+w"(bytes[p][v]));
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
