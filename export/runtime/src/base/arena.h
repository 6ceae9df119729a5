// Memory for C++ without its run-time library: allocations that live and end together, and that report failure instead
// of throwing. Only plain structs go in: nothing is destroyed, the memory is given back as a whole.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

namespace lqfda {

// What is wrong where memory is short.
constexpr const char* kNoMemory = "there is not enough memory";
// A kernel may read this many bytes beyond the end of an allocation; what it reads there does not matter.
constexpr size_t kSlackBytes = 256;
// Suits every vector unit, and keeps two threads off one cache line.
constexpr size_t kAlignment = 64;

class Arena {
 public:
  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  ~Arena() { Clear(); }

  // `count` zeroed values, or null when there is no memory for them.
  template <class Value>
  Value* New(size_t count = 1) {
    size_t bytes;
    if (__builtin_mul_overflow(count, sizeof(Value), &bytes)) return nullptr;
    return static_cast<Value*>(Bytes(bytes));
  }

  // A point in an arena's life: what was allocated behind it can be given back alone.
  using Mark = const void*;
  Mark Now() const { return last_; }
  void ReturnTo(Mark mark) {
    while (last_ != mark) {
      Header* before = last_->before;
      free(last_);
      last_ = before;
    }
  }
  void Clear() { ReturnTo(nullptr); }

 private:
  struct alignas(kAlignment) Header {
    Header* before;
  };

  void* Bytes(size_t bytes) {
    size_t total;
    if (__builtin_add_overflow(bytes, sizeof(Header) + kSlackBytes, &total)) return nullptr;
    void* memory = nullptr;
    if (posix_memalign(&memory, kAlignment, total) != 0) return nullptr;
    memset(memory, 0, total);
    Header* header = static_cast<Header*>(memory);
    header->before = last_;
    last_ = header;
    return header + 1;
  }

  Header* last_ = nullptr;
};

// A list that grows inside an arena.
template <class Value>
struct List {
  Value* values = nullptr;
  int size = 0;
  int capacity = 0;

  // A zeroed value at the end, or null when there is no memory for it. Pointers to earlier values become invalid.
  Value* Append(Arena* arena) {
    if (size == capacity) {
      const int wanted = capacity == 0 ? 8 : 2 * capacity;
      Value* larger = arena->New<Value>(static_cast<size_t>(wanted));
      if (larger == nullptr) return nullptr;
      if (size > 0) memcpy(static_cast<void*>(larger), values, static_cast<size_t>(size) * sizeof(Value));
      values = larger;
      capacity = wanted;
    }
    return &values[size++];
  }

  Value& operator[](int index) { return values[index]; }
  const Value& operator[](int index) const { return values[index]; }
  Value* begin() { return values; }
  Value* end() { return values + size; }
  const Value* begin() const { return values; }
  const Value* end() const { return values + size; }
};

}  // namespace lqfda
