#include "delegate/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "delegate/options.h"

namespace lqfda {

void Text::Clear() {
  size_ = 0;
  failed_ = false;
  if (text_ != nullptr) *text_ = 0;
}

void Text::Add(const char* format, ...) {
  while (!failed_) {
    va_list arguments;
    va_start(arguments, format);
    const int wanted = vsnprintf(text_ == nullptr ? nullptr : text_ + size_, capacity_ - size_, format, arguments);
    va_end(arguments);
    if (wanted < 0) return;
    const size_t needed = size_ + static_cast<size_t>(wanted) + 1;
    if (needed <= capacity_) {
      size_ = needed - 1;
      return;
    }
    char* larger = static_cast<char*>(realloc(text_, 2 * needed));
    if (larger == nullptr) {
      failed_ = true;
      if (text_ != nullptr) *text_ = 0;
      return;
    }
    text_ = larger;
    capacity_ = 2 * needed;
  }
}

void Text::AddQuoted(const char* text) {
  Add("\"");
  for (; *text != 0; ++text) {
    const auto byte = static_cast<unsigned char>(*text);
    if (byte < 0x20 || byte > 0x7e) {
      Add("\\u%04x", byte);
    } else {
      Add(byte == '"' || byte == '\\' ? "\\%c" : "%c", byte);
    }
  }
  Add("\"");
}

void WriteReport(const Options& options, int threads, const List<Claim>& claims, const Part* parts,
                 const TfLiteContext* graph, Text* text) {
  text->Clear();
  int nodes = 0;
  for (const Claim& claim : claims) nodes = nodes <= claim.node ? claim.node + 1 : nodes;
  // Of every node: the part that runs it.
  Arena arena;
  const Part** part_of = arena.New<const Part*>(static_cast<size_t>(nodes));
  if (part_of == nullptr) return;
  for (const Part* part = parts; part != nullptr; part = part->next) {
    if (part->graph != graph) continue;
    for (const Op& op : part->partition.ops()) part_of[op.node] = part;
  }
  text->Add("{\"version\": \"%s\", \"isa\": \"%s\", \"threads\": %d, \"fuse\": %s, \"nodes\": [", LQ_FDA_VERSION,
            IsaName(options.kernels->isa), threads, options.fuse ? "true" : "false");
  for (int i = 0; i < claims.size; ++i) {
    const Claim& claim = claims[i];
    text->Add("%s{\"index\": %d, \"op\": ", i == 0 ? "" : ", ", claim.node);
    text->AddQuoted(claim.name);
    text->Add(", \"taken\": %s, \"reason\": ", claim.taken ? "true" : "false");
    text->AddQuoted(claim.taken || claim.reason == nullptr ? "" : claim.reason);
    const Part* part = part_of[claim.node];
    if (part == nullptr) {
      text->Add(", \"partition\": null}");
    } else {
      text->Add(", \"partition\": %d}", part->number);
    }
  }
  text->Add("], \"steps\": [");
  bool first = true;
  for (const Part* part = parts; part != nullptr; part = part->next) {
    if (part->graph != graph) continue;
    for (const Step& step : part->partition.steps()) {
      char name[160];
      part->partition.Describe(step, name, sizeof(name));
      text->Add("%s{\"partition\": %d, \"name\": ", first ? "" : ", ", part->number);
      first = false;
      text->AddQuoted(name);
      text->Add(", \"nodes\": [");
      for (int i = 0; i < step.node_count; ++i) text->Add("%s%d", i == 0 ? "" : ", ", step.nodes[i]);
      text->Add("], \"runs\": %lld, \"microseconds\": %.3f}", static_cast<long long>(step.runs),
                step.runs == 0 ? 0.0 : static_cast<double>(step.nanoseconds) / 1e3 / static_cast<double>(step.runs));
    }
  }
  text->Add("]}");
}

}  // namespace lqfda
