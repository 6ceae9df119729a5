#include "support/check.h"

#include <stdio.h>
#include <time.h>

namespace lqfda::test {
namespace {

constexpr int kShown = 5;  // Failures of one test.

Test* first_test = nullptr;
Test* last_test = nullptr;
int failures = 0;

double Seconds() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

bool Fail(const char* what, const char* file, int line) {
  const char* name = strrchr(file, '/');
  if (++failures <= kShown) printf("  %s:%d: %s", name == nullptr ? file : name + 1, line, what);
  return failures <= kShown;
}

}  // namespace

Test::Test(const char* name, void (*run)(), void (*run_table)(const Kernels&))
    : name(name), run(run), run_table(run_table), next(nullptr) {
  (last_test == nullptr ? first_test : last_test->next) = this;
  last_test = this;
}

bool Check(bool holds, const char* what, const char* file, int line) {
  if (!holds && Fail(what, file, line)) printf("\n");
  return holds;
}

bool CheckEqual(long long left, long long right, const char* what, const char* file, int line) {
  if (left != right && Fail(what, file, line)) printf(" (%lld, %lld)\n", left, right);
  return left == right;
}

bool CheckText(const char* text, const char* part, const char* file, int line) {
  const bool holds = text != nullptr && strstr(text, part) != nullptr;
  if (!holds && Fail("text lacks", file, line)) printf(" \"%s\": \"%s\"\n", part, text == nullptr ? "(null)" : text);
  return holds;
}

namespace {

struct Totals {
  int passed = 0, failed = 0, skipped = 0;
};

bool IsSelected(const char* name, int count, char** parts) {
  for (int i = 0; i < count; ++i) {
    if (strstr(name, parts[i]) != nullptr) return true;
  }
  return count == 0;
}

void RunOne(const Test& test, const Kernels* kernels, int part_count, char** parts, Totals* totals) {
  char name[128];
  snprintf(name, sizeof(name), kernels == nullptr ? "%s" : "%s/%s", test.name,
           kernels == nullptr ? "" : IsaName(kernels->isa));
  if (!IsSelected(name, part_count, parts)) return;
  failures = 0;
  const bool skipped = kernels != nullptr && !IsaIsAvailable(kernels->isa);
  const double began = Seconds();
  if (!skipped) kernels == nullptr ? test.run() : test.run_table(*kernels);
  const double took = Seconds() - began;
  if (failures > 0) {
    ++totals->failed;
    printf("FAILED %s: %d failures\n", name, failures);
  } else if (skipped) {
    ++totals->skipped;
    printf("skipped %s: this processor lacks the instructions\n", name);
  } else {
    ++totals->passed;
    printf("passed %s (%.2f s)\n", name, took);
  }
  fflush(stdout);
}

}  // namespace
}  // namespace lqfda::test

// The arguments select tests: those whose names hold one of them.
int main(int count, char** arguments) {
  using namespace lqfda::test;
  Totals totals;
  for (const Test* test = first_test; test != nullptr; test = test->next) {
    if (test->run != nullptr) RunOne(*test, nullptr, count - 1, arguments + 1, &totals);
    for (lqfda::Isa isa : lqfda::kIsas) {
      const lqfda::Kernels* kernels = lqfda::KernelsFor(isa);
      if (test->run_table != nullptr && kernels != nullptr) RunOne(*test, kernels, count - 1, arguments + 1, &totals);
    }
  }
  printf("%d passed, %d failed, %d skipped\n", totals.passed, totals.failed, totals.skipped);
  return totals.failed > 0 || totals.passed == 0 ? 1 : 0;
}
