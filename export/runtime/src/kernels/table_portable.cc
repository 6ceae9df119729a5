#include "kernels/bconv/tile.h"
#include "kernels/kernels.h"
#include "kernels/map/tile.h"
#include "kernels/simd/portable.h"
#include "kernels/vector/tile.h"

namespace lqfda {

const Kernels* PortableKernels() {
  static constexpr Kernels kKernels = {
      Isa::kPortable,
      {kBlock<Portable>, Portable::kPixels, 1, nullptr, BconvMap<Portable>, BconvCounts<Portable>},
      {RunMap<Portable>, Mean<Portable>},
      {FullyConnected, Logistic},
  };
  return &kKernels;
}

}  // namespace lqfda
