// Memory and threads that run out on request: the linker sends the code's calls here (-Wl,--wrap).
#pragma once
#include <stddef.h>

namespace lqfda::test {

// The n-th request from now on fails, and every one behind it if `forever`; -1 for none. Zeroes the count of requests.
void FailRequest(long n, bool forever = false);

// Aligned requests for more than this fail.
void LimitRequests(size_t bytes);

// Requests since, of this process; those under way inside a `Pause` neither count nor fail.
long Requests();
// Whether one failed.
bool RequestFailed();
// Allocations that nobody has freed yet, of this process.
long LiveAllocations();

class Pause {
 public:
  Pause();
  ~Pause();
};

}  // namespace lqfda::test
