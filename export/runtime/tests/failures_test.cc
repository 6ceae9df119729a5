// No memory, no threads: every request of a delegate's life fails once, and once with all behind it.
#include "support/check.h"
#include "support/hooks.h"
#include "support/json.h"
#include "support/networks.h"

namespace lqfda::test {
namespace {

// From the first request to the last. Whether all went well; `message` if not.
bool Live(Network* network, bool* report_holds, bool* report_is_empty, const char** message) {
  TfLiteDelegate* delegate = NewDelegate("num_threads=2 profile=true");
  *message = RefusalText();
  if (delegate == nullptr) return false;
  Interpreter& interpreter = network->interpreter;
  *message = interpreter.error();
  bool good = interpreter.Apply(delegate) && interpreter.Allocate() && interpreter.Invoke();
  if (good) good = network->ResizeBatch(2) && interpreter.Allocate() && interpreter.Invoke();
  const char* report = lq_fda_delegate_report(delegate);
  *report_is_empty = *report == 0;
  *report_holds = *report_is_empty || Json::Holds(report);
  interpreter.ForgetDelegate();
  tflite_plugin_destroy_delegate(delegate);
  return good;
}

void FailEach(void (*build)(Network&), bool forever) {
  for (long n = 0;; ++n) {
    const long before = LiveAllocations();
    bool failed;
    {
      Network network(1);
      build(network);
      FailRequest(n, forever);
      bool report_holds = true, report_is_empty = false;
      const char* message = "";
      const bool good = Live(&network, &report_holds, &report_is_empty, &message);
      failed = RequestFailed();
      FailRequest(-1);
      CHECK(report_holds);
      if (!good) CHECK(failed && *message != 0);
      if (!failed) CHECK(good);
      // A report that could not be written is the one failure that leaves the rest as it was.
      if (good) CHECK_EQ(report_is_empty, failed);
    }
    CHECK_EQ(LiveAllocations(), before);
    if (!failed) break;
  }
}

}  // namespace

TEST(memory_that_fails_once_is_an_error) { FailEach(BuildMixed, false); }

TEST(memory_that_is_gone_is_an_error) { FailEach(BuildMixed, true); }

TEST(threads_that_do_not_start_are_an_error) {
  Network network(1);
  BuildMixed(network);
  TfLiteDelegate* delegate = NewDelegate("num_threads=8");
  CHECK(network.interpreter.Apply(delegate));
  // Which of the requests the threads are is found by trying: the last ones.
  FailRequest(-1);
  CHECK(network.interpreter.Allocate());
  const long last = Requests() - 1;
  network.interpreter.ForgetDelegate();
  tflite_plugin_destroy_delegate(delegate);
  for (long thread = 0; thread < 7; ++thread) {
    const long before = LiveAllocations();
    {
      Network again(1);
      BuildMixed(again);
      delegate = NewDelegate("num_threads=8");
      CHECK(again.interpreter.Apply(delegate));
      FailRequest(last - thread);
      CHECK(!again.interpreter.Allocate());
      FailRequest(-1);
      CHECK_TEXT(again.interpreter.error(), "threads could not be started");
      again.interpreter.ForgetDelegate();
      tflite_plugin_destroy_delegate(delegate);
    }
    CHECK_EQ(LiveAllocations(), before);
  }
}

}  // namespace lqfda::test
