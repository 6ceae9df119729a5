// Networks that several tests use.
#pragma once
#include "support/network.h"

namespace lqfda::test {

// Two residual blocks with all that is fused, a pooling, excitation, packed and int8 outputs: something of everything.
inline void BuildMixed(Network& n) {
  int x = n.Input(kTfLiteFloat32, {4, {1, 8, 8, 32}});
  Conv conv;
  for (int block = 0; block < 2; ++block) {
    const int mean = n.Mean(x, false);
    const int shift = n.Reshape(n.Dense(n.Dense(mean, 8, kTfLiteActRelu), 32, kTfLiteActNone), {-1, 1, 1, 32});
    conv.pad_value = block;
    const int y = n.Prelu(n.Bconv(n.Quantize(n.Add(x, shift)), conv));
    x = n.Add(n.Mul(y, n.Logistic(shift)), x);
  }
  n.Output(x);
  conv.type = kTfLiteInt32;
  conv.outputs = 40;
  const int packed = n.MaxPool(n.Bconv(n.Quantize(x), conv), 2, 2, Padding::kSame);
  n.Output(n.Dequantize(packed, kTfLiteInt8));
  conv.type = kTfLiteInt8;
  conv.outputs = 16;
  const int outside = n.PackedInput({4, {1, 4, 4, 32}});
  n.Output(n.Quantize(n.Bconv(outside, conv)));
  n.Output(packed);
}

// Large enough for several threads: more than 2^21 operations a convolution, 2^15 numbers a map.
inline void BuildLarge(Network& n) {
  int x = n.Input(kTfLiteFloat32, {4, {1, 32, 32, 64}});
  Conv conv;
  conv.outputs = 64;
  for (int block = 0; block < 2; ++block) {
    const int y = n.Bconv(n.Quantize(n.Add(x, n.Vector(64))), conv);
    x = n.Prelu(n.Add(x, y));
  }
  x = n.Add(x, n.Input(kTfLiteFloat32, {4, {1, 1, 1, 64}}));  // Another vector for each image of a map.
  n.Output(x);
  conv.type = kTfLiteInt32;
  conv.outputs = 44;  // Blocks that share words.
  n.Output(n.Bconv(n.Quantize(x), conv));
}

}  // namespace lqfda::test
