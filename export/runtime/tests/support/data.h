// Seeded random data, in memory that ends where it ends: sanitizers see a read behind it.
#pragma once
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "support/initializer_list.h"

namespace lqfda::test {

template <class Value>
class Array {
 public:
  explicit Array(size_t size) : size_(size), values_(static_cast<Value*>(calloc(size + 1, sizeof(Value)))) {
    if (values_ == nullptr) abort();
  }
  Array(const Array& other) : Array(other.size_) { memcpy(data(), other.data(), bytes()); }
  Array& operator=(const Array&) = delete;
  ~Array() { free(values_); }

  // One value behind the allocation's begin: aligned to a value and no further, as constants in a file may be.
  Value* data() { return values_ + 1; }
  const Value* data() const { return values_ + 1; }
  size_t size() const { return size_; }
  size_t bytes() const { return size_ * sizeof(Value); }
  Value& operator[](size_t index) { return data()[index]; }
  const Value& operator[](size_t index) const { return data()[index]; }
  Value* begin() { return data(); }
  Value* end() { return data() + size_; }

 private:
  size_t size_;
  Value* values_;
};

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  // splitmix64
  uint64_t Bits() {
    uint64_t x = state_ += 0x9e3779b97f4a7c15;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
  }
  uint32_t Word() { return static_cast<uint32_t>(Bits() >> 32); }
  int Below(int limit) { return static_cast<int>(Bits() >> 33) % limit; }
  int Between(int low, int high) { return low + Below(high - low + 1); }
  bool Coin() { return Bits() >> 63 != 0; }
  // Between -4 and 4, a multiple of 1/16: sums and products of a few are exact.
  float Dyadic() { return static_cast<float>(Between(-64, 64)) / 16.0f; }
  float Number() { return static_cast<float>(static_cast<double>(Bits() >> 11) * 0x1p-50 - 4.0); }
  // What signs and comparisons stumble over.
  float Odd() {
    static const float kOdd[] = {0.0f, -0.0f, NAN, -NAN, INFINITY, -INFINITY, 1e-30f, -1e-30f, 3e38f, -3e38f};
    return kOdd[Below(10)];
  }

  void Fill(Array<uint32_t>& words) {
    for (uint32_t& word : words) word = Word();
  }
  void Fill(Array<float>& numbers) {
    for (float& number : numbers) number = Number();
  }
  void FillOdd(Array<float>& numbers) {
    for (float& number : numbers) number = Below(4) == 0 ? Odd() : Number();
  }

 private:
  uint64_t state_;
};

// The same bits, or two NaNs: their payload is the processor's affair.
inline bool SameNumber(float a, float b) { return memcmp(&a, &b, sizeof(a)) == 0 || (a != a && b != b); }

inline size_t CountDifferent(const float* a, const float* b, size_t count) {
  size_t different = 0;
  for (size_t i = 0; i < count; ++i) different += !SameNumber(a[i], b[i]);
  return different;
}

}  // namespace lqfda::test
