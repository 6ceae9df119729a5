// The external-delegate interface: what an interpreter loads by name.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#ifdef __ANDROID__
#include <android/log.h>
#endif

#include "abi/tflite.h"
#include "base/threads.h"
#include "delegate/claims.h"
#include "delegate/options.h"
#include "delegate/report.h"
#include "ops/partition.h"

// Placement new without the C++ library's header.
struct Here {
  void* memory;
};
inline void* operator new(size_t, Here here) noexcept { return here.memory; }

namespace lqfda {
namespace {

struct Delegate {
  TfLiteDelegate interface;
  Options options;
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;  // Of all that follows, while no partition of it runs.
  Pool* pool = nullptr;
  int threads = 1;
  // The graph that the report is about: the first, which runs the others where a file holds several.
  const TfLiteContext* reported = nullptr;
  Arena arena;  // Of its claims.
  List<Claim> claims;
  Part* parts = nullptr;
  int part_count = 0;
  Text report;
  int uses = 1;  // Its owner's and its partitions': the last of them deletes it.
};

// Holds a delegate's mutex: several interpreters, on threads of their own, may be built with one delegate.
class Lock {
 public:
  explicit Lock(Delegate* delegate) : mutex_(&delegate->mutex) { pthread_mutex_lock(mutex_); }
  Lock(const Lock&) = delete;
  ~Lock() { pthread_mutex_unlock(mutex_); }

