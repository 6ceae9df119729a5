// The delegate and its interpreter: options, claims, report, and what it refuses.
#include <stdio.h>
#include <unistd.h>

#include "support/check.h"
#include "support/hooks.h"
#include "support/json.h"
#include "support/networks.h"

namespace lqfda::test {
namespace {

// A network with a delegate, from beginning to end.
struct Session {
  explicit Session(void (*build)(Network&), const char* options = "") : network(1), delegate(NewDelegate(options)) {
    if (build != nullptr) build(network);
  }
  ~Session() {
    network.interpreter.ForgetDelegate();
    tflite_plugin_destroy_delegate(delegate);
  }

  Interpreter& interpreter() { return network.interpreter; }
  bool Apply() { return delegate != nullptr && interpreter().Apply(delegate); }
  bool Start() { return Apply() && interpreter().Allocate(); }
  const char* Report() { return lq_fda_delegate_report(delegate); }

  Network network;
  TfLiteDelegate* delegate;
};

void ExpectRefused(const char* options, const char* part) {
  TfLiteDelegate* delegate = NewDelegate(options);
  CHECK(delegate == nullptr);
  CHECK_TEXT(RefusalText(), part);
  CHECK_TEXT(RefusalText(), "Received: ");
  tflite_plugin_destroy_delegate(delegate);
}

// One convolution whose parts a test may spoil.
void BuildOne(Network& n) { n.Output(n.Bconv(n.PackedInput({4, {1, 5, 5, 64}}), Conv())); }

// Applies a delegate to BuildOne after `spoil`; it must fail with a message that names the node and holds `part`.
void ExpectSpoiled(void (*spoil)(Interpreter&, TfLiteNode&), const char* part) {
  Session session(BuildOne);
  spoil(session.interpreter(), session.interpreter().node(0).node);
  CHECK(!session.Start());
  CHECK_TEXT(session.interpreter().error(), "node 0 cannot be run");
  CHECK_TEXT(session.interpreter().error(), part);
  CHECK(Json::Holds(session.Report()));
}

}  // namespace

TEST(delegate_options_are_checked) {
  ExpectRefused("num_thread=2", "no such option");
  ExpectRefused("num_threads=two", "bad option");
  ExpectRefused("num_threads=", "bad option");
  ExpectRefused("num_threads=-1", "bad option");
  ExpectRefused("num_threads=1025", "bad option");
  ExpectRefused("num_threads=99999999999999999999", "bad option");
  ExpectRefused("isa=sse", "bad option");
  ExpectRefused("fuse=yes", "bad option");
  ExpectRefused("profile=2", "bad option");
#if defined(__x86_64__)
  ExpectRefused("isa=neon", "bad option");
#endif
  char long_name[400];
  memset(long_name, 'x', sizeof(long_name));
  memcpy(long_name + sizeof(long_name) - 3, "=1", 3);
  ExpectRefused(long_name, "no such option");
  for (const char* good : {"", "num_threads=0", "num_threads=1024 isa=auto", "isa=portable fuse=true profile=False",
                           "fuse=1 profile=0 verbose=false"}) {
    TfLiteDelegate* delegate = NewDelegate(good);
    CHECK(delegate != nullptr);
    tflite_plugin_destroy_delegate(delegate);
  }
  // Nobody to tell.
  const char *key = "no", *value = "1";
  CHECK(tflite_plugin_create_delegate(&key, &value, 1, nullptr) == nullptr);
}

// An interpreter's language may take nothing but UTF-8, and the cut could go through a character.
TEST(delegate_options_are_shown_in_plain_characters) {
  for (const char* options : {"isa=ab\xc3\xa9\n", "\xf0\x9f\x98\x80=1", "x\x1b[31m=1"}) {
    CHECK(NewDelegate(options) == nullptr);
    CHECK_TEXT(RefusalText(), "Received: ");
    for (const char* c = RefusalText(); *c != 0; ++c) CHECK(*c >= 0x20 && *c <= 0x7e);
  }
  CHECK_TEXT((NewDelegate("isa=ab\xc3\xa9"), RefusalText()), "Received: ab??.");
}

TEST(delegate_names_its_tables) {
  CHECK(Json::Holds(lq_fda_delegate_isas()));
  CHECK_TEXT(lq_fda_delegate_isas(), "\"portable\"]");
}

TEST(delegate_may_be_destroyed_before_its_interpreter) {
  const auto before = LiveAllocations();
  {
    Network network(1);
    BuildOne(network);
    TfLiteDelegate* delegate = NewDelegate("num_threads=2");
    CHECK(network.interpreter.Apply(delegate) && network.interpreter.Allocate());
    tflite_plugin_destroy_delegate(delegate);
    network.FillInputs(1);
    CHECK(network.interpreter.Invoke());
    network.interpreter.ForgetDelegate();
  }
  CHECK_EQ(LiveAllocations(), before);
}

// Without fusion it takes LCE's operators alone; with it, those beside them, too.
TEST(delegate_takes_what_belongs_to_binary_layers) {
  const auto build = [](Network& n) {
    const int input = n.Input(kTfLiteFloat32, {4, {1, 4, 4, 32}});
    const int far = n.Logistic(n.Mul(input, input));                      // 0, 1: not beside a binary layer.
    const int y = n.Bconv(n.Quantize(n.Add(far, n.Vector(32))), Conv());  // 2, 3, 4
    const int z = n.Prelu(n.Add(y, far));                                 // 5, 6
    n.Output(n.Dense(n.Mean(z, false), 10, kTfLiteActNone));              // 7, 8: a classifier.
  };
  Session fused(build), plain(build, "fuse=false");
  CHECK(fused.Start() && plain.Start());
  CHECK_EQ(fused.interpreter().delegated(), 1);
  CHECK_EQ(plain.interpreter().delegated(), 1);
  // MUL and LOGISTIC feed the sign by way of ADD.
  CHECK_TEXT(fused.Report(), "{\"index\": 0, \"op\": \"MUL\", \"taken\": true, \"reason\": \"\", \"partition\": 0}");
  CHECK_TEXT(fused.Report(), "{\"index\": 6, \"op\": \"PRELU\", \"taken\": true, \"reason\": \"\", \"partition\": 0}");
  CHECK_TEXT(fused.Report(),
             "{\"index\": 7, \"op\": \"MEAN\", \"taken\": false, "
             "\"reason\": \"no binary layer is beside it\", \"partition\": null}");
  CHECK_TEXT(plain.Report(),
             "{\"index\": 4, \"op\": \"LceBconv2d\", \"taken\": true, \"reason\": \"\", \"partition\": 0}");
  CHECK_TEXT(plain.Report(), "{\"index\": 5, \"op\": \"ADD\", \"taken\": false, \"reason\": \"fusion is off\"");
  CHECK(Json::Holds(fused.Report()) && Json::Holds(plain.Report()));
}

// On stderr, which a test reads by way of a file.
TEST(delegate_tells_what_it_takes) {
  for (const char* options : {"verbose=true isa=portable", "isa=portable"}) {
    Session session(BuildOne, options);
    FILE* file = tmpfile();
    const int kept = dup(fileno(stderr));
    CHECK(file != nullptr && kept >= 0);
    dup2(fileno(file), fileno(stderr));
    CHECK(session.Start());
    dup2(kept, fileno(stderr));
    close(kept);
    rewind(file);
    char text[128] = "";
    const size_t size = fread(text, 1, sizeof(text) - 1, file);
    fclose(file);
    CHECK_EQ(size > 0, *options == 'v');
    if (size > 0) CHECK_TEXT(text, "lq_fda: takes 1 of 1 nodes, kernels for portable\n");
  }
}

// A graph without LCE's operators stays as it is.
TEST(delegate_leaves_other_graphs_alone) {
  Session session([](Network& n) {
    const int input = n.Input(kTfLiteFloat32, {4, {1, 4, 4, 8}});
    n.Output(n.Add(n.Logistic(input), input));
  });
  CHECK(session.Start());
  CHECK_EQ(session.interpreter().delegated(), 0);
  CHECK(session.interpreter().Invoke());
  CHECK_TEXT(session.Report(), "\"steps\": []");
}

TEST(delegate_reports_steps_and_times) {
  Session session(BuildMixed, "profile=true");
  CHECK_TEXT(session.Report(), "\"nodes\": [], \"steps\": []");  // Before it has seen a graph.
  CHECK(session.Start());
  for (int i = 0; i < 3; ++i) CHECK(session.interpreter().Invoke());
  CHECK(Json::Holds(session.Report()));
  CHECK_TEXT(session.Report(), "\"runs\": 3");
  CHECK_TEXT(session.Report(), "\"name\": \"bconv2d 3x3 32x32 -> 8x8 + prelu + mul + add map\"");
  session.interpreter().ForgetDelegate();
  CHECK_TEXT(session.Report(), "\"steps\": []");
  CHECK(Json::Holds("{\"a\": [1, -2.5, \"\\u00e9\\\"\", null, true, {}]}"));
  CHECK(!Json::Holds("{\"a\": [1, ]}") && !Json::Holds("{\"a\" 1}") && !Json::Holds("[1") && !Json::Holds(""));
}

// Names of operators come from the file.
TEST(delegate_reports_odd_names) {
  Session session([](Network& n) {
    const int input = n.Input(kTfLiteFloat32, {2, {1, 32}});
    const int other = n.interpreter.Tensor(kTfLiteFloat32, {2, {1, 32}});
    n.interpreter.Custom("a \"quoted\" \\ \n \xc3\xa9 name that is longer than what is kept of it", {input}, other);
    n.Output(n.Quantize(input));
  });
  session.interpreter().ignores_other_operators = true;
  CHECK(session.Start());
  CHECK(Json::Holds(session.Report()));
  CHECK_TEXT(session.Report(), "a \\\"quoted\\\" \\\\ \\u000a");
}

TEST(delegate_refuses_other_layouts) {
  const auto message = [](Layout layout) {
    static char text[512];
    Session session([](Network& n) { n.Output(n.Dequantize(n.Quantize(n.Input(kTfLiteFloat32, {2, {1, 32}})))); });
    session.interpreter().layout = layout;
    CHECK(!session.Apply());
    snprintf(text, sizeof(text), "%s", session.interpreter().error());
    return text;
  };
  CHECK_TEXT(message(Layout::kLargerNode), "its nodes have another size");
  CHECK_TEXT(message(Layout::kLargerRegistration), "its registrations have another size");
  CHECK_TEXT(message(Layout::kNoTensors), "absurd number of tensors");
  CHECK_TEXT(message(Layout::kLargerNode), "or update lq-fda-runtime");
  // Where a member stands elsewhere, sizes of constants are something else.
  Session session(BuildOne);
  session.interpreter().tensor(2).bytes += 4;
  session.interpreter().tensor(3).bytes += 4;
  CHECK(!session.Apply());
  CHECK_TEXT(session.interpreter().error(), "its tensors have another layout");
}

TEST(delegate_refuses_nodes_that_nobody_could_run) {
  ExpectSpoiled([](Interpreter&, TfLiteNode& node) { node.custom_initial_data_size = 7; }, "no FlexBuffers map");
  ExpectSpoiled([](Interpreter&, TfLiteNode& node) { node.custom_initial_data_size = -7; }, "no FlexBuffers map");
  ExpectSpoiled([](Interpreter&, TfLiteNode& node) { node.inputs->size = 3; }, "odd number of inputs");
  ExpectSpoiled([](Interpreter&, TfLiteNode& node) { node.outputs->size = 0; }, "odd number of inputs");
  ExpectSpoiled([](Interpreter&, TfLiteNode& node) { node.inputs->data[1] = 77; }, "tensors that are not there");
  ExpectSpoiled([](Interpreter&, TfLiteNode& node) { node.inputs->data[0] = -1; }, "tensors that are not there");
  ExpectSpoiled([](Interpreter&, TfLiteNode& node) { node.outputs->data[0] = -1; }, "tensors that are not there");
  ExpectSpoiled([](Interpreter&, TfLiteNode& node) { node.inputs->data[1] = -1; }, "its filter");
  ExpectSpoiled([](Interpreter&, TfLiteNode& node) { node.inputs->data[2] = -1; }, "multiplier and bias");
  ExpectSpoiled([](Interpreter& i, TfLiteNode&) { i.tensor(0).type = kTfLiteFloat32; }, "not packed");
  ExpectSpoiled([](Interpreter& i, TfLiteNode&) { i.tensor(1).type = kTfLiteBool; }, "unknown type");
  ExpectSpoiled([](Interpreter& i, TfLiteNode&) { i.tensor(2).allocation_type = {}; }, "its filter");
  ExpectSpoiled(
      [](Interpreter& i, TfLiteNode&) {
        i.tensor(2).dims->data[0] /= 2;  // As large as before.
        i.tensor(2).dims->data[3] *= 2;
      },
      "its filter");
  ExpectSpoiled([](Interpreter& i, TfLiteNode&) { i.tensor(0).dims->data[3] = 5; }, "number of channels");
  ExpectSpoiled([](Interpreter& i, TfLiteNode&) { i.tensor(0).dims->size = 3; }, "number of channels");
  ExpectSpoiled([](Interpreter& i, TfLiteNode&) { i.tensor(0).dims->data[1] = 1 << 30; }, "an input has an odd shape");
}

// The size of such a tensor would be the one that was planned last.
TEST(delegate_refuses_a_tensor_that_two_nodes_write) {
  Session session([](Network& n) {
    const int small = n.Input(kTfLiteFloat32, {4, {1, 2, 2, 32}}), large = n.Input(kTfLiteFloat32, {4, {2, 2, 2, 32}});
    const int output = n.Quantize(small);
    n.interpreter.Custom("LceQuantize", {large}, output);
    n.Output(output);
  });
  CHECK(!session.Apply());
  CHECK_TEXT(session.interpreter().error(), "node 0 cannot be run: another node writes its output");
}

// A file gives the types of all tensors; numbers of four bytes do not fit into one.
TEST(delegate_leaves_outputs_of_other_types_alone) {
  Session session([](Network& n) {
    const int y = n.Bconv(n.PackedInput({4, {1, 5, 5, 32}}), Conv());
    const int z = n.Add(y, n.Vector(32));
    n.interpreter.tensor(z).type = kTfLiteInt8;
    n.Output(z);
  });
  session.interpreter().ignores_other_operators = true;
  CHECK(session.Start());
  CHECK_TEXT(session.Report(), "\"op\": \"ADD\", \"taken\": false, \"reason\": \"its output is not float\"");
}

// A number a row is not a number a channel, though there may be as many.
TEST(delegate_leaves_slopes_of_rows_alone) {
  Session session([](Network& n) {
    const int y = n.Bconv(n.PackedInput({4, {1, 32, 32, 32}}), Conv());
    n.Output(n.Prelu(y, n.Constant({3, {32, 1, 1}})));
    n.Output(n.Prelu(y, n.Constant({3, {1, 32, 1}})));
    n.Output(n.Prelu(y, n.Constant({3, {1, 1, 32}})));
  });
  CHECK(session.Start());
  CHECK_TEXT(session.Report(), "{\"index\": 1, \"op\": \"PRELU\", \"taken\": false, \"reason\": \"its slopes are not");
  CHECK_TEXT(session.Report(), "{\"index\": 2, \"op\": \"PRELU\", \"taken\": false, \"reason\": \"its slopes are not");
  CHECK_TEXT(session.Report(), "{\"index\": 3, \"op\": \"PRELU\", \"taken\": true,");
}

// What could not be prepared is not taken: nobody else could run it then.
TEST(delegate_leaves_what_does_not_fit_alone) {
  Session session([](Network& n) {
    const int x = n.Input(kTfLiteFloat32, {0, {}});
    const float weights[40] = {1, 2};
    const int matrix = n.interpreter.Constant(kTfLiteFloat32, {2, {40, 1}}, weights, sizeof(weights));
    for (bool keep_dims : {false, true}) {
      const int output = n.interpreter.Tensor(kTfLiteFloat32, {2, {1, 40}});
      const TfLiteFullyConnectedParams params = {kTfLiteActNone, 0, keep_dims};
      n.interpreter.Builtin(kTfLiteBuiltinFullyConnected, {x, matrix, -1}, output, &params, sizeof(params));
      n.Output(n.Quantize(output));
    }
    const int32_t none = 0;
    const int sizes = n.interpreter.Constant(kTfLiteInt32, {1, {1}}, &none, sizeof(none));
    const int output = n.interpreter.Tensor(kTfLiteFloat32, {2, {1, 40}});
    n.interpreter.Builtin(kTfLiteBuiltinReshape, {n.Input(kTfLiteFloat32, {2, {1, 40}}), sizes}, output);
    n.Output(n.Quantize(output));
  });
  session.interpreter().ignores_other_operators = true;
  CHECK(session.Start());
  const char* report = session.Report();
  CHECK_TEXT(report, "\"index\": 0, \"op\": \"FULLY_CONNECTED\", \"taken\": false, \"reason\": \"its weights do");
  CHECK_TEXT(report, "\"index\": 2, \"op\": \"FULLY_CONNECTED\", \"taken\": false, \"reason\": \"its weights do");
  CHECK_TEXT(report, "\"index\": 4, \"op\": \"RESHAPE\", \"taken\": false, \"reason\": \"its shape does not");
}

// A classifier's matrix in front of a sign.
TEST(delegate_leaves_large_matrices_alone) {
  Session session([](Network& n) {
    n.Output(n.Quantize(n.Dense(n.Input(kTfLiteFloat32, {2, {1, 1024}}), 257, kTfLiteActNone)));
    n.Output(n.Quantize(n.Dense(n.Input(kTfLiteFloat32, {2, {1, 512}}), 512, kTfLiteActNone)));
  });
  CHECK(session.Start());
  const char* report = session.Report();
  CHECK_TEXT(report, "\"index\": 0, \"op\": \"FULLY_CONNECTED\", \"taken\": false, \"reason\": \"its matrix is");
  CHECK_TEXT(report, "\"index\": 2, \"op\": \"FULLY_CONNECTED\", \"taken\": true");
}

// Dilations that no image is large enough for: sizes of borders must not wrap.
TEST(delegate_refuses_windows_beyond_all_bounds) {
  const auto build = [](Network& n) {
    const int input = n.PackedInput({4, {1, 2, 2, 1}});
    WindowOptions o;
    o.channels_in = 1;
    o.dilation_height = 1 << 20;
    constexpr int kRows = 4097;
    Array<uint32_t> bits(kRows);
    const float one = 1;
    const int filter = n.interpreter.Constant(kTfLiteInt32, {4, {1, kRows, 1, 1}}, bits.data(), bits.bytes());
    const int vector = n.interpreter.Constant(kTfLiteFloat32, {1, {1}}, &one, sizeof(one));
    const int output = n.interpreter.Tensor(kTfLiteFloat32, {4, {1, 2, 2, 1}});
    n.interpreter.Custom("LceBconv2d", {input, filter, vector, vector, -1}, output, &o);
    n.Output(output);
  };
  Session session(build);
  CHECK(!session.Start());
  CHECK_TEXT(session.interpreter().error(), "node 0 cannot be run");
  // Nor where there is no image at all.
  const auto build_wide = [](Network& n) {
    WindowOptions o;
    o.channels_in = 256;
    o.dilation_width = 1 << 20;
    constexpr int kColumns = 257;
    Array<uint32_t> bits(kColumns * 8);
    const float one = 1;
    const int input = n.PackedInput({4, {0, 1, 1, 256}});
    const int filter = n.interpreter.Constant(kTfLiteInt32, {4, {1, 1, kColumns, 8}}, bits.data(), bits.bytes());
    const int vector = n.interpreter.Constant(kTfLiteFloat32, {1, {1}}, &one, sizeof(one));
    const int output = n.interpreter.Tensor(kTfLiteFloat32, {4, {0, 1, 1, 1}});
    n.interpreter.Custom("LceBconv2d", {input, filter, vector, vector, -1}, output, &o);
    n.Output(output);
  };
  Session wide(build_wide);
  CHECK(!wide.Start());
  CHECK_TEXT(wide.interpreter().error(), "its padded input is too large");
}

// Values of a quantization that no int8 has.
TEST(delegate_survives_odd_quantization) {
  for (int32_t zero_point : {INT32_MAX, INT32_MIN, 128, -129}) {
    for (float scale : {0.0f, -1.0f, 1e-45f, NAN, INFINITY}) {
      Session session([](Network& n) {
        const int signs = n.Quantize(n.Input(kTfLiteInt8, {4, {1, 3, 3, 32}}));
        n.Output(n.Dequantize(signs, kTfLiteInt8));
        Conv conv;
        conv.type = kTfLiteInt8;
        n.Output(n.Bconv(signs, conv));
      });
      for (int t = 0; t < session.interpreter().tensors(); ++t)
        session.interpreter().tensor(t).params = {scale, zero_point};
      CHECK_EQ(session.Start(), scale > 0);
      if (!(scale > 0)) continue;
      session.network.FillInputs(1);
      CHECK(session.interpreter().Invoke());
    }
  }
}

TEST(delegate_passes_on_the_interpreters_failures) {
  Session resize(BuildMixed), replace(BuildMixed);
  resize.interpreter().refuses_to_resize = true;
  CHECK(!resize.Start());
  CHECK_TEXT(resize.interpreter().error(), "did not resize an output");
  CHECK(Json::Holds(resize.Report()));
  replace.interpreter().refuses_to_replace = true;
  CHECK(!replace.Apply());
  CHECK(Json::Holds(replace.Report()));
}

// A report after a Prepare that failed; then one that succeeds.
TEST(delegate_recovers_from_a_size_that_does_not_fit) {
  Session session(BuildMixed);
  CHECK(session.Start());
  CHECK(session.network.ResizeBatch(1 << 24));
  CHECK(!session.interpreter().Allocate());
  CHECK_TEXT(session.interpreter().error(), "cannot be run");
  CHECK(Json::Holds(session.Report()));
  CHECK(session.network.ResizeBatch(2));
  CHECK(session.interpreter().Allocate() && session.interpreter().Invoke());
  CHECK(Json::Holds(session.Report()));
}

// Threads of the option, else of the interpreter.
TEST(delegate_takes_the_interpreters_threads) {
  Session option(BuildMixed, "num_threads=2"), recommended(BuildMixed), alone(BuildMixed);
  option.interpreter().context()->recommended_num_threads = 4;
  recommended.interpreter().context()->recommended_num_threads = 3;
  alone.interpreter().context()->recommended_num_threads = -1;
  CHECK(option.Start() && recommended.Start() && alone.Start());
  CHECK_TEXT(option.Report(), "\"threads\": 2,");
  CHECK_TEXT(recommended.Report(), "\"threads\": 3,");
  CHECK_TEXT(alone.Report(), "\"threads\": 1,");
  recommended.interpreter().context()->recommended_num_threads = 2;
  CHECK(recommended.network.ResizeBatch(2) && recommended.interpreter().Allocate());
  CHECK_TEXT(recommended.Report(), "\"threads\": 2,");
}

// A file may hold several graphs; the interpreter shows them one after the other. Node numbers mean the first one's.
TEST(delegate_reports_the_first_graph) {
  Session first(BuildMixed), second(BuildOne);
  char alone[8192];
  CHECK(first.Start());
  snprintf(alone, sizeof(alone), "%s", first.Report());
  CHECK(second.interpreter().Apply(first.delegate) && second.interpreter().Allocate());
  CHECK_EQ(strcmp(first.Report(), alone), 0);
  CHECK(second.interpreter().Invoke());
  second.interpreter().ForgetDelegate();
  CHECK_EQ(strcmp(first.Report(), alone), 0);
  // When nobody is left, the next graph is a first one again.
  first.interpreter().ForgetDelegate();
  Session third(BuildOne);
  CHECK(third.interpreter().Apply(first.delegate) && third.interpreter().Allocate());
  CHECK_TEXT(first.Report(), "\"nodes\": [{\"index\": 0, \"op\": \"LceBconv2d\", \"taken\": true");
  CHECK_TEXT(first.Report(), "\"name\": \"bconv2d");
  third.interpreter().ForgetDelegate();
}

// Another graph may be inside of the pool, in another thread: it stays as it is.
TEST(delegate_keeps_a_pool_that_is_in_use) {
  Session first(BuildMixed), second(BuildOne);
  first.interpreter().context()->recommended_num_threads = 3;
  second.interpreter().context()->recommended_num_threads = 2;
  CHECK(first.Start());
  CHECK(second.interpreter().Apply(first.delegate) && second.interpreter().Allocate());
  CHECK_TEXT(first.Report(), "\"threads\": 3,");
  first.interpreter().ForgetDelegate();
  CHECK(second.interpreter().Allocate());
  CHECK_TEXT(first.Report(), "\"threads\": 2,");
  second.interpreter().ForgetDelegate();
}

// Each failure is as expensive as the first.
TEST(delegate_gives_back_what_a_failed_preparation_took) {
  Session session([](Network& n) {
    Conv conv;
    conv.type = kTfLiteInt32;
    n.Output(n.Bconv(n.PackedInput({4, {1, 5, 5, 64}}), conv));
  });
  TfLiteNode& node = session.interpreter().node(0).node;
  node.inputs->data[4] = node.inputs->data[1];  // No thresholds.
  CHECK(!session.Start());
  CHECK_TEXT(session.interpreter().error(), "its thresholds are not");
  const long before = LiveAllocations();
  for (int i = 0; i < 3; ++i) CHECK(!session.interpreter().Allocate());
  CHECK_EQ(LiveAllocations(), before);
}

// Messages stand on lines of their own: the interpreter puts nothing between them.
TEST(delegate_ends_its_messages) {
  Session session(BuildOne);
  session.interpreter().node(0).node.inputs->size = 3;
  CHECK(!session.Start());
  const char* message = session.interpreter().error();
  CHECK(strchr(message, '\n') == message + strlen(message) - 1);
}

TEST(delegate_allocates_nothing_while_it_runs) {
  for (const char* options : {"", "num_threads=2", "fuse=false", "profile=true"}) {
    for (auto build : {BuildMixed, BuildLarge}) {
      Session session(build, options);
      CHECK(session.Start());
      session.network.FillInputs(1);
      FailRequest(-1);
      CHECK(session.interpreter().Invoke() && session.interpreter().Invoke());
      CHECK_EQ(Requests(), 0);
    }
  }
}

}  // namespace lqfda::test
