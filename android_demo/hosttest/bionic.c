// Stands in for Android's C library in a process of a Linux with glibc, so that Android's own libraries can be run and
// tested there. Nothing of it goes into an app.
//
// Most functions are glibc's: standins.py adds a jump to each that a library asks for. Here are those that glibc lacks,
// or that take or give another layout. All have the version LIBC, as in bionic.
#define _GNU_SOURCE
#include <errno.h>
#include <locale.h>
#include <malloc.h>
#include <pthread.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// The function bionic_NAME is what others find as NAME.
#define BIONIC(name) __asm__(".symver bionic_" #name ", " #name "@LIBC")

static _Noreturn void Unknown(const char* what) {
  fprintf(stderr, "stand-in for bionic: %s. Add it to hosttest/bionic.c.\n", what);
  abort();
}

// Memory, of which one allocation fails: that with the number in LQ_FDA_FAILING_ALLOCATION.
static int Fails(void) {
  static int failing = -1, count;
  if (failing < 0) {
    const char* text = getenv("LQ_FDA_FAILING_ALLOCATION");
    failing = text == NULL ? 0 : atoi(text);
  }
  return failing > 0 && __atomic_add_fetch(&count, 1, __ATOMIC_RELAXED) == failing;
}
void* bionic_malloc(size_t size) { return Fails() ? NULL : malloc(size); }
BIONIC(malloc);
void* bionic_calloc(size_t count, size_t size) { return Fails() ? NULL : calloc(count, size); }
BIONIC(calloc);
void* bionic_realloc(void* memory, size_t size) { return Fails() ? NULL : realloc(memory, size); }
BIONIC(realloc);
int bionic_posix_memalign(void** memory, size_t alignment, size_t size) {
  return Fails() ? ENOMEM : posix_memalign(memory, alignment, size);
}
BIONIC(posix_memalign);

// What is freed is written over, so that whoever uses it afterwards is found out.
void bionic_free(void* memory) {
  if (memory == NULL) return;
  memset(memory, 0xdd, malloc_usable_size(memory));
  free(memory);
}
BIONIC(free);

// Mutexes and condition variables of bionic are smaller than glibc's, or have another layout: one word of theirs keeps
// a pointer to one of glibc's. Until then it has the small number that bionic initializes with.

#define LARGEST_INITIALIZER ((uintptr_t)0xffff)

static uintptr_t* WordOf(void* object) {
  const uintptr_t mask = sizeof(uintptr_t) - 1;
  return (uintptr_t*)(((uintptr_t)object + mask) & ~mask);
}

static void* Real(void* object, void* (*make)(int32_t)) {
  uintptr_t* word = WordOf(object);
  uintptr_t seen = __atomic_load_n(word, __ATOMIC_ACQUIRE);
  if (seen > LARGEST_INITIALIZER) return (void*)seen;
  void* made = make(*(int32_t*)object);
  if (__atomic_compare_exchange_n(word, &seen, (uintptr_t)made, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) return made;
  free(made);  // Another thread was here first.
  return (void*)seen;
}

static void* MakeMutex(int32_t initializer) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  const int type = initializer >> 14 & 3;
  pthread_mutexattr_settype(&attributes, type == 1   ? PTHREAD_MUTEX_RECURSIVE
                                         : type == 2 ? PTHREAD_MUTEX_ERRORCHECK
                                                     : PTHREAD_MUTEX_NORMAL);
  pthread_mutex_t* mutex = malloc(sizeof(*mutex));
  if (mutex == NULL) abort();
  pthread_mutex_init(mutex, &attributes);
  pthread_mutexattr_destroy(&attributes);
  return mutex;
}

static void* MakeCondition(int32_t initializer) {
  if (initializer != 0) Unknown("a condition variable with another clock");
  pthread_cond_t* condition = malloc(sizeof(*condition));
  if (condition == NULL) abort();
  pthread_cond_init(condition, NULL);
  return condition;
}

