// Whole networks through the delegate, against plain kernels: all tables, with and without fusion, one thread and more,
// batches that change.
#include <stdio.h>

#include "support/check.h"
#include "support/network.h"

namespace lqfda::test {
namespace {

using Build = void (*)(Network&);

// Gives the inputs the sizes of a round.
using Resize = bool (*)(Network&, int round);

constexpr int kRounds = 4;
constexpr int kRuns = 2;  // Of a round: nothing of the first may be left in the second.

bool ResizeBatches(Network& n, int round) {
  constexpr int kBatches[kRounds] = {1, 3, 0, 2};
  return n.ResizeBatch(kBatches[round]);
}

// What a network without a delegate computes, for every round and run.
class Expected {
 public:
  Expected(Build build, Resize resize, uint64_t seed) : network_(seed) {
    build(network_);
    outputs = network_.output_count;
    for (int round = 0; round < kRounds; ++round) {
      CHECK(resize(network_, round) && network_.interpreter.Allocate());
      for (int run = 0; run < kRuns; ++run) {
        network_.FillInputs(seed + static_cast<uint64_t>(run));
        CHECK(network_.interpreter.Invoke());
        for (int i = 0; i < outputs; ++i) Keep(i);
      }
    }
  }
  Expected(const Expected&) = delete;
  ~Expected() {
    for (int i = 0; i < kept_; ++i) free(kept[i].data);
  }

  struct Kept {
    TfLiteType type;
    Shape shape;
    void* data;
  };
  Kept kept[8 * kRuns * kRounds];  // In the order of rounds, runs and outputs.
  int outputs;

 private:
  void Keep(int output) {
    const TfLiteTensor& tensor = network_.interpreter.tensor(network_.outputs[output]);
    Kept& k = kept[kept_++];
    k.type = tensor.type;
    k.shape = network_.ShapeOfTensor(network_.outputs[output]);
    const size_t bytes = static_cast<size_t>(k.shape.count()) * SizeOf(k.type);
    k.data = malloc(bytes + 1);
    memcpy(k.data, tensor.data, bytes);
  }

