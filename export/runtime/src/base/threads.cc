#include "base/threads.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

namespace lqfda {
namespace {

constexpr int kSpins = 2000;

void Relax() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
  __asm__ volatile("yield");
#endif
}

}  // namespace

// Made of zeros, by CreatePool. The fields that several threads touch are accessed by __atomic builtins, which need no
// library.
class Pool {
 public:
  int threads;
  pthread_t* workers;
  int started;
  pthread_mutex_t turn;   // Held by the thread whose job runs.
  pthread_mutex_t mutex;  // Guards sleeping.
  pthread_cond_t wake;
  int sleeping;
  bool stop;
  // The number of the job in the upper half, and how many of its indices are left in the lower one. A worker takes an
  // index by compare and swap, so that one who comes late, with an old job in mind, takes nothing; nobody waits for
  // workers that sleep.
  uint64_t ticket;
  int done;
  // Set before the ticket names the job, and unchanged until all of its indices are done.
  void (*job)(void*, int);
  void* context;
  int count;
};

namespace {

uint32_t JobOf(uint64_t ticket) { return static_cast<uint32_t>(ticket >> 32); }

uint64_t Ticket(const Pool* pool) { return __atomic_load_n(&pool->ticket, __ATOMIC_ACQUIRE); }

// Takes indices of one job until there are none left.
void Work(Pool* pool, uint32_t number) {
  for (;;) {
    uint64_t ticket = Ticket(pool);
    const int left = static_cast<int>(ticket & 0xffffffff);
    if (JobOf(ticket) != number || left == 0) return;
    if (!__atomic_compare_exchange_n(&pool->ticket, &ticket, ticket - 1, true, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
      continue;
    }
    pool->job(pool->context, pool->count - left);
    __atomic_fetch_add(&pool->done, 1, __ATOMIC_RELEASE);
  }
}

// Waits for another job than the one with the number, or for the end.
uint32_t WaitForNext(Pool* pool, uint32_t number) {
  for (int spin = 0; spin < kSpins; ++spin) {
    const uint32_t now = JobOf(Ticket(pool));
    if (now != number) return now;
    Relax();
  }
  pthread_mutex_lock(&pool->mutex);
  ++pool->sleeping;
  while (JobOf(Ticket(pool)) == number) pthread_cond_wait(&pool->wake, &pool->mutex);
  --pool->sleeping;
  const uint32_t now = JobOf(Ticket(pool));
  pthread_mutex_unlock(&pool->mutex);
  return now;
}

// Gives the workers the job that is set, or, without indices, the news that there are no more. Returns its number.
uint32_t Announce(Pool* pool, int count) {
  pthread_mutex_lock(&pool->mutex);
  const uint32_t number = JobOf(Ticket(pool)) + 1;
  __atomic_store_n(&pool->ticket, static_cast<uint64_t>(number) << 32 | static_cast<uint32_t>(count), __ATOMIC_RELEASE);
  const bool anybody = pool->sleeping > 0;
  pthread_mutex_unlock(&pool->mutex);
  if (anybody) pthread_cond_broadcast(&pool->wake);
  return number;
}

void* RunWorker(void* argument) {
  Pool* pool = static_cast<Pool*>(argument);
  uint32_t number = 0;
  for (;;) {
    number = WaitForNext(pool, number);
    if (__atomic_load_n(&pool->stop, __ATOMIC_ACQUIRE)) return nullptr;
    Work(pool, number);
  }
}

}  // namespace

Pool* CreatePool(int threads) {
  void* memory = calloc(1, sizeof(Pool));
  if (memory == nullptr) return nullptr;
  Pool* pool = static_cast<Pool*>(memory);
  pool->threads = threads < 1 ? 1 : threads;
  pthread_mutex_init(&pool->turn, nullptr);
  pthread_mutex_init(&pool->mutex, nullptr);
  pthread_cond_init(&pool->wake, nullptr);
  pool->workers = static_cast<pthread_t*>(calloc(static_cast<size_t>(pool->threads), sizeof(pthread_t)));
  if (pool->workers == nullptr) {
    DestroyPool(pool);
    return nullptr;
  }
  for (int index = 1; index < pool->threads; ++index) {
    if (pthread_create(&pool->workers[pool->started], nullptr, RunWorker, pool) != 0) {
      DestroyPool(pool);
      return nullptr;
    }
    ++pool->started;
  }
  return pool;
}

void DestroyPool(Pool* pool) {
  if (pool == nullptr) return;
  __atomic_store_n(&pool->stop, true, __ATOMIC_RELEASE);
  Announce(pool, 0);
  for (int index = 0; index < pool->started; ++index) pthread_join(pool->workers[index], nullptr);
  free(pool->workers);
  pthread_cond_destroy(&pool->wake);
  pthread_mutex_destroy(&pool->mutex);
  pthread_mutex_destroy(&pool->turn);
  free(pool);
}

int PoolThreads(const Pool* pool) { return pool == nullptr ? 1 : pool->threads; }

void RunOnPool(Pool* pool, int count, void (*job)(void*, int), void* context) {
  if (pool == nullptr || pool->started == 0 || count < 2) {
    for (int index = 0; index < count; ++index) job(context, index);
    return;
  }
  pthread_mutex_lock(&pool->turn);
  pool->job = job;
  pool->context = context;
  pool->count = count;
  __atomic_store_n(&pool->done, 0, __ATOMIC_RELAXED);
  Work(pool, Announce(pool, count));
  for (int spin = 0; __atomic_load_n(&pool->done, __ATOMIC_ACQUIRE) < count; ++spin) {
    // A worker that is in the middle of its last index may have lost its core: lend it this one.
    spin < kSpins ? Relax() : static_cast<void>(sched_yield());
  }
  pthread_mutex_unlock(&pool->turn);
}

}  // namespace lqfda
