#include "support/hooks.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

namespace lqfda::test {
namespace {

long failing = -1, requests = 0, live = 0, failed = 0, paused = 0;
bool keeps_failing = false;
size_t most_bytes = SIZE_MAX;

bool Fails() {
  if (__atomic_load_n(&paused, __ATOMIC_RELAXED) > 0) return false;
  const long number = __atomic_fetch_add(&requests, 1, __ATOMIC_RELAXED);
  const bool fails = failing >= 0 && (number == failing || (keeps_failing && number > failing));
  if (fails) __atomic_store_n(&failed, 1, __ATOMIC_RELAXED);
  return fails;
}

void* Counted(void* memory) {
  if (memory != nullptr) __atomic_fetch_add(&live, 1, __ATOMIC_RELAXED);
  return memory;
}

}  // namespace

void FailRequest(long n, bool forever) {
  failing = n;
  keeps_failing = forever;
  requests = failed = 0;
}

void LimitRequests(size_t bytes) { most_bytes = bytes; }

long Requests() { return requests; }
bool RequestFailed() { return failed != 0; }
long LiveAllocations() { return live; }

Pause::Pause() { __atomic_fetch_add(&paused, 1, __ATOMIC_RELAXED); }
Pause::~Pause() { __atomic_fetch_sub(&paused, 1, __ATOMIC_RELAXED); }

}  // namespace lqfda::test

extern "C" {
using namespace lqfda::test;

void* __real_malloc(size_t);
void* __real_calloc(size_t, size_t);
void* __real_realloc(void*, size_t);
int __real_posix_memalign(void**, size_t, size_t);
void __real_free(void*);
int __real_pthread_create(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);

void* __wrap_malloc(size_t size) { return Fails() ? nullptr : Counted(__real_malloc(size)); }

void* __wrap_calloc(size_t count, size_t size) { return Fails() ? nullptr : Counted(__real_calloc(count, size)); }

void* __wrap_realloc(void* memory, size_t size) {
  if (Fails()) return nullptr;
  void* larger = __real_realloc(memory, size);
  return memory == nullptr ? Counted(larger) : larger;
}

int __wrap_posix_memalign(void** memory, size_t alignment, size_t size) {
  if (Fails() || size > most_bytes) return ENOMEM;
  const int problem = __real_posix_memalign(memory, alignment, size);
  if (problem == 0) Counted(*memory);
  return problem;
}

void __wrap_free(void* memory) {
  if (memory != nullptr) __atomic_fetch_sub(&live, 1, __ATOMIC_RELAXED);
  __real_free(memory);
}

int __wrap_pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*start)(void*), void* argument) {
  return Fails() ? EAGAIN : __real_pthread_create(thread, attributes, start, argument);
}
}

// Sanitizers' own opinion of requests that are too large: they fail, as elsewhere.
extern "C" const char* __asan_default_options() { return "allocator_may_return_null=1"; }
extern "C" const char* __tsan_default_options() { return "allocator_may_return_null=1"; }
