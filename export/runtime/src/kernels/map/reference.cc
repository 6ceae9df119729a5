#include "kernels/map/map.h"

namespace lqfda {

void ReferenceMapRun(const MapRun& run) {
  for (int pixel = run.first_pixel; pixel < run.last_pixel; ++pixel) {
    for (int channel = run.first_channel; channel < run.last_channel; ++channel) {
      float y = run.source[(pixel - run.source_pixel) * run.source_stride + channel - run.source_channel];
      for (int s = 0; s < run.stage_count; ++s) {
        const Stage& stage = run.stages[s];
        switch (stage.kind) {
          case StageKind::kAddVector:
            y += stage.data[channel];
            break;
          case StageKind::kMulVector:
            y *= stage.data[channel];
            break;
          case StageKind::kPrelu:
            y = y < 0 ? y * stage.data[channel] : y;
            break;
          case StageKind::kAddMap:
            y += stage.data[pixel * stage.stride + channel];
            break;
          case StageKind::kMulMap:
            y *= stage.data[pixel * stage.stride + channel];
            break;
          case StageKind::kClamp:
            y = y < stage.low ? stage.low : y > stage.high ? stage.high : y;
            break;
        }
      }
      if (run.sink.map != nullptr) run.sink.map[pixel * run.sink.stride + channel] = y;
      if (run.sink.bits == nullptr) continue;
      const float signed_value = run.sink.bit_shift == nullptr ? y : y + run.sink.bit_shift[channel];
      uint32_t& word = run.sink.bits[run.sink.bit_offsets[pixel] + channel / 32];
      const uint32_t bit = 1u << (channel % 32);
      word = signed_value < 0 ? word | bit : word & ~bit;
    }
  }
}

}  // namespace lqfda
