package org.lqfda.runtime

import android.os.Build

/**
 * The functions of `liblq_fda_delegate.so`, which registers them by this class's name and theirs: the shrinker must keep
 * both.
 */
internal object NativeLibrary {
    private const val NAME = "lq_fda_delegate"

    /** @throws LibraryException it is missing, or for another processor. */
    fun load(name: String = NAME, loader: (String) -> Unit = { System.loadLibrary(it) }) {
        try {
            loader(name)
        } catch (error: LinkageError) { // Also what is no UnsatisfiedLinkError: a class that a shrinker renamed.
            throw LibraryException(
                "The native library for this processor is missing or does not load. " +
                    "Expected lib$name.so for one of ${Build.SUPPORTED_ABIS?.joinToString()}. " +
                    "Received: ${error.message}. " +
                    "Keep the runtime module's jniLibs for arm64-v8a, armeabi-v7a and x86_64 in the app.",
                error,
            )
        }
    }

    /** A `TfLiteDelegate*`; IllegalArgumentException with the library's own words if it refuses an option. */
    @JvmStatic
    external fun create(keys: Array<String>, values: Array<String>): Long

    @JvmStatic
    external fun destroy(handle: Long)

    /** JSON; see [DelegateReport]. */
    @JvmStatic
    external fun report(handle: Long): String

    /** JSON: a list of names, the best first. */
    @JvmStatic
    external fun isas(): String
}
