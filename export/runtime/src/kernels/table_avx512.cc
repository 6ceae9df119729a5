#include "kernels/bconv/tile.h"
#include "kernels/kernels.h"
#include "kernels/map/tile.h"
#include "kernels/simd/avx512.h"
#include "kernels/vector/tile.h"

namespace lqfda {

const Kernels* Avx512Kernels() {
  static constexpr Kernels kKernels = {
      Isa::kAvx512,
      {kBlock<Avx512>, Avx512::kPixels, 1, nullptr, BconvMap<Avx512>, BconvCounts<Avx512>},
      {RunMap<Avx512>, Mean<Avx512>},
      {FullyConnected, Logistic},
  };
  return &kKernels;
}

}  // namespace lqfda