 private:
  pthread_mutex_t* mutex_;
};

template <class Object, class... Arguments>
Object* NewObject(Arguments&... arguments) {
  void* memory = calloc(1, sizeof(Object));
  return memory == nullptr ? nullptr : new (Here{memory}) Object(arguments...);
}

template <class Object>
void DeleteObject(Object* object) {
  object->~Object();
  free(object);
}

Delegate* Of(TfLiteDelegate* delegate) { return static_cast<Delegate*>(delegate->data_); }

// The owner may destroy a delegate while an interpreter goes on with it.
void Release(Delegate* delegate) {
  if (__atomic_sub_fetch(&delegate->uses, 1, __ATOMIC_ACQ_REL) > 0) return;
  DestroyPool(delegate->pool);
  DeleteObject(delegate);
}

void Report(TfLiteContext* context, int node, const char* problem) {
  if (node < 0) {
    context->ReportError(context, "lq_fda: %s.\n", problem);
  } else {
    context->ReportError(context, "lq_fda: node %d cannot be run: %s.\n", node, problem);
  }
}

// For whoever looks for it: Android drops what an app writes to stderr.
void Tell(const char* line) {
#ifdef __ANDROID__
  __android_log_write(ANDROID_LOG_INFO, "lq_fda", line);
#else
  fprintf(stderr, "lq_fda: %s\n", line);
#endif
}

// What the interpreter keeps for a partition.
struct Kernel {
  Delegate* delegate;
  Part* part;
};

void Free(TfLiteContext*, void* data) {
  auto* kernel = static_cast<Kernel*>(data);
  if (kernel == nullptr) return;
  Delegate* delegate = kernel->delegate;
  {
    const Lock lock(delegate);
    Part** link = &delegate->parts;
    while (*link != nullptr && *link != kernel->part) link = &(*link)->next;
    if (*link != nullptr) *link = kernel->part->next;
    if (delegate->parts == nullptr) delegate->reported = nullptr;  // The next interpreter's graphs are others.
  }
  DeleteObject(kernel->part);
  free(kernel);
  Release(delegate);
}

void* Init(TfLiteContext* context, const char* buffer, size_t) {
  const auto* params = reinterpret_cast<const TfLiteDelegateParams*>(buffer);
  Delegate* delegate = Of(params->delegate);
  const PartitionSettings settings = {delegate->options.kernels, delegate->options.profile};
  auto* kernel = static_cast<Kernel*>(calloc(1, sizeof(Kernel)));
  Part* part = NewObject<Part>(settings);
  if (kernel == nullptr || part == nullptr) {
    Report(context, -1, kNoMemory);
    if (part != nullptr) DeleteObject(part);
    free(kernel);
    return nullptr;
  }
  *kernel = {delegate, part};
  __atomic_add_fetch(&delegate->uses, 1, __ATOMIC_RELAXED);
  part->graph = context;
  const char* problem = part->partition.Init(context, *params);
  if (problem != nullptr) {
    Report(context, part->partition.problem_node(), problem);
    Free(context, kernel);
    return nullptr;
  }
  const Lock lock(delegate);
  part->number = delegate->part_count++;
  Part** link = &delegate->parts;
  while (*link != nullptr) link = &(*link)->next;
  *link = part;
  return kernel;
}

TfLiteStatus EnsurePool(TfLiteContext* context, Delegate* delegate) {
  int threads = delegate->options.num_threads > 0 ? delegate->options.num_threads : context->recommended_num_threads;
  if (threads < 1) threads = 1;
  if (delegate->threads == threads) return kTfLiteOk;
  for (const Part* part = delegate->parts; part != nullptr; part = part->next) {
    // Another graph's partitions may be running in the pool right now: all go on with its threads.
    if (part->graph != context) return kTfLiteOk;
  }
  DestroyPool(delegate->pool);
  delegate->pool = CreatePool(threads);
  delegate->threads = delegate->pool == nullptr ? 1 : threads;
  if (delegate->pool != nullptr) return kTfLiteOk;
  Report(context, -1, "the threads could not be started; ask for fewer");
  return kTfLiteError;
}

TfLiteStatus Prepare(TfLiteContext* context, TfLiteNode* node) {
  auto* kernel = static_cast<Kernel*>(node->user_data);
  if (kernel == nullptr) return kTfLiteError;
  const Lock lock(kernel->delegate);
  const char* problem = kernel->part->partition.Prepare(context, *node);
  if (problem != nullptr) {
    Report(context, kernel->part->partition.problem_node(), problem);
    return kTfLiteError;
  }
  return EnsurePool(context, kernel->delegate);
}

TfLiteStatus Invoke(TfLiteContext* context, TfLiteNode* node) {
  auto* kernel = static_cast<Kernel*>(node->user_data);
  kernel->part->partition.Run(context, kernel->delegate->pool);
  return kTfLiteOk;
}

// The nodes of a graph that the delegate takes, to be freed; null, and a message, where that cannot be found out.
TfLiteIntArray* TakenNodes(TfLiteContext* context, const TfLiteIntArray& plan, Delegate* delegate) {
  const Lock lock(delegate);
  if (delegate->reported == nullptr) delegate->reported = context;
  const bool is_reported = delegate->reported == context;
  Arena own_arena;
  List<Claim> own_claims;
  Arena& arena = is_reported ? delegate->arena : own_arena;
  List<Claim>& claims = is_reported ? delegate->claims : own_claims;
  claims = {};
  arena.Clear();
  int failed = -1;
  const char* problem = ClaimNodes(context, plan, delegate->options.fuse, &arena, &claims, &failed);
  auto* nodes = static_cast<TfLiteIntArray*>(malloc(sizeof(int) * (static_cast<size_t>(plan.size) + 1)));
  if (problem != nullptr || nodes == nullptr) {
    Report(context, failed, problem == nullptr ? kNoMemory : problem);
    free(nodes);
    return nullptr;
  }
  nodes->size = 0;
  for (const Claim& claim : claims) {
    if (claim.taken) nodes->data[nodes->size++] = claim.node;
  }
  return nodes;
}

TfLiteStatus PrepareDelegate(TfLiteContext* context, TfLiteDelegate* interface) {
  Delegate* delegate = Of(interface);
  TfLiteIntArray* plan = nullptr;
  if (context->GetExecutionPlan(context, &plan) != kTfLiteOk || plan == nullptr) return kTfLiteError;
  const char* difference = CheckLayout(context, *plan);
  if (difference != nullptr) {
    context->ReportError(context, "lq_fda: this interpreter is laid out in a way that the delegate does not know: %s. "
                         "Use LiteRT 1.0 to 2.3, TensorFlow 2.14 to 2.21 or tflite-runtime 2.14, or update "
                         "lq-fda-runtime.\n",
                         difference);
    return kTfLiteError;
  }
  TfLiteIntArray* nodes = TakenNodes(context, *plan, delegate);
  if (nodes == nullptr) return kTfLiteError;
  TfLiteRegistration registration = {};
  registration.init = Init;
  registration.free = Free;
  registration.prepare = Prepare;
  registration.invoke = Invoke;
  registration.builtin_code = kTfLiteBuiltinDelegate;
  registration.custom_name = "LqFdaDelegate";
  registration.version = 1;
  if (delegate->options.verbose) {
    char line[96];
    snprintf(line, sizeof(line), "takes %d of %d nodes, kernels for %s", nodes->size, plan->size,
             IsaName(delegate->options.kernels->isa));
    Tell(line);
  }
  TfLiteStatus status = kTfLiteOk;
  if (nodes->size > 0) {
    status = context->ReplaceNodeSubsetsWithDelegateKernels(context, registration, nodes, interface);
  }
  free(nodes);
  return status;
}

}  // namespace
}  // namespace lqfda

