#pragma once

typedef long time_t;  // 32 bits on a 32-bit Android.
typedef int clockid_t;

struct timespec {
  time_t tv_sec;
  long tv_nsec;
};

#define CLOCK_MONOTONIC 1

#ifdef __cplusplus
static_assert(sizeof(struct timespec) == 2 * sizeof(long), "bionic");
extern "C" {
#endif
int clock_gettime(clockid_t, struct timespec*);
#ifdef __cplusplus
}
#endif
