#include "kernels/bconv/tile.h"
#include "kernels/kernels.h"
#include "kernels/map/tile.h"
#include "kernels/simd/neon.h"
#include "kernels/vector/tile.h"

namespace lqfda {

const Kernels* NeonKernels() {
  static constexpr Kernels kKernels = {
      Isa::kNeon,
      {kBlock<Neon>, Neon::kPixels, 1, nullptr, BconvMap<Neon>, BconvCounts<Neon>},
      {RunMap<Neon>, Mean<Neon>},
      {FullyConnected, Logistic},
  };
  return &kKernels;
}

}  // namespace lqfda
