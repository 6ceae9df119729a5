// Plain loops that the compiler turns into each processor's vector code; included by the tables alone.
#pragma once
#include <stdint.h>
#include <string.h>

#include "kernels/vector/vector.h"

namespace lqfda {
namespace {

inline void FullyConnected(const float* inputs, const float* weights, const float* bias, int rows, int input_count,
                           int output_count, float* outputs) {
  for (int row = 0; row < rows; ++row, inputs += input_count, outputs += output_count) {
    float* __restrict sums = outputs;
    for (int o = 0; o < output_count; ++o) sums[o] = bias == nullptr ? 0.0f : bias[o];
    for (int i = 0; i < input_count; ++i) {
      const float* __restrict from = weights + static_cast<long>(i) * output_count;
      const float input = inputs[i];
      for (int o = 0; o < output_count; ++o) sums[o] += input * from[o];
    }
  }
}

// exp(x) = 2^n exp(r) with n = round(x / ln 2) and |r| <= ln 2 / 2; exp(r) by its Taylor series to r^7.
inline float Exp(float x) {
  x = x < -87.0f ? -87.0f : x > 87.0f ? 87.0f : x;
  constexpr float kRound = 12582912.0f;  // 1.5 * 2^23: adding it leaves the nearest integer in the low bits.
  const float shifted = x * 1.44269504f + kRound;
  const float n = shifted - kRound;
  const float r = (x - n * 0.693145752f) - n * 1.42860677e-6f;  // ln 2 in two parts.
  const float series =
      1.0f +
      r * (1.0f +
           r * (0.5f + r * (1.66666667e-1f +
                            r * (4.16666667e-2f + r * (8.33333333e-3f + r * (1.38888889e-3f + r * 1.98412698e-4f))))));
  uint32_t bits;
  memcpy(&bits, &shifted, sizeof(bits));
  const uint32_t power = (bits << 23) + (127u << 23);
  float scale;
  memcpy(&scale, &power, sizeof(scale));
  return series * scale;
}

inline void Logistic(const float* __restrict inputs, int count, float* __restrict outputs) {
  for (int i = 0; i < count; ++i) outputs[i] = 1.0f / (1.0f + Exp(-inputs[i]));
}

}  // namespace
}  // namespace lqfda
