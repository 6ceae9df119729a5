#include "kernels/bconv/tile.h"
#include "kernels/kernels.h"
#include "kernels/map/tile.h"
#include "kernels/simd/avx2.h"
#include "kernels/vector/tile.h"

namespace lqfda {

const Kernels* Avx2Kernels() {
  static constexpr Kernels kKernels = {
      Isa::kAvx2,
      {kBlock<Avx2>, Avx2::kPixels, Avx2::kWeightWords, Avx2::ArrangeWeights, BconvMap<Avx2>, BconvCounts<Avx2>},
      {RunMap<Avx2>, Mean<Avx2>},
      {FullyConnected, Logistic},
  };
  return &kKernels;
}

}  // namespace lqfda