#define LQ_FDA_EXPORT extern "C" __attribute__((visibility("default")))

LQ_FDA_EXPORT TfLiteDelegate* tflite_plugin_create_delegate(const char* const* keys, const char* const* values,
                                                            size_t count, void (*report_error)(const char*)) {
  using namespace lqfda;
  Delegate* delegate = NewObject<Delegate>();
  char text[256];
  const char* problem = delegate == nullptr
                            ? "lq_fda: there is not enough memory."
                            : ReadOptions(keys, values, count, &delegate->options, text, sizeof(text));
  if (problem != nullptr) {
    if (report_error != nullptr) report_error(problem);
    if (delegate != nullptr) DeleteObject(delegate);
    return nullptr;
  }
  delegate->interface.data_ = delegate;
  delegate->interface.Prepare = PrepareDelegate;
  delegate->interface.flags = kTfLiteDelegateFlagsAllowDynamicTensors;
  return &delegate->interface;
}

LQ_FDA_EXPORT void tflite_plugin_destroy_delegate(TfLiteDelegate* interface) {
  using namespace lqfda;
  if (interface != nullptr) Release(Of(interface));
}

// JSON: which nodes the delegate took, why not the others, and what its steps cost. Valid until the next call; to be
// called by one thread at a time.
LQ_FDA_EXPORT const char* lq_fda_delegate_report(TfLiteDelegate* interface) {
  using namespace lqfda;
  Delegate* delegate = Of(interface);
  const Lock lock(delegate);
  WriteReport(delegate->options, delegate->threads, delegate->claims, delegate->parts, delegate->reported,
              &delegate->report);
  return delegate->report.text();
}

namespace lqfda {
namespace {

char isas_text[64];

void WriteIsas() {
  size_t used = 0;
  for (Isa isa : kIsas) {
    if (KernelsFor(isa) == nullptr || !IsaIsAvailable(isa)) continue;
    used += static_cast<size_t>(
        snprintf(isas_text + used, sizeof(isas_text) - used, "%s\"%s\"", used == 0 ? "[" : ", ", IsaName(isa)));
  }
  snprintf(isas_text + used, sizeof(isas_text) - used, "]");
}

}  // namespace
}  // namespace lqfda

// JSON: the instruction sets that this library and this processor have, best first.
LQ_FDA_EXPORT const char* lq_fda_delegate_isas() {
  static pthread_once_t written = PTHREAD_ONCE_INIT;
  pthread_once(&written, lqfda::WriteIsas);
  return lqfda::isas_text;
}
