// Memory for C++ without its run-time library: arrays that are aligned for every vector unit, and that report failure
// instead of throwing.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

namespace lqfda {

// A kernel may read this many bytes beyond the end of an array; what it reads there does not matter.
constexpr size_t kSlackBytes = 128;
constexpr size_t kAlignment = 64;

// An array of plain values, zeroed when it is sized.
template <class Value>
class Array {
 public:
  Array() = default;
  Array(const Array&) = delete;
  Array& operator=(const Array&) = delete;
  ~Array() { free(values_); }

  // Gives the array a size; its values are zero. False when there is no memory: the array is then empty.
  bool Resize(size_t size) {
    if (size <= capacity_ && values_ != nullptr) {
      size_ = size;
      memset(static_cast<void*>(values_), 0, size * sizeof(Value));
      return true;
    }
    free(values_);
    values_ = nullptr;
    size_ = capacity_ = 0;
    size_t bytes;
    if (__builtin_mul_overflow(size, sizeof(Value), &bytes) || __builtin_add_overflow(bytes, kSlackBytes, &bytes)) {
      return false;
    }
    void* memory = nullptr;
    if (posix_memalign(&memory, kAlignment, bytes) != 0) return false;
    memset(memory, 0, bytes);
    values_ = static_cast<Value*>(memory);
    size_ = capacity_ = size;
    return true;
  }

  Value* data() { return values_; }
  const Value* data() const { return values_; }
  size_t size() const { return size_; }
  Value& operator[](size_t index) { return values_[index]; }
  const Value& operator[](size_t index) const { return values_[index]; }
  Value* begin() { return values_; }
  Value* end() { return values_ + size_; }
  const Value* begin() const { return values_; }
  const Value* end() const { return values_ + size_; }

 private:
  Value* values_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace lqfda
