// Every table's dense arithmetic against double precision.
#include "support/check.h"
#include "support/data.h"

namespace lqfda::test {

// A sum of n products in float is off by at most n + 1 roundings of the sum of magnitudes.
TEST_TABLES(fully_connected) {
  Random random(21);
  for (int inputs : {0, 1, 2, 7, 16, 33, 100}) {
    for (int outputs : {1, 3, 8, 15, 16, 17, 64, 65}) {
      for (int rows : {0, 1, 3}) {
        for (bool biased : {false, true}) {
          Array<float> x(static_cast<size_t>(rows * inputs)), w(static_cast<size_t>(inputs * outputs));
          Array<float> bias(static_cast<size_t>(outputs)), y(static_cast<size_t>(rows * outputs));
          random.Fill(x);
          random.Fill(w);
          random.Fill(bias);
          kernels.vector.fully_connected(x.data(), w.data(), biased ? bias.data() : nullptr, rows, inputs, outputs,
                                         y.data());
          for (int at = 0; at < rows * outputs; ++at) {
            const int row = at / outputs, o = at % outputs;
            double sum = biased ? static_cast<double>(bias[static_cast<size_t>(o)]) : 0, magnitude = fabs(sum);
            for (int i = 0; i < inputs; ++i) {
              const double product = static_cast<double>(x[static_cast<size_t>(row * inputs + i)]) *
                                     static_cast<double>(w[static_cast<size_t>(i * outputs + o)]);
              sum += product;
              magnitude += fabs(product);
            }
            const double error = fabs(static_cast<double>(y[static_cast<size_t>(at)]) - sum);
            CHECK(error <= (inputs + 1) * 0x1p-24 * magnitude);
          }
        }
      }
    }
  }
}

// Within 2e-7, as vector.h says, from one end to the other; in steps that hit no pattern.
TEST_TABLES(logistic) {
  constexpr int kCount = 20001;
  Array<float> x(kCount), y(kCount);
  for (int i = 0; i < kCount; ++i) x[static_cast<size_t>(i)] = static_cast<float>(i - kCount / 2) * 0.01003f;
  kernels.vector.logistic(x.data(), kCount, y.data());
  double worst = 0;
  for (size_t i = 0; i < kCount; ++i) {
    const double error = fabs(static_cast<double>(y[i]) - 1 / (1 + exp(-static_cast<double>(x[i]))));
    worst = error > worst ? error : worst;
  }
  CHECK(worst <= 2e-7);
  for (int count = 0; count <= 40; ++count) {
    Array<float> from(static_cast<size_t>(count)), to(from.size());
    for (int i = 0; i < count; ++i) from[static_cast<size_t>(i)] = x[static_cast<size_t>(i * 500)];
    kernels.vector.logistic(from.data(), count, to.data());
    // However many there are, each is what it was.
    for (int i = 0; i < count; ++i) CHECK(to[static_cast<size_t>(i)] == y[static_cast<size_t>(i * 500)]);
  }
  const float odd[] = {0.0f, -0.0f, INFINITY, -INFINITY, 3e38f, -3e38f, NAN};
  const float expected[] = {0.5f, 0.5f, 1.0f, 0.0f, 1.0f, 0.0f, NAN};
  float actual[7];
  kernels.vector.logistic(odd, 7, actual);
  for (int i = 0; i < 6; ++i) CHECK(fabsf(actual[i] - expected[i]) <= 2e-7f);
  CHECK(actual[6] != actual[6]);
}

}  // namespace lqfda::test
