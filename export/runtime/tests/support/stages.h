// Random chains of stages with operands that end where the channels and pixels end.
#pragma once
#include "kernels/map/map.h"
#include "support/data.h"

namespace lqfda::test {

constexpr StageKind kStageKinds[] = {StageKind::kAddVector, StageKind::kMulVector, StageKind::kPrelu,
                                     StageKind::kAddMap,    StageKind::kMulMap,    StageKind::kClamp};
constexpr int kStageKindCount = 6;

// Operands for a map of `pixels` by `channels`; stages may share them.
struct Operands {
  Operands(int pixels, int channels, Random* random)
      : channels(channels),
        stride(channels + random->Below(3)),
        vector(static_cast<size_t>(channels)),
        map(static_cast<size_t>(pixels * stride)) {
    random->FillOdd(vector);
    random->FillOdd(map);
  }

  Stage Make(StageKind kind, Random* random) const {
    const bool is_map = kind == StageKind::kAddMap || kind == StageKind::kMulMap;
    const float low = random->Coin() ? 0.0f : -1.0f, high = random->Coin() ? INFINITY : 1.0f;
    return {kind, is_map ? map.data() : vector.data(), stride, low, high};
  }

  int channels;
  ptrdiff_t stride;
  Array<float> vector, map;
};

inline int MakeStages(const Operands& operands, Random* random, Stage (&stages)[kMaxStages]) {
  const int count = random->Below(kMaxStages + 1);
  for (int s = 0; s < count; ++s) {
    stages[s] = operands.Make(kStageKinds[random->Below(kStageKindCount)], random);
  }
  return count;
}

// Where a kernel and its reference write: numbers and bits with a margin on all sides that nobody may touch.
struct Target {
  static constexpr int kMargin = 3;  // Pixels before and behind, and numbers behind every row.

  Target(int pixels, int channels, Random* random)
      : stride(channels + kMargin),
        words((channels + 31) / 32 + 1),
        map(static_cast<size_t>((pixels + 2 * kMargin) * stride)),
        bits(static_cast<size_t>((pixels + 2 * kMargin) * words)),
        offsets(static_cast<size_t>(pixels)),
        shift(static_cast<size_t>(channels)) {
    random->Fill(map);
    random->Fill(bits);
    random->FillOdd(shift);
    // Pixels in reverse: nothing promises an order.
    for (int p = 0; p < pixels; ++p) offsets[static_cast<size_t>(p)] = (pixels - 1 - p + kMargin) * words;
  }

  // Zeroes the bits that a kernel wants zeroed: those of words that it covers partly, and all of
  // them where it does not begin with a word.
  void ClearPartial(int first_pixel, int last_pixel, int first_channel, int last_channel) {
    for (int p = first_pixel; p < last_pixel; ++p) {
      for (int c = first_channel; c < last_channel; ++c) {
        const int word = c / 32;
        const bool whole = 32 * word >= first_channel && 32 * word + 32 <= last_channel;
        if (whole && first_channel % 32 == 0) continue;
        bits[static_cast<size_t>(offsets[static_cast<size_t>(p)] + word)] &= ~(1u << (c % 32));
      }
    }
  }

  // Kinds of sink: numbers, signs, both, shifted signs.
  MapSink Sink(int kind) {
    MapSink sink = {};
    if (kind != 1) sink.map = map.data() + kMargin * stride;
    sink.stride = stride;
    if (kind > 0) sink.bits = bits.data();
    sink.bit_offsets = offsets.data();
    if (kind == 3) sink.bit_shift = shift.data();
    return sink;
  }
  static constexpr int kSinks = 4;

  bool Equals(const Target& other) const {
    return CountDifferent(map.data(), other.map.data(), map.size()) == 0 &&
           memcmp(bits.data(), other.bits.data(), bits.bytes()) == 0;
  }

  ptrdiff_t stride;
  int words;
  Array<float> map;
  Array<uint32_t> bits;
  Array<int32_t> offsets;
  Array<float> shift;
};

}  // namespace lqfda::test
