#include "base/cpu.h"

#include <stdint.h>

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#elif defined(__arm__)
#include <sys/auxv.h>
#endif

namespace lqfda {
namespace {

#if defined(__x86_64__) || defined(__i386__)

// The registers that the operating system saves when it switches tasks.
uint32_t SavedRegisters() {
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

bool Supports(Isa isa) {
  uint32_t eax, ebx, ecx, edx;
  if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx)) return false;
  constexpr uint32_t kOsxsave = 1u << 27, kAvx = 1u << 28;
  if ((ecx & (kOsxsave | kAvx)) != (kOsxsave | kAvx)) return false;
  const uint32_t saved = SavedRegisters();
  constexpr uint32_t kYmm = 0x06, kZmm = 0xe6;
  if (!__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx)) return false;
  if (isa == Isa::kAvx2) return (saved & kYmm) == kYmm && (ebx & 1u << 5);
  constexpr uint32_t kFoundation = 1u << 16, kDq = 1u << 17, kBw = 1u << 30, kVl = 1u << 31, kVpopcntdq = 1u << 14;
  constexpr uint32_t kWanted = kFoundation | kDq | kBw | kVl;
  return (saved & kZmm) == kZmm && (ebx & kWanted) == kWanted && (ecx & kVpopcntdq);
}

#endif

}  // namespace

const char* IsaName(Isa isa) {
  switch (isa) {
    case Isa::kPortable:
      return "portable";
    case Isa::kNeon:
      return "neon";
    case Isa::kAvx2:
      return "avx2";
    case Isa::kAvx512:
      return "avx512";
  }
  return "unknown";
}

bool IsaIsAvailable(Isa isa) {
  if (isa == Isa::kPortable) return true;
#if defined(__x86_64__) || defined(__i386__)
  return isa != Isa::kNeon && Supports(isa);
#elif defined(__aarch64__)
  return isa == Isa::kNeon;
#elif defined(__arm__)
  constexpr unsigned long kHwcapNeon = 1ul << 12;
  return isa == Isa::kNeon && (getauxval(AT_HWCAP) & kHwcapNeon);
#else
  return false;
#endif
}

}  // namespace lqfda
