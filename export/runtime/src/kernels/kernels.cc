#include "kernels/kernels.h"

namespace lqfda {

const Kernels* PortableKernels();
const Kernels* Avx2Kernels();
const Kernels* Avx512Kernels();
const Kernels* NeonKernels();

const Kernels* KernelsFor(Isa isa) {
  switch (isa) {
    case Isa::kPortable:
      return PortableKernels();
#if defined(__x86_64__)
    case Isa::kAvx2:
      return Avx2Kernels();
    case Isa::kAvx512:
      return Avx512Kernels();
#elif defined(__aarch64__) || defined(__arm__)
    case Isa::kNeon:
      return NeonKernels();
#endif
    default:
      return nullptr;
  }
}

const Kernels* BestKernels() {
  for (Isa isa : kIsas) {
    if (KernelsFor(isa) != nullptr && IsaIsAvailable(isa)) return KernelsFor(isa);
  }
  return PortableKernels();
}

}  // namespace lqfda
