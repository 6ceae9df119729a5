// The part of TensorFlow Lite's C interface that a delegate touches, declared here so that no TensorFlow headers are
// needed. Nobody promises these layouts, but they are the same in TensorFlow Lite 2.14 to 2.21, tflite-runtime 2.14 and
// LiteRT 1.0 to 2.3; `CheckLayout` looks at the running interpreter before it trusts them.
#pragma once
#include <stddef.h>
#include <stdint.h>

extern "C" {

enum TfLiteStatus : int { kTfLiteOk = 0, kTfLiteError = 1 };

enum TfLiteType : int {
  kTfLiteNoType = 0,
  kTfLiteFloat32 = 1,
  kTfLiteInt32 = 2,
  kTfLiteBool = 6,
  kTfLiteInt8 = 9,
};

enum TfLiteAllocationType : int { kTfLiteMmapRo = 1 };

enum TfLiteBuiltinOperator : int {
  kTfLiteBuiltinAdd = 0,
  kTfLiteBuiltinFullyConnected = 9,
  kTfLiteBuiltinLogistic = 14,
  kTfLiteBuiltinMul = 18,
  kTfLiteBuiltinReshape = 22,
  kTfLiteBuiltinCustom = 32,
  kTfLiteBuiltinMean = 40,
  kTfLiteBuiltinDelegate = 51,
  kTfLiteBuiltinPrelu = 54,
};

enum TfLiteFusedActivation : int {
  kTfLiteActNone = 0,
  kTfLiteActRelu = 1,
  kTfLiteActReluN1To1 = 2,
  kTfLiteActRelu6 = 3,
};

struct TfLiteIntArray {
  int size;
  int data[];
};

struct TfLiteQuantizationParams {
  float scale;
  int32_t zero_point;
};

struct TfLiteDelegate;
struct TfLiteContext;

struct TfLiteTensor {
  TfLiteType type;
  void* data;
  TfLiteIntArray* dims;
  TfLiteQuantizationParams params;
  TfLiteAllocationType allocation_type;
  size_t bytes;
  const void* allocation;
  const char* name;
  TfLiteDelegate* delegate;
  int buffer_handle;
  bool data_is_stale;
  bool is_variable;
  struct {
    int type;
    void* params;
  } quantization;
  void* sparsity;
  const TfLiteIntArray* dims_signature;
};

struct TfLiteNode {
  TfLiteIntArray* inputs;
  TfLiteIntArray* outputs;
  TfLiteIntArray* intermediates;
  TfLiteIntArray* temporaries;
  void* user_data;
  void* builtin_data;
  const void* custom_initial_data;
  int custom_initial_data_size;
  TfLiteDelegate* delegate;
  bool might_have_side_effect;
};

struct TfLiteRegistration {
  void* (*init)(TfLiteContext*, const char*, size_t);
  void (*free)(TfLiteContext*, void*);
  TfLiteStatus (*prepare)(TfLiteContext*, TfLiteNode*);
  TfLiteStatus (*invoke)(TfLiteContext*, TfLiteNode*);
  const char* (*profiling_string)(const TfLiteContext*, const TfLiteNode*);
  int32_t builtin_code;
  const char* custom_name;
  int version;
  void* registration_external;
  void* async_kernel;
  uint64_t inplace_operator;
};

struct TfLiteDelegateParams {
  TfLiteDelegate* delegate;
  TfLiteIntArray* nodes_to_replace;
  TfLiteIntArray* input_tensors;
  TfLiteIntArray* output_tensors;
};

struct TfLiteContext {
  size_t tensors_size;
  TfLiteStatus (*GetExecutionPlan)(TfLiteContext*, TfLiteIntArray**);
  TfLiteTensor* tensors;
  void* impl_;
  TfLiteStatus (*ResizeTensor)(TfLiteContext*, TfLiteTensor*, TfLiteIntArray*);
  void (*ReportError)(TfLiteContext*, const char*, ...);
  TfLiteStatus (*AddTensors)(TfLiteContext*, int, int*);
  TfLiteStatus (*GetNodeAndRegistration)(TfLiteContext*, int, TfLiteNode**, TfLiteRegistration**);
  TfLiteStatus (*ReplaceNodeSubsetsWithDelegateKernels)(TfLiteContext*, TfLiteRegistration, const TfLiteIntArray*,
                                                        TfLiteDelegate*);
  int recommended_num_threads;
  // Members that follow are not used.
};

struct TfLiteDelegate {
  void* data_;
  TfLiteStatus (*Prepare)(TfLiteContext*, TfLiteDelegate*);
  TfLiteStatus (*CopyFromBufferHandle)(TfLiteContext*, TfLiteDelegate*, int, TfLiteTensor*);
  TfLiteStatus (*CopyToBufferHandle)(TfLiteContext*, TfLiteDelegate*, int, TfLiteTensor*);
  void (*FreeBufferHandle)(TfLiteContext*, TfLiteDelegate*, int*);
  int64_t flags;
  void* opaque_delegate_builder;
};

// Without it the interpreter prepares the operators that it does not know before it asks the delegate.
constexpr int64_t kTfLiteDelegateFlagsAllowDynamicTensors = 1;

// What `builtin_data` points to.
struct TfLiteActivationParams {  // ADD, MUL
  TfLiteFusedActivation activation;
};
struct TfLiteFullyConnectedParams {
  TfLiteFusedActivation activation;
  int weights_format;
  bool keep_num_dims;
};
struct TfLiteReducerParams {
  bool keep_dims;
};

}  // extern "C"

#if UINTPTR_MAX == UINT64_MAX
static_assert(sizeof(TfLiteTensor) == 112 && sizeof(TfLiteNode) == 80, "layout of 64-bit TensorFlow Lite");
static_assert(sizeof(TfLiteRegistration) == 88 && sizeof(TfLiteDelegate) == 56, "layout of 64-bit TensorFlow Lite");
static_assert(offsetof(TfLiteContext, ReplaceNodeSubsetsWithDelegateKernels) == 64, "layout of 64-bit TensorFlow Lite");
#else
static_assert(sizeof(TfLiteTensor) == 64 && sizeof(TfLiteNode) == 40, "layout of 32-bit TensorFlow Lite");
static_assert(sizeof(TfLiteRegistration) == 48, "layout of 32-bit TensorFlow Lite");
static_assert(offsetof(TfLiteContext, ReplaceNodeSubsetsWithDelegateKernels) == 32, "layout of 32-bit TensorFlow Lite");
#ifdef __arm__  // Elsewhere `flags` may begin at any word.
static_assert(sizeof(TfLiteDelegate) == 40, "layout of 32-bit TensorFlow Lite");
#endif
#endif
