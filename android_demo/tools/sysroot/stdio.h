#pragma once
#include <stdarg.h>
#include <stddef.h>

typedef struct __sFILE FILE;

#ifdef __cplusplus
extern "C" {
#endif
extern FILE* stderr;  // A variable since API level 23; before that, a macro for an element of an array.
int fprintf(FILE*, const char*, ...) __attribute__((format(printf, 2, 3)));
int snprintf(char*, size_t, const char*, ...) __attribute__((format(printf, 3, 4)));
int vsnprintf(char*, size_t, const char*, va_list) __attribute__((format(printf, 3, 0)));
#ifdef __cplusplus
}
#endif
