// Runs a model on float inputs in Android's TFLite by its C interface, with or without the delegate:
//
//   run_model TFLITE DELEGATE|- MODEL INPUTS OUTPUTS THREADS ISA
//
// INPUTS is a file of float32, any number of inputs one after the other; the outputs go to OUTPUTS in the same way. On
// stdout: the delegate's report and the instruction sets that it has. Both libraries are Android's.
#include <dlfcn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// On 64-bit ARM Android's compilers read the stack's guard from a fixed place, 40 bytes behind the thread's pointer,
// where glibc puts a program's own variables of each thread. This one's alignment makes them begin behind that place,
// which so keeps its value.
__thread volatile char guard __attribute__((aligned(64))) = 1;

typedef struct Model Model;
typedef struct Options Options;
typedef struct Interpreter Interpreter;
typedef struct Tensor Tensor;
typedef struct Delegate Delegate;

static void Fail(const char* what, const char* why) {
  fprintf(stderr, "run_model: %s: %s\n", what, why);
  exit(1);
}

static void* Load(const char* path) {
  void* library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) Fail(path, dlerror());
  return library;
}

static void* Find(void* library, const char* name) {
  void* found = dlsym(library, name);
  if (found == NULL) Fail(name, "there is no such function");
  return found;
}

static void Report(void* context, const char* format, va_list arguments) {
  (void)context;
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
}

static void Refuse(const char* message) { fprintf(stderr, "%s\n", message); }

int main(int argc, char** argv) {
  if (argc != 8) Fail("arguments", "TFLITE DELEGATE|- MODEL INPUTS OUTPUTS THREADS ISA");
  guard = 1;
  void* tflite = Load(argv[1]);
  const char* (*version)(void) = Find(tflite, "TfLiteVersion");
  Model* (*model_create)(const char*) = Find(tflite, "TfLiteModelCreateFromFile");
  void (*model_delete)(Model*) = Find(tflite, "TfLiteModelDelete");
  Options* (*options_create)(void) = Find(tflite, "TfLiteInterpreterOptionsCreate");
  void (*options_delete)(Options*) = Find(tflite, "TfLiteInterpreterOptionsDelete");
  void (*set_threads)(Options*, int) = Find(tflite, "TfLiteInterpreterOptionsSetNumThreads");
  void (*set_reporter)(Options*, void (*)(void*, const char*, va_list), void*) =
      Find(tflite, "TfLiteInterpreterOptionsSetErrorReporter");
  void (*add_delegate)(Options*, Delegate*) = Find(tflite, "TfLiteInterpreterOptionsAddDelegate");
  Interpreter* (*create)(Model*, Options*) = Find(tflite, "TfLiteInterpreterCreate");
  void (*delete)(Interpreter*) = Find(tflite, "TfLiteInterpreterDelete");
  int (*allocate)(Interpreter*) = Find(tflite, "TfLiteInterpreterAllocateTensors");
  int (*invoke)(Interpreter*) = Find(tflite, "TfLiteInterpreterInvoke");
  Tensor* (*input_of)(Interpreter*, int) = Find(tflite, "TfLiteInterpreterGetInputTensor");
  Tensor* (*output_of)(Interpreter*, int) = Find(tflite, "TfLiteInterpreterGetOutputTensor");
  size_t (*bytes_of)(const Tensor*) = Find(tflite, "TfLiteTensorByteSize");
  int (*copy_in)(Tensor*, const void*, size_t) = Find(tflite, "TfLiteTensorCopyFromBuffer");
  int (*copy_out)(const Tensor*, void*, size_t) = Find(tflite, "TfLiteTensorCopyToBuffer");
  fprintf(stderr, "TFLite %s\n", version());

  Delegate* delegate = NULL;
  const char* (*report)(Delegate*) = NULL;
  const char* (*isas)(void) = NULL;
  void (*destroy)(Delegate*) = NULL;
  if (strcmp(argv[2], "-") != 0) {
    void* library = Load(argv[2]);
    Delegate* (*make)(const char* const*, const char* const*, size_t, void (*)(const char*)) =
        Find(library, "tflite_plugin_create_delegate");
    destroy = Find(library, "tflite_plugin_destroy_delegate");
    report = Find(library, "lq_fda_delegate_report");
    isas = Find(library, "lq_fda_delegate_isas");
    const char* keys[] = {"num_threads", "isa", "profile", "verbose"};
    const char* values[] = {argv[6], argv[7], "true", "true"};
    delegate = make(keys, values, 4, Refuse);
    if (delegate == NULL) Fail(argv[2], "it made no delegate");
  }

  Model* model = model_create(argv[3]);
  if (model == NULL) Fail(argv[3], "this is no model");
  Options* options = options_create();
  set_reporter(options, Report, NULL);
  set_threads(options, atoi(argv[6]));
  if (delegate != NULL) add_delegate(options, delegate);
  Interpreter* interpreter = create(model, options);
  if (interpreter == NULL) Fail(argv[3], "TFLite refused it");
  if (allocate(interpreter) != 0) Fail(argv[3], "TFLite could not lay it out");

  const size_t input_bytes = bytes_of(input_of(interpreter, 0)), output_bytes = bytes_of(output_of(interpreter, 0));
  char *input = malloc(input_bytes), *output = malloc(output_bytes);
  FILE *inputs = fopen(argv[4], "rb"), *outputs = fopen(argv[5], "wb");
  if (input == NULL || output == NULL || inputs == NULL || outputs == NULL) Fail(argv[4], "it cannot be read");
  int count = 0;
  for (; fread(input, 1, input_bytes, inputs) == input_bytes; ++count) {
    if (copy_in(input_of(interpreter, 0), input, input_bytes) != 0) Fail("input", "TFLite refused it");
    if (invoke(interpreter) != 0) Fail("input", "TFLite could not run it");
    if (copy_out(output_of(interpreter, 0), output, output_bytes) != 0) Fail("output", "TFLite did not give it");
    fwrite(output, 1, output_bytes, outputs);
  }
  if (fclose(outputs) != 0) Fail(argv[5], "it cannot be written");
  fclose(inputs);
  if (delegate != NULL) printf("{\"isas\": %s, \"report\": %s}\n", isas(), report(delegate));
  fprintf(stderr, "%d inputs\n", count);

  delete (interpreter);
  options_delete(options);
  model_delete(model);
  if (delegate != NULL) destroy(delegate);
  free(input);
  free(output);
  return 0;
}
