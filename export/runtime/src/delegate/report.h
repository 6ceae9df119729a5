// What a delegate took and how long it needed, as JSON.
#pragma once
#include <stddef.h>

#include "base/arena.h"
#include "delegate/claims.h"
#include "ops/partition.h"

namespace lqfda {

struct Options;

// Text that grows; where memory is short it is empty.
class Text {
 public:
  Text() = default;
  Text(const Text&) = delete;
  Text& operator=(const Text&) = delete;
  ~Text() { free(text_); }

  void Clear();
  void Add(const char* format, ...) __attribute__((format(printf, 2, 3)));
  // A JSON string, quotes included.
  void AddQuoted(const char* text);
  const char* text() const { return failed_ || text_ == nullptr ? "" : text_; }

 private:
  char* text_ = nullptr;
  size_t size_ = 0, capacity_ = 0;
  bool failed_ = false;
};

// A partition in the order of the delegate's list.
struct Part {
  Partition partition;
  const TfLiteContext* graph;
  int number;
  Part* next;

  explicit Part(const PartitionSettings& settings) : partition(settings) {}
};

// Of one graph: its claims, and those of the parts that belong to it.
void WriteReport(const Options& options, int threads, const List<Claim>& claims, const Part* parts,
                 const TfLiteContext* graph, Text* text);

}  // namespace lqfda
