// Small dense arithmetic on vectors: the perceptrons that excite channels.
#pragma once

namespace lqfda {

struct VectorKernels {
  // outputs[row][o] = sum_i inputs[row][i] * weights[i][o] + bias[o]; bias may be null. Weights are transposed against
  // TensorFlow Lite's, so that the loop over outputs is the inner one.
  void (*fully_connected)(const float* inputs, const float* weights, const float* bias, int rows, int input_count,
                          int output_count, float* outputs);
  // outputs[i] = 1 / (1 + exp(-inputs[i])), within 2e-7.
  void (*logistic)(const float* inputs, int count, float* outputs);
};

}  // namespace lqfda
