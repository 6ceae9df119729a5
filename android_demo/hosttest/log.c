// Stands in for Android's liblog.so: what is logged goes to stderr.
#include <stdarg.h>
#include <stdio.h>

int __android_log_vprint(int priority, const char* tag, const char* format, va_list arguments) {
  static const char kLetters[] = "??VDIWEF";
  fprintf(stderr, "%c/%s: ", kLetters[priority & 7], tag);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  return 1;
}

int __android_log_print(int priority, const char* tag, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int status = __android_log_vprint(priority, tag, format, arguments);
  va_end(arguments);
  return status;
}

int __android_log_write(int priority, const char* tag, const char* text) {
  return __android_log_print(priority, tag, "%s", text);
}
