// Tests without a framework, so that they also run where no C++ library was cross-compiled: checks, a list of tests,
// and a closing line.
#pragma once
#include <string.h>

#include "kernels/kernels.h"
#include "support/initializer_list.h"

namespace lqfda::test {

struct Test {
  const char* name;
  void (*run)();
  void (*run_table)(const Kernels&);  // Instead: once for each table of kernels.
  Test* next;

  Test(const char* name, void (*run)(), void (*run_table)(const Kernels&));
};

// Count a failure and say where; they return what they were given.
bool Check(bool holds, const char* what, const char* file, int line);
bool CheckEqual(long long left, long long right, const char* what, const char* file, int line);
bool CheckText(const char* text, const char* part, const char* file, int line);

}  // namespace lqfda::test

#define TEST(name)                                               \
  static void name();                                            \
  static lqfda::test::Test test_of_##name(#name, name, nullptr); \
  static void name()
#define TEST_TABLES(name)                                        \
  static void name(const lqfda::Kernels& kernels);               \
  static lqfda::test::Test test_of_##name(#name, nullptr, name); \
  static void name(const lqfda::Kernels& kernels)

#define CHECK(condition) lqfda::test::Check((condition), #condition, __FILE__, __LINE__)
#define CHECK_EQ(left, right) \
  lqfda::test::CheckEqual((long long)(left), (long long)(right), #left " == " #right, __FILE__, __LINE__)
// That a text holds a part.
#define CHECK_TEXT(text, part) lqfda::test::CheckText((text), (part), __FILE__, __LINE__)
