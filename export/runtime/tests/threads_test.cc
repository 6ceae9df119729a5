// Several interpreters in several threads, each with its own delegate and pool, with work enough for all threads of a
// pool.
#include <pthread.h>

#include "support/check.h"
#include "support/json.h"
#include "support/networks.h"

namespace lqfda::test {
namespace {

constexpr int kRounds = 3;

struct Worker {
  const char* options;
  uint32_t checksum = 0;
  bool good = false;
  pthread_t thread;
  TfLiteDelegate* shared = nullptr;  // With other workers; else it has one of its own.

  explicit Worker(const char* options) : options(options) {}

  // Builds, runs and ends a network of its own, and sums up what it computed.
  static void* Run(void* context) {
    auto* worker = static_cast<Worker*>(context);
    Network network(5);
    BuildLarge(network);
    TfLiteDelegate* delegate = worker->shared != nullptr ? worker->shared : NewDelegate(worker->options);
    bool good = delegate != nullptr && network.interpreter.Apply(delegate);
    good = good && strstr(lq_fda_delegate_isas(), "\"portable\"]") != nullptr;
    for (int round = 0; good && round < kRounds; ++round) {
      good = network.ResizeBatch(1 + round % 2) && network.interpreter.Allocate();
      if (!good) break;
      network.FillInputs(static_cast<uint64_t>(round));
      good = network.interpreter.Invoke();
      for (int i = 0; good && i < network.output_count; ++i) {
        const TfLiteTensor& tensor = network.interpreter.tensor(network.outputs[i]);
        for (size_t k = 0; k < tensor.bytes / 4; ++k) {
          worker->checksum = worker->checksum * 31 + static_cast<const uint32_t*>(tensor.data)[k];
        }
      }
    }
    network.interpreter.ForgetDelegate();
    if (worker->shared == nullptr) tflite_plugin_destroy_delegate(delegate);
    worker->good = good;
    return nullptr;
  }
};

}  // namespace

TEST(interpreters_run_beside_each_other) {
  Worker alone("num_threads=1");
  Worker::Run(&alone);
  CHECK(alone.good);
  Worker workers[] = {Worker("num_threads=2"), Worker("num_threads=3"), Worker("num_threads=2 fuse=false"),
                      Worker("num_threads=2 isa=portable")};
  for (Worker& worker : workers) CHECK_EQ(pthread_create(&worker.thread, nullptr, Worker::Run, &worker), 0);
  for (Worker& worker : workers) {
    pthread_join(worker.thread, nullptr);
    CHECK(worker.good);
    CHECK_EQ(worker.checksum, alone.checksum);
  }
}

// Each thread builds, runs and ends an interpreter, all with one delegate, while the report is read.
TEST(interpreters_share_a_delegate) {
  Worker alone("num_threads=1");
  Worker::Run(&alone);
  CHECK(alone.good);
  TfLiteDelegate* delegate = NewDelegate("num_threads=2");
  Worker workers[] = {Worker(""), Worker(""), Worker("")};
  for (Worker& worker : workers) {
    worker.shared = delegate;
    CHECK_EQ(pthread_create(&worker.thread, nullptr, Worker::Run, &worker), 0);
  }
  for (int i = 0; i < 200; ++i) CHECK(Json::Holds(lq_fda_delegate_report(delegate)));
  for (Worker& worker : workers) {
    pthread_join(worker.thread, nullptr);
    CHECK(worker.good);
    CHECK_EQ(worker.checksum, alone.checksum);
  }
  tflite_plugin_destroy_delegate(delegate);
}

}  // namespace lqfda::test
