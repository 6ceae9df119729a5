// A pool of threads that sleep between jobs.
//
// The runtime's own pool (XNNPACK's) spins between its operators; a second pool that spins as well makes two threads
// slower than one on a machine with two cores. So workers here spin only for about the time between two jobs of one
// partition, some tens of microseconds (47 on an EPYC), and then sleep.
#pragma once
#include <stdint.h>

namespace lqfda {

class Pool;

// A pool with `threads` threads, the caller's among them; null when there is no memory or no thread.
Pool* CreatePool(int threads);
void DestroyPool(Pool* pool);
int PoolThreads(const Pool* pool);

// Calls job(context, index) for every index in 0 ... count - 1, in any order, on any of the pool's threads, and returns
// when all calls have returned. Calls from several threads take their turns. A null pool runs them here.
void RunOnPool(Pool* pool, int count, void (*job)(void* context, int index), void* context);

}  // namespace lqfda
