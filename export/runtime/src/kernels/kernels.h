// The arithmetic, free of any runtime: one table of kernels for each instruction set, chosen when a delegate is made.
#pragma once
#include "base/cpu.h"
#include "kernels/bconv/bconv.h"
#include "kernels/map/map.h"
#include "kernels/vector/vector.h"

namespace lqfda {

struct Kernels {
  Isa isa;
  BconvKernels bconv;
  MapKernels map;
  VectorKernels vector;
};

// The table for an instruction set, or null where the library was built without it. Whether the processor can run it
// is another question: `IsaIsAvailable`.
const Kernels* KernelsFor(Isa isa);

// The best table that this processor runs; there is always one.
const Kernels* BestKernels();

}  // namespace lqfda