  Network network_;
  int kept_ = 0;
};

// Numbers may differ by `tolerance`.
void ExpectSameOutput(Network& network, int output, const Expected::Kept& expected, double tolerance) {
  const Shape shape = network.ShapeOfTensor(network.outputs[output]);
  if (!CHECK_EQ(shape.rank, expected.shape.rank)) return;
  for (int k = 0; k < shape.rank; ++k) {
    if (!CHECK_EQ(shape.sizes[k], expected.shape.sizes[k])) return;
  }
  const void* data = network.interpreter.tensor(network.outputs[output]).data;
  const auto count = static_cast<size_t>(shape.count());
  if (tolerance == 0 || expected.type != kTfLiteFloat32) {
    CHECK_EQ(memcmp(data, expected.data, count * SizeOf(expected.type)), 0);
    return;
  }
  for (size_t k = 0; k < count; ++k) {
    const double x = static_cast<double>(static_cast<const float*>(expected.data)[k]);
    const double difference = fabs(static_cast<double>(static_cast<const float*>(data)[k]) - x);
    CHECK(difference <= tolerance * (1 + fabs(x)));
  }
}

void ExpectSameRun(Build build, Resize resize, uint64_t seed, const char* options, const Expected& expected,
                   double tolerance) {
  Network network(seed);
  build(network);
  TfLiteDelegate* delegate = NewDelegate(options);
  if (!CHECK(delegate != nullptr)) return;
  CHECK(network.interpreter.Apply(delegate) && network.interpreter.delegated() > 0);
  const Expected::Kept* kept = expected.kept;
  for (int round = 0; round < kRounds; ++round) {
    CHECK(resize(network, round));
    if (!CHECK(network.interpreter.Allocate())) break;
    for (int run = 0; run < kRuns; ++run) {
      network.FillInputs(seed + static_cast<uint64_t>(run));
      CHECK(network.interpreter.Invoke());
      for (int i = 0; i < expected.outputs; ++i) ExpectSameOutput(network, i, *kept++, tolerance);
    }
  }
  CHECK_EQ(network.interpreter.error()[0], 0);
  network.interpreter.ForgetDelegate();
  tflite_plugin_destroy_delegate(delegate);
}

// With every table that this processor runs.
void ExpectSame(Build build, uint64_t seed = 1, double tolerance = 0, Resize resize = ResizeBatches) {
  const Expected expected(build, resize, seed);
  for (Isa isa : kIsas) {
    if (KernelsFor(isa) == nullptr || !IsaIsAvailable(isa)) continue;
    for (const char* rest : {"fuse=true num_threads=1", "fuse=false num_threads=1", "fuse=true num_threads=3"}) {
      char options[128];
      snprintf(options, sizeof(options), "isa=%s %s", IsaName(isa), rest);
      ExpectSameRun(build, resize, seed, options, expected, tolerance);
    }
  }
}

constexpr int kWidths[] = {1, 8, 31, 32, 33, 63, 64, 65, 100};

}  // namespace

TEST(network_quantize) {
  for (int channels : kWidths) {
    static int width;
    width = channels;
    ExpectSame([](Network& n) {
      n.Output(n.Quantize(n.Input(kTfLiteFloat32, {4, {1, 3, 5, width}})));
      n.Output(n.Quantize(n.Input(kTfLiteInt8, {4, {1, 3, 5, width}})));
      n.Output(n.Quantize(n.Input(kTfLiteBool, {2, {1, width}})));
    });
    ExpectSame([](Network& n) {
      const int packed = n.PackedInput({4, {1, 4, 3, width}});
      n.Output(n.Dequantize(packed));
      n.Output(n.Dequantize(packed, kTfLiteInt8));
      n.Output(n.Dequantize(packed, kTfLiteBool));
    });
  }
}

TEST(network_bconv) {
  for (int channels : kWidths) {
    for (int variant = 0; variant < 6; ++variant) {
      static int width, kind;
      width = channels;
      kind = variant;
      ExpectSame([](Network& n) {
        Conv conv;
        conv.outputs = 101 - width;
        conv.rows = 1 + kind % 4;
        conv.columns = 1 + kind / 2;
        conv.padding = kind % 2 == 0 ? Padding::kSame : Padding::kValid;
        conv.pad_value = kind / 2 % 2;
        conv.stride = 1 + kind / 3;
        conv.dilation = 1 + kind % 2;
        conv.float_weights = kind == 3;
        const int signs = n.PackedInput({4, {1, 7, 6, width}});
        for (TfLiteType type : {kTfLiteFloat32, kTfLiteInt8, kTfLiteInt32}) {
          conv.type = type;
          n.Output(n.Bconv(signs, conv));
        }
        conv.type = kTfLiteFloat32;
        conv.activation = 1 + kind % 3;
        n.Output(n.Bconv(signs, conv));
      });
    }
  }
}

// Groups whose output channels fill no word and no block of a kernel.
TEST(network_groups) {
  for (int each : {1, 4, 8, 12, 16, 20, 32, 40}) {
    static int outputs_of_group;
    outputs_of_group = each;
    ExpectSame([](Network& n) {
      Conv conv;
      conv.groups = 2;
      conv.outputs = 2 * outputs_of_group;
      const int signs = n.Quantize(n.Input(kTfLiteFloat32, {4, {1, 5, 5, 64}}));
      for (int pad_value : {0, 1}) {
        conv.pad_value = pad_value;
        for (TfLiteType type : {kTfLiteFloat32, kTfLiteInt8, kTfLiteInt32}) {
          conv.type = type;
          n.Output(n.Bconv(signs, conv));
        }
        conv.type = kTfLiteFloat32;
        n.Output(n.Quantize(n.Add(n.Bconv(signs, conv), n.Vector(conv.outputs))));
      }
    });
  }
}

TEST(network_packed_chain) {
  ExpectSame([](Network& n) {
    Conv packed;
    packed.type = kTfLiteInt32;
    packed.outputs = 48;
    int x = n.Quantize(n.Input(kTfLiteFloat32, {4, {1, 9, 8, 40}}));
    x = n.Bconv(x, packed);
    x = n.MaxPool(x, 3, 2, Padding::kSame);
    packed.outputs = 33;
    packed.pad_value = 0;
    x = n.Bconv(x, packed);
    x = n.MaxPool(x, 2, 1, Padding::kValid);
    n.Output(x);
    n.Output(n.Dequantize(x));
  });
}

// A packed value that leaves the partition and is read inside with a border; two convolutions with other borders.
TEST(network_borders) {
  ExpectSame([](Network& n) {
    const int signs = n.Quantize(n.Input(kTfLiteFloat32, {4, {1, 6, 7, 64}}));
    Conv conv;
    conv.rows = 5;
    conv.columns = 2;
    n.Output(n.Bconv(signs, conv));
    conv.rows = 2;
    conv.columns = 7;
    conv.pad_value = 0;
    n.Output(n.Bconv(signs, conv));
    n.Output(signs);
    const int outside = n.PackedInput({4, {1, 6, 7, 32}});
    n.Output(n.Bconv(outside, conv));
    conv.rows = 4;
    n.Output(n.Bconv(outside, conv));
    n.Output(n.MaxPool(outside, 2, 2, Padding::kSame));
  });
}

TEST(network_residual_blocks) {
  for (int channels : {24, 32, 64, 72}) {
    static int width;
    width = channels;
    ExpectSame([](Network& n) {
      int x = n.Input(kTfLiteFloat32, {4, {1, 6, 6, width}});
      for (int block = 0; block < 4; ++block) {
        Conv conv;
        conv.outputs = width;
        conv.pad_value = block % 2;
        int y = n.Bconv(n.Quantize(n.Add(x, n.Vector(width))), conv);
        if (block == 1) y = n.Prelu(y);
        y = block % 2 == 0 ? n.Add(y, x) : n.Add(x, y, kTfLiteActReluN1To1);
        if (block == 2) y = n.Mul(y, n.Vector(width, 0.5f), kTfLiteActRelu6);
        x = n.Add(n.Prelu(n.Add(y, n.Vector(width))), n.Vector(width));
      }
      n.Output(x);
    });
  }
}

// More stages than a step takes, values with several readers, a value with itself, maps times maps.
TEST(network_elementwise) {
  ExpectSame([](Network& n) {
    Conv conv;
    const int input = n.Input(kTfLiteFloat32, {4, {1, 5, 4, 32}});
    int x = n.Bconv(n.Quantize(input), conv);
    for (int i = 0; i < 12; ++i) x = i % 3 == 2 ? n.Prelu(x) : n.Add(x, n.Vector(32));
    n.Output(x);
    const int doubled = n.Add(x, x);
    n.Output(n.Quantize(doubled));
    const int squares = n.Mul(input, input);
    const int y = n.Mul(n.Bconv(n.Quantize(squares), conv), squares, kTfLiteActRelu);
    n.Output(n.Quantize(n.Add(n.Vector(32), y)));
    n.Output(n.Quantize(n.Mul(y, n.Vector(32, 0.25f))));
    n.Output(n.Bconv(n.Quantize(n.Add(y, doubled)), conv));
  });
}

// Constants that are as large as the map of one image: two images share them.
TEST(network_constant_maps) {
  ExpectSame([](Network& n) {
    const int y = n.Bconv(n.PackedInput({4, {1, 5, 4, 32}}), Conv()), other = n.Constant({4, {1, 5, 4, 32}});
    n.Output(n.Quantize(n.Mul(n.Add(y, other), n.Constant({3, {5, 4, 32}}, 0.25f), kTfLiteActRelu6)));
    n.Output(n.Add(other, y));
  });
}

// A file that leaves sizes open has ones in their place, whichever of its inputs is broadcast later.
TEST(network_open_sizes) {
  const auto build = [](Network& n) {
    const int x = n.Input(kTfLiteFloat32, {4, {1, 1, 1, 32}}), y = n.Input(kTfLiteFloat32, {4, {1, 1, 1, 32}});
    const int map = n.Bconv(n.Quantize(x), Conv());
    const int product = n.Mul(map, y);
    n.Output(product);
    n.Output(n.Quantize(n.Prelu(n.Add(y, map, kTfLiteActRelu))));
    n.Output(n.Quantize(n.Add(n.Add(map, product), y)));
    // The copy of a value that a step before made.
    n.Output(n.Quantize(n.Add(n.Bconv(n.Quantize(x), Conv()), n.Add(y, n.Vector(32)))));
    n.Output(n.Quantize(n.Prelu(n.Input(kTfLiteFloat32, {2, {1, 1}}))));
  };
  const auto resize = [](Network& n, int round) {
    static constexpr Shape kSizes[kRounds][3] = {
        {{4, {2, 6, 5, 32}}, {4, {2, 6, 1, 32}}, {2, {3, 40}}},
        {{4, {3, 4, 5, 32}}, {4, {1, 1, 5, 32}}, {2, {1, 33}}},
        {{4, {1, 6, 1, 32}}, {4, {2, 1, 5, 32}}, {2, {2, 1}}},
        {{4, {2, 3, 4, 32}}, {4, {2, 1, 1, 1}}, {2, {0, 40}}},
    };
    bool done = true;
    for (int i = 0; i < 3; ++i) done = done && n.interpreter.Resize(n.inputs[i], kSizes[round][i]);
    return done;
  };
  ExpectSame(build, 1, 0, resize);
}

// Shifts and scales that depend on the image; sizes of which means are exact.
TEST(network_excitation) {
  for (bool keep : {false, true}) {
    static bool keep_dims;
    keep_dims = keep;
    const Build build = [](Network& n) {
      int x = n.Input(kTfLiteFloat32, {4, {1, 4, 8, 32}});
      for (int block = 0; block < 2; ++block) {
        const int mean = n.Mean(x, keep_dims);
        const int hidden = n.Dense(mean, 8, kTfLiteActRelu, keep_dims, block == 0);
        int shift = n.Dense(hidden, 32, kTfLiteActNone, keep_dims),
            scale = n.Logistic(n.Dense(hidden, 32, kTfLiteActNone, keep_dims));
        if (!keep_dims) {
          shift = n.Reshape(shift, {-1, 1, 1, 32});
          scale = n.Reshape(scale, {-1, 1, 1, 32});
        }
        Conv conv;
        const int y = n.Bconv(n.Quantize(n.Add(x, shift)), conv);
        x = n.Add(n.Mul(y, scale), x);
      }
      n.Output(x);
    };
    // LOGISTIC within 2e-7, on numbers up to a few hundred, and sums behind it.
    ExpectSame(build, 1, 2e-5);
  }
}

// What a convolution's numbers meet is made after it: the excitation's scale, and another convolution.
TEST(network_late_operands) {
  ExpectSame([](Network& n) {
    const int x = n.Input(kTfLiteFloat32, {4, {1, 4, 4, 32}});
    const int signs = n.Quantize(x), y = n.Bconv(signs, Conv());
    const int scale = n.Reshape(n.Dense(n.Mean(x, false), 32, kTfLiteActRelu), {-1, 1, 1, 32});
    const int scaled = n.Mul(y, scale);
    const int other = n.Mul(n.Bconv(n.Quantize(n.Add(x, n.Vector(32))), Conv()), scale);
    n.Output(n.Quantize(n.Add(n.Add(scaled, other), n.Prelu(x))));
    const int map = n.Bconv(signs, Conv());
    const int shift = n.Dense(n.Mean(x, true), 32, kTfLiteActNone, true);
    n.Output(n.Bconv(n.Quantize(n.Add(map, shift)), Conv()));
  });
}

// Random sequences of what there is.
TEST(network_random) {
  for (uint64_t seed = 1; seed <= 150; ++seed) {
    ExpectSame(
        [](Network& n) {
          Random& r = n.random;
          int channels = r.Coin() ? 32 * r.Between(1, 3) : r.Between(1, 70);
          int x = n.Input(kTfLiteFloat32, {4, {1, r.Between(1, 9), r.Between(1, 9), channels}});
          for (int block = r.Between(1, 4); block > 0; --block) {
            const int before = x;
            int shifted = r.Coin() ? n.Add(x, n.Vector(channels)) : x;
            int signs = n.Quantize(shifted);
            if (r.Below(4) == 0) signs = n.MaxPool(signs, r.Between(1, 3), r.Between(1, 2), Padding::kSame);
            Conv conv;
            conv.groups = channels % 64 == 0 && r.Coin() ? 2 : 1;
            conv.rows = r.Between(1, 4);
            conv.columns = r.Between(1, 4);
            conv.stride = r.Below(4) == 0 ? 2 : 1;
            conv.dilation = r.Below(4) == 0 ? 2 : 1;
            conv.pad_value = r.Below(2);
            if (r.Below(4) == 0) {
              conv.type = kTfLiteInt32;
              conv.outputs = conv.groups * r.Between(1, 40);
              signs = n.Bconv(signs, conv);
              conv.type = kTfLiteFloat32;
              conv.groups = 1;
            }
            conv.outputs = conv.groups * (r.Coin() ? channels / conv.groups : r.Between(1, 50));
            conv.activation = r.Below(6) == 0 ? r.Between(1, 3) : 0;
            x = n.Bconv(signs, conv);
            channels = conv.outputs;
            for (int stages = r.Below(5); stages > 0; --stages) {
              const Shape a = n.ShapeOfTensor(x), b = n.ShapeOfTensor(before);
              const bool fits = a.count() == b.count() && memcmp(&a, &b, sizeof(int) * 5) == 0;
              const auto activation = static_cast<TfLiteFusedActivation>(r.Below(8) == 0 ? r.Between(1, 3) : 0);
              switch (r.Below(5)) {
                case 0:
                  x = n.Prelu(x);
                  break;
                case 1:
                  x = n.Add(x, n.Vector(channels), activation);
                  break;
                case 2:
                  x = n.Mul(n.Vector(channels, 0.25f), x, activation);
                  break;
                case 3:
                  x = fits ? n.Add(before, x, activation) : x;
                  break;
                default:
                  x = fits ? n.Add(x, shifted, activation) : n.Add(x, x);
              }
            }
            if (r.Below(5) == 0) n.Output(x);
          }
          n.Output(r.Coin() ? n.Quantize(x) : x);
        },
        seed);
  }
}

}  // namespace lqfda::test