static pthread_mutex_t* Mutex(void* object) { return Real(object, MakeMutex); }
static pthread_cond_t* Condition(void* object) { return Real(object, MakeCondition); }

int bionic_pthread_mutex_init(void* mutex, const long* attributes) {
  if (attributes != NULL) Unknown("a mutex with attributes");
  *(int32_t*)mutex = 0;
  *WordOf(mutex) = 0;
  return 0;
}
BIONIC(pthread_mutex_init);

int bionic_pthread_mutex_destroy(void* mutex) {
  uintptr_t* word = WordOf(mutex);
  if (*word > LARGEST_INITIALIZER) {
    const int status = pthread_mutex_destroy((pthread_mutex_t*)*word);
    if (status != 0) return status;
    free((void*)*word);
  }
  *word = 0;
  return 0;
}
BIONIC(pthread_mutex_destroy);

int bionic_pthread_mutex_lock(void* mutex) { return pthread_mutex_lock(Mutex(mutex)); }
BIONIC(pthread_mutex_lock);
int bionic_pthread_mutex_trylock(void* mutex) { return pthread_mutex_trylock(Mutex(mutex)); }
BIONIC(pthread_mutex_trylock);
int bionic_pthread_mutex_unlock(void* mutex) { return pthread_mutex_unlock(Mutex(mutex)); }
BIONIC(pthread_mutex_unlock);

int bionic_pthread_cond_init(void* condition, const long* attributes) {
  if (attributes != NULL) Unknown("a condition variable with attributes");
  *(int32_t*)condition = 0;
  *WordOf(condition) = 0;
  return 0;
}
BIONIC(pthread_cond_init);

int bionic_pthread_cond_destroy(void* condition) {
  uintptr_t* word = WordOf(condition);
  if (*word > LARGEST_INITIALIZER) {
    pthread_cond_destroy((pthread_cond_t*)*word);
    free((void*)*word);
  }
  *word = 0;
  return 0;
}
BIONIC(pthread_cond_destroy);

int bionic_pthread_cond_wait(void* condition, void* mutex) {
  return pthread_cond_wait(Condition(condition), Mutex(mutex));
}
BIONIC(pthread_cond_wait);
int bionic_pthread_cond_timedwait(void* condition, void* mutex, const struct timespec* until) {
  return pthread_cond_timedwait(Condition(condition), Mutex(mutex), until);
}
BIONIC(pthread_cond_timedwait);
int bionic_pthread_cond_signal(void* condition) { return pthread_cond_signal(Condition(condition)); }
BIONIC(pthread_cond_signal);
int bionic_pthread_cond_broadcast(void* condition) { return pthread_cond_broadcast(Condition(condition)); }
BIONIC(pthread_cond_broadcast);

int bionic_pthread_create(pthread_t* thread, const void* attributes, void* (*run)(void*), void* argument) {
  if (attributes != NULL) Unknown("a thread with attributes");
  return pthread_create(thread, NULL, run, argument);
}
BIONIC(pthread_create);

// bionic's standard streams were elements of an array before API level 23: of 152 bytes each, 84 on 32 bits.
#define STREAM_BYTES (sizeof(void*) == 8 ? 152 : 84)
char bionic___sF[3 * 152];
BIONIC(__sF);

static FILE* Stream(void* stream) {
  const char* at = stream;
  if (at < bionic___sF || at >= bionic___sF + sizeof(bionic___sF)) return stream;
  const size_t index = (size_t)(at - bionic___sF) / STREAM_BYTES;
  return index == 0 ? stdin : index == 1 ? stdout : stderr;
}

