// What org.lqfda.runtime.NativeLibrary calls. Whatever comes through this door ends as a value or as a Java exception:
// arrays may be null or of different lengths, and a handle may be one that was never given out or is gone.
#include <jni.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "abi/tflite.h"
#include "base/arena.h"

extern "C" {
TfLiteDelegate* tflite_plugin_create_delegate(const char* const* keys, const char* const* values, size_t count,
                                              void (*report_error)(const char*));
void tflite_plugin_destroy_delegate(TfLiteDelegate* delegate);
const char* lq_fda_delegate_report(TfLiteDelegate* delegate);
const char* lq_fda_delegate_isas();
}

namespace {

using lqfda::Arena;

constexpr char kClass[] = "org/lqfda/runtime/NativeLibrary";
constexpr char kIllegalArgument[] = "java/lang/IllegalArgumentException";
constexpr char kIllegalState[] = "java/lang/IllegalStateException";
constexpr char kOutOfMemory[] = "java/lang/OutOfMemoryError";
constexpr char kNoMemory[] = "lq_fda: there is not enough memory.";
constexpr char kGone[] = "lq_fda: there is no such delegate. Expected a handle of create() that destroy() has not got.";

// Far more than there are options and than their values are long: a mistake is refused before it takes memory.
constexpr jsize kMostOptions = 64;
constexpr jsize kLongestText = 1024;

// Without effect where an exception is on its way already: the first one tells what happened.
void Throw(JNIEnv* env, const char* type, const char* message) {
  if (env->ExceptionCheck()) return;
  jclass found = env->FindClass(type);
  if (found == nullptr) return;
  env->ThrowNew(found, message);
  env->DeleteLocalRef(found);
}

struct Live {
  TfLiteDelegate* delegate;
  Live* next;
};

// Guards what follows. It is also held while a report is written, so that no thread destroys the delegate meanwhile.
pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
Live* live = nullptr;
// `report_error` has no argument for a context, and a variable of each thread would need a run-time library.
char refusal[512];

class Turn {
 public:
  Turn() { pthread_mutex_lock(&turn); }
  ~Turn() { pthread_mutex_unlock(&turn); }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
};

// An exception's message is modified UTF-8, which printable ASCII always is.
void KeepRefusal(const char* message) {
  size_t size = 0;
  for (; message[size] != 0 && size + 1 < sizeof(refusal); ++size) {
    refusal[size] = message[size] < 0x20 || message[size] > 0x7e ? '?' : message[size];
  }
  refusal[size] = 0;
}

// The place of the entry for a handle; what it points to is null if there is none. Only while it is this thread's turn.
Live** Find(jlong handle) {
  Live** link = &live;
  while (*link != nullptr && reinterpret_cast<intptr_t>((*link)->delegate) != handle) link = &(*link)->next;
  return link;
}

// Copies strings into the arena. False, and an exception, if that cannot be done.
bool ReadTexts(JNIEnv* env, jobjectArray array, jsize count, Arena* arena, const char*** texts) {
  *texts = arena->New<const char*>(static_cast<size_t>(count));
  for (jsize i = 0; *texts != nullptr && i < count; ++i) {
    auto text = static_cast<jstring>(env->GetObjectArrayElement(array, i));
    if (text == nullptr) {
      Throw(env, kIllegalArgument, "lq_fda: an option's name or value is null.");
      return false;
    }
    const jsize length = env->GetStringLength(text);
    if (length > kLongestText) {
      Throw(env, kIllegalArgument, "lq_fda: an option's name or value is longer than 1024 characters.");
      return false;
    }
    // A character takes three bytes at most; character 0 takes two, so none of them ends the text early.
    auto* bytes = arena->New<char>(3 * static_cast<size_t>(length) + 1);
    if (bytes == nullptr) {
      Throw(env, kOutOfMemory, kNoMemory);
      return false;
    }
    env->GetStringUTFRegion(text, 0, length, bytes);
    env->DeleteLocalRef(text);
    (*texts)[i] = bytes;
  }
  if (*texts == nullptr) Throw(env, kOutOfMemory, kNoMemory);
  return *texts != nullptr;
}

jstring NewText(JNIEnv* env, const char* ascii) {
  for (const char* at = ascii; *at != 0; ++at) {
    if (static_cast<unsigned char>(*at) > 0x7e) {
      Throw(env, kIllegalState, "lq_fda: the library's answer is not ASCII; please report this.");
      return nullptr;
    }
  }
  return env->NewStringUTF(ascii);
}

jlong Create(JNIEnv* env, jclass, jobjectArray keys, jobjectArray values) {
  if (keys == nullptr || values == nullptr) {
    Throw(env, kIllegalArgument, "lq_fda: the options' names or values are null. Expected an array; it may be empty.");
    return 0;
  }
  const jsize count = env->GetArrayLength(keys);
  if (count != env->GetArrayLength(values)) {
    Throw(env, kIllegalArgument, "lq_fda: there are not as many values as options. Expected a value for each.");
    return 0;
  }
  if (count > kMostOptions) {
    Throw(env, kIllegalArgument, "lq_fda: there are more than 64 options. Expected each of them once.");
    return 0;
  }
  Arena arena;
  const char **key_texts, **value_texts;
  if (!ReadTexts(env, keys, count, &arena, &key_texts)) return 0;
  if (!ReadTexts(env, values, count, &arena, &value_texts)) return 0;
  auto* entry = static_cast<Live*>(malloc(sizeof(Live)));
  if (entry == nullptr) {
    Throw(env, kOutOfMemory, kNoMemory);
    return 0;
  }
  char problem[sizeof(refusal)];
  {
    Turn mine;
    refusal[0] = 0;
    TfLiteDelegate* delegate =
        tflite_plugin_create_delegate(key_texts, value_texts, static_cast<size_t>(count), KeepRefusal);
    if (delegate != nullptr) {
      *entry = {delegate, live};
      live = entry;
      return static_cast<jlong>(reinterpret_cast<intptr_t>(delegate));
    }
    memcpy(problem, refusal, sizeof(problem));
  }
  free(entry);
  Throw(env, strcmp(problem, kNoMemory) == 0 ? kOutOfMemory : kIllegalArgument, problem);
  return 0;
}

void Destroy(JNIEnv* env, jclass, jlong handle) {
  Live* found;
  {
    Turn mine;
    Live** link = Find(handle);
    found = *link;
    if (found != nullptr) *link = found->next;
  }
  if (found == nullptr) {
    Throw(env, kIllegalState, kGone);
    return;
  }
  // It waits for the delegate's threads: not in this thread's turn.
  tflite_plugin_destroy_delegate(found->delegate);
  free(found);
}

jstring Report(JNIEnv* env, jclass, jlong handle) {
  Turn mine;
  const Live* found = *Find(handle);
  if (found == nullptr) {
    Throw(env, kIllegalState, kGone);
    return nullptr;
  }
  const char* text = lq_fda_delegate_report(found->delegate);
  if (*text == 0) {
    Throw(env, kOutOfMemory, kNoMemory);
    return nullptr;
  }
  return NewText(env, text);
}

jstring Isas(JNIEnv* env, jclass) { return NewText(env, lq_fda_delegate_isas()); }

template <class Function>
JNINativeMethod Method(const char* name, const char* signature, Function* function) {
  // Not constant in every jni.h, though nobody writes to them.
  return {const_cast<char*>(name), const_cast<char*>(signature), reinterpret_cast<void*>(function)};
}

}  // namespace

extern "C" JNIEXPORT jint JNICALL JNI_OnLoad(JavaVM* machine, void*) {
  void* env_pointer = nullptr;
  if (machine->GetEnv(&env_pointer, JNI_VERSION_1_6) != JNI_OK) return JNI_ERR;
  auto* env = static_cast<JNIEnv*>(env_pointer);
  // Where a shrinker renamed the class or a function, this fails, and so does System.loadLibrary, at once.
  jclass owner = env->FindClass(kClass);
  if (owner == nullptr) return JNI_ERR;
  const JNINativeMethod methods[] = {
      Method("create", "([Ljava/lang/String;[Ljava/lang/String;)J", Create),
      Method("destroy", "(J)V", Destroy),
      Method("report", "(J)Ljava/lang/String;", Report),
      Method("isas", "()Ljava/lang/String;", Isas),
  };
  const jint status = env->RegisterNatives(owner, methods, sizeof(methods) / sizeof(*methods));
  env->DeleteLocalRef(owner);
  return status == JNI_OK ? JNI_VERSION_1_6 : JNI_ERR;
}
