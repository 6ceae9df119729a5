// What the processor can do, asked of the processor: `__builtin_cpu_supports` needs a run-time library that not every
// compiler brings.
#pragma once

namespace lqfda {

enum class Isa { kPortable, kNeon, kAvx2, kAvx512 };

constexpr int kIsaCount = 4;
// Best first.
constexpr Isa kIsas[kIsaCount] = {Isa::kAvx512, Isa::kAvx2, Isa::kNeon, Isa::kPortable};

// "portable", "neon", "avx2" or "avx512".
const char* IsaName(Isa isa);

// Whether this processor and its operating system run code for the instruction set. AVX-512 here means F, BW, DQ, VL
// and VPOPCNTDQ, as in Ice Lake, Zen 4 and later.
bool IsaIsAvailable(Isa isa);

}  // namespace lqfda
