#include <stdio.h>

#include "support/network.h"

namespace lqfda::test {
namespace {

__thread char refusal[512] = "";  // Tests run in threads.

}  // namespace

const char* RefusalText() { return refusal; }

TfLiteDelegate* NewDelegate(const char* options) {
  constexpr size_t kMost = 8;
  char text[512];
  const char *keys[kMost], *values[kMost];
  size_t count = 0;
  snprintf(text, sizeof(text), "%s", options);
  for (char* at = text; *at != 0 && count < kMost; ++count) {
    keys[count] = at;
    at += strcspn(at, "=");
    if (*at != 0) *at++ = 0;
    values[count] = at;
    at += strcspn(at, " ");
    if (*at != 0) *at++ = 0;
  }
  refusal[0] = 0;
  return tflite_plugin_create_delegate(keys, values, count,
                                       [](const char* message) { snprintf(refusal, sizeof(refusal), "%s", message); });
}

}  // namespace lqfda::test