int bionic_vfprintf(void* stream, const char* format, va_list arguments) {
  return vfprintf(Stream(stream), format, arguments);
}
BIONIC(vfprintf);
int bionic_fprintf(void* stream, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int written = vfprintf(Stream(stream), format, arguments);
  va_end(arguments);
  return written;
}
BIONIC(fprintf);
int bionic_fputc(int byte, void* stream) { return fputc(byte, Stream(stream)); }
BIONIC(fputc);
size_t bionic_fwrite(const void* from, size_t size, size_t count, void* stream) {
  return fwrite(from, size, count, Stream(stream));
}
BIONIC(fwrite);
int bionic_fflush(void* stream) { return fflush(stream == NULL ? NULL : Stream(stream)); }
BIONIC(fflush);
int bionic_fileno(void* stream) { return fileno(Stream(stream)); }
BIONIC(fileno);

int* bionic___errno(void) { return &errno; }
BIONIC(__errno);

size_t bionic___strlen_chk(const char* text, size_t size) {
  const size_t length = strlen(text);
  if (length >= size) Unknown("a text without an end");
  return length;
}
BIONIC(__strlen_chk);

// strerror_r itself returns the text where _GNU_SOURCE is defined.
extern int __xpg_strerror_r(int number, char* text, size_t size);
int bionic_strerror_r(int number, char* text, size_t size) { return __xpg_strerror_r(number, text, size); }
BIONIC(strerror_r);

// The numbers are bionic's, which differ.
long bionic_sysconf(int number) {
  switch (number) {
    case 0x27:
    case 0x28:
      return sysconf(_SC_PAGESIZE);
    case 0x60:
      return sysconf(_SC_NPROCESSORS_CONF);
    case 0x61:
      return sysconf(_SC_NPROCESSORS_ONLN);
    default:
      errno = EINVAL;
      return -1;
  }
}
BIONIC(sysconf);

// bionic knows one locale; the bits of the mask differ.
locale_t bionic_newlocale(int mask, const char* name, locale_t base) {
  (void)mask;
  (void)name;
  return newlocale(LC_ALL_MASK, "C", base);
}
BIONIC(newlocale);

int bionic___system_property_get(const char* name, char* value) {
  (void)name;
  *value = 0;
  return 0;
}
BIONIC(__system_property_get);

void bionic_android_set_abort_message(const char* message) { fprintf(stderr, "abort: %s\n", message); }
BIONIC(android_set_abort_message);

_Noreturn void bionic___assert2(const char* file, int line, const char* function, const char* what) {
  fprintf(stderr, "%s:%d: %s: assertion \"%s\" failed\n", file, line, function, what);
  abort();
}
BIONIC(__assert2);

// bionic's `struct stat` is the kernel's, for 32-bit ARM that of stat64.
int bionic_fstat(int file, void* result) { return fstat64(file, result); }
BIONIC(fstat);

#ifdef __arm__

extern const void* __gnu_Unwind_Find_exidx(const void* address, int* count);
const void* bionic_dl_unwind_find_exidx(const void* address, int* count) {
  return __gnu_Unwind_Find_exidx(address, count);
}
BIONIC(dl_unwind_find_exidx);

uintptr_t bionic___stack_chk_guard = (uintptr_t)0x5ac3a500;
BIONIC(__stack_chk_guard);

// The ABI's names for what a compiler inserts. Nobody asks for them with a version.
#define COPY(name, function) \
  void name(void* to, const void* from, size_t size) { function(to, from, size); }
COPY(__aeabi_memcpy, memcpy)
COPY(__aeabi_memcpy4, memcpy)
COPY(__aeabi_memcpy8, memcpy)
COPY(__aeabi_memmove, memmove)
COPY(__aeabi_memmove4, memmove)
COPY(__aeabi_memmove8, memmove)
#define FILL(suffix)                                                                                    \
  void __aeabi_memset##suffix(void* to, size_t size, int value) { memset(to, value, size); }            \
  void __aeabi_memclr##suffix(void* to, size_t size) { memset(to, 0, size); }
FILL()
FILL(4)
FILL(8)

#endif
