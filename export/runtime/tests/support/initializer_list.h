// Lists in braces, also where there are no headers of a C++ library.
#pragma once
#include <stddef.h>

#if __has_include(<initializer_list>)
#include <initializer_list>
#else
namespace std {
// The compiler makes it of a pointer and a number.
template <class Value>
class initializer_list {
 public:
  constexpr size_t size() const { return size_; }
  constexpr const Value* begin() const { return values_; }
  constexpr const Value* end() const { return values_ + size_; }

 private:
  const Value* values_;
  size_t size_;
};
}  // namespace std
#endif
