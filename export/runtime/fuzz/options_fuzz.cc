// The option blobs of LCE's operators, as a file may hold them: refused, or within what the operators take.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ops/lce_options.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace lqfda;
  if (size == 0) return 0;
  // A copy that ends where the blob ends. The first byte says whose options these are.
  const bool pool = data[0] & 1;
  const size_t bytes = size - 1;
  auto* blob = static_cast<uint8_t*>(malloc(bytes == 0 ? 1 : bytes));
  memcpy(blob, data + 1, bytes);
  WindowOptions o;
  const char* problem = pool ? ReadMaxPoolOptions(blob, bytes, &o) : ReadBconvOptions(blob, bytes, &o);
  free(blob);
  if (problem != nullptr) return 0;
  const bool strides = o.stride_height >= 1 && o.stride_width >= 1;
  const bool rest = pool ? o.filter_height >= 1 && o.filter_width >= 1
                         : o.dilation_height >= 1 && o.dilation_width >= 1 && o.channels_in >= 1 && o.activation >= 0 &&
                               o.activation <= 3 && (o.pad_value == 0 || o.pad_value == 1);
  if (!strides || !rest || (o.padding != Padding::kSame && o.padding != Padding::kValid)) abort();
  return 0;
}
