// Memory, threads, and what the processor can do.
#include <pthread.h>
#include <time.h>

#include "base/arena.h"
#include "base/threads.h"
#include "support/check.h"
#include "support/data.h"

namespace lqfda::test {

TEST(arena_gives_zeroed_aligned_memory_with_slack) {
  Arena arena;
  for (int round = 0; round < 2; ++round) {
    for (int size : {0, 1, 3, 63, 64, 65, 1000, 100000}) {
      auto* memory = arena.New<uint8_t>(static_cast<size_t>(size));
      if (!CHECK(memory != nullptr)) return;
      CHECK_EQ(reinterpret_cast<uintptr_t>(memory) % kAlignment, 0);
      size_t dirty = 0;
      const size_t all = static_cast<size_t>(size) + kSlackBytes;
      for (size_t i = 0; i < all; ++i) dirty += memory[i] != 0;
      CHECK_EQ(dirty, 0);
      memset(memory, 0xff, all);
    }
    arena.Clear();
  }
}

TEST(arena_refuses_what_does_not_fit) {
  Arena arena;
  // The compiler must not see them, or it warns of what is tested.
  const volatile size_t most = SIZE_MAX;
  CHECK(arena.New<uint64_t>(most) == nullptr);
  CHECK(arena.New<uint64_t>(most / 8) == nullptr);
  CHECK(arena.New<uint64_t>(most / 8 + 1) == nullptr);
  CHECK(arena.New<uint8_t>(most - kSlackBytes) == nullptr);
  CHECK(arena.New<uint8_t>(most - kSlackBytes - kAlignment) == nullptr);
  CHECK(arena.New<int>() != nullptr);
}

TEST(list_keeps_what_it_holds) {
  Arena arena;
  List<int> list;
  for (int i = 0; i < 1000; ++i) {
    int* value = list.Append(&arena);
    if (!CHECK(value != nullptr)) return;
    CHECK_EQ(*value, 0);
    *value = i;
  }
  int expected = 0;
  for (int value : list) CHECK_EQ(value, expected++);
  CHECK_EQ(expected, 1000);
}

TEST(processor_has_a_table) {
  const Kernels* best = BestKernels();
  CHECK(best != nullptr && IsaIsAvailable(best->isa));
  CHECK(KernelsFor(Isa::kPortable) != nullptr && IsaIsAvailable(Isa::kPortable));
  for (Isa isa : kIsas) {
    if (KernelsFor(isa) != nullptr) CHECK(KernelsFor(isa)->isa == isa);
  }
#if defined(__x86_64__)
  // What the compiler's own run-time library found.
  __builtin_cpu_init();
#if !defined(__clang__)  // zig's clang answers no to everything.
  CHECK_EQ(IsaIsAvailable(Isa::kAvx2), __builtin_cpu_supports("avx2") != 0);
  CHECK_EQ(IsaIsAvailable(Isa::kAvx512),
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vpopcntdq"));
#endif
#endif
}

namespace {

// A job that counts the calls of each index, and whose plain writes the caller reads.
struct Tally {
  Array<int> calls;
  Array<int> plain;

  explicit Tally(int count) : calls(static_cast<size_t>(count)), plain(static_cast<size_t>(count)) {}

  static void Count(void* context, int index) {
    auto* tally = static_cast<Tally*>(context);
    __atomic_fetch_add(&tally->calls[static_cast<size_t>(index)], 1, __ATOMIC_RELAXED);
    tally->plain[static_cast<size_t>(index)] += index + 1;
  }

  void Expect(int rounds) {
    for (size_t i = 0; i < calls.size(); ++i) {
      CHECK_EQ(calls[i], rounds);
      CHECK_EQ(plain[i], rounds * (static_cast<int>(i) + 1));
    }
  }
};

struct Caller {
  Pool* pool;
  int count, rounds;
  Tally tally;
  pthread_t thread;

  Caller(Pool* pool, int count, int rounds) : pool(pool), count(count), rounds(rounds), tally(count) {}

  static void* Run(void* context) {
    auto* caller = static_cast<Caller*>(context);
    for (int i = 0; i < caller->rounds; ++i) RunOnPool(caller->pool, caller->count, Tally::Count, &caller->tally);
    return nullptr;
  }
};

}  // namespace

TEST(pool_runs_every_index_once) {
  for (int threads = 0; threads <= 6; ++threads) {
    Pool* pool = threads == 0 ? nullptr : CreatePool(threads);
    CHECK_EQ(PoolThreads(pool), threads == 0 ? 1 : threads);
    for (int count : {0, 1, 2, 3, 5, 8, 64, 333}) {
      Tally tally(count);
      constexpr int kRounds = 20;
      for (int round = 0; round < kRounds; ++round) RunOnPool(pool, count, Tally::Count, &tally);
      tally.Expect(kRounds);
    }
    DestroyPool(pool);
  }
}

TEST(pool_serves_several_callers) {
  Pool* pool = CreatePool(3);
  Caller callers[] = {{pool, 2, 300}, {pool, 7, 200}, {pool, 64, 100}, {pool, 1, 300}};
  for (Caller& caller : callers) CHECK_EQ(pthread_create(&caller.thread, nullptr, Caller::Run, &caller), 0);
  for (Caller& caller : callers) {
    pthread_join(caller.thread, nullptr);
    caller.tally.Expect(caller.rounds);
  }
  DestroyPool(pool);
}

TEST(pool_comes_and_goes) {
  for (int round = 0; round < 100; ++round) {
    Pool* pool = CreatePool(1 + round % 4);
    Tally tally(round % 7);
    if (round % 3 != 0) RunOnPool(pool, round % 7, Tally::Count, &tally);
    tally.Expect(round % 3 != 0 ? 1 : 0);
    DestroyPool(pool);
  }
  DestroyPool(nullptr);
}

TEST(pool_has_the_caller_at_least) {
  for (int threads : {-3, 0, 1}) {
    Pool* pool = CreatePool(threads);
    CHECK_EQ(PoolThreads(pool), 1);
    Tally tally(4);
    RunOnPool(pool, 4, Tally::Count, &tally);
    tally.Expect(1);
    DestroyPool(pool);
  }
}

// Workers that have gone to sleep wake up: longer than they spin.
TEST(pool_wakes_up) {
  Pool* pool = CreatePool(3);
  Tally tally(16);
  for (int round = 0; round < 20; ++round) {
    const timespec pause = {0, 2000000};
    nanosleep(&pause, nullptr);
    RunOnPool(pool, 16, Tally::Count, &tally);
  }
  tally.Expect(20);
  DestroyPool(pool);
}

}  // namespace lqfda::test
