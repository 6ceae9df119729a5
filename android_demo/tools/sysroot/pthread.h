// Threads as bionic has them. What an application allocates itself has bionic's size, from its libc/include/bits/
// pthread_types.h: it differs from glibc's and musl's, on 32 bits most of all.
#pragma once
#include <stddef.h>
#include <stdint.h>

typedef long pthread_t;
typedef int pthread_once_t;
typedef long pthread_mutexattr_t;
typedef long pthread_condattr_t;

typedef struct {
#ifdef __LP64__
  int32_t __private[10];
#else
  int32_t __private[1];
#endif
} pthread_mutex_t;

typedef struct {
#ifdef __LP64__
  int32_t __private[12];
#else
  int32_t __private[1];
#endif
} pthread_cond_t;

// Never made here: a thread takes the usual attributes, a null pointer.
typedef struct pthread_attr_t pthread_attr_t;

#define PTHREAD_MUTEX_INITIALIZER {{0}}
#define PTHREAD_COND_INITIALIZER {{0}}
#define PTHREAD_ONCE_INIT 0

#ifdef __cplusplus
#ifdef __LP64__
static_assert(sizeof(pthread_mutex_t) == 40 && sizeof(pthread_cond_t) == 48 && sizeof(pthread_t) == 8, "bionic");
#else
static_assert(sizeof(pthread_mutex_t) == 4 && sizeof(pthread_cond_t) == 4 && sizeof(pthread_t) == 4, "bionic");
#endif
static_assert(sizeof(pthread_once_t) == 4, "bionic");
extern "C" {
#endif
int pthread_create(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
int pthread_join(pthread_t, void**);
int pthread_once(pthread_once_t*, void (*)(void));
int pthread_mutex_init(pthread_mutex_t*, const pthread_mutexattr_t*);
int pthread_mutex_destroy(pthread_mutex_t*);
int pthread_mutex_lock(pthread_mutex_t*);
int pthread_mutex_unlock(pthread_mutex_t*);
int pthread_cond_init(pthread_cond_t*, const pthread_condattr_t*);
int pthread_cond_destroy(pthread_cond_t*);
int pthread_cond_wait(pthread_cond_t*, pthread_mutex_t*);
int pthread_cond_signal(pthread_cond_t*);
int pthread_cond_broadcast(pthread_cond_t*);
#ifdef __cplusplus
}
#endif
