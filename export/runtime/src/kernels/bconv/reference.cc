#include "kernels/bconv/bconv.h"

namespace lqfda {

void ReferenceBconvCounts(const BconvTile& tile, int block, int32_t* counts) {
  for (int p = 0; p < tile.count; ++p) {
    for (int channel = 0; channel < block; ++channel) {
      int32_t sum = 0;
      const uint32_t* weights = tile.weights + channel;
      for (int segment = 0; segment < tile.segment_count; ++segment) {
        for (int word = 0; word < tile.segment_words; ++word, weights += block) {
          for (uint32_t x = tile.pixels[p][tile.segments[segment] + word] ^ *weights; x != 0; x &= x - 1) ++sum;
        }
      }
      counts[p * block + channel] = sum;
    }
  }
}

}  // namespace lqfda
