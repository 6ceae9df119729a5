#pragma once
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif
void* malloc(size_t);
void* calloc(size_t, size_t);
void* realloc(void*, size_t);
int posix_memalign(void**, size_t, size_t);
void free(void*);
long strtol(const char*, char**, int);
#ifdef __cplusplus
}
#endif
