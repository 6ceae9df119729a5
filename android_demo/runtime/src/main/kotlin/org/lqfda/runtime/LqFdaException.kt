package org.lqfda.runtime

/**
 * Something cannot be used: a file, an image, a device.
 *
 * The message says what is wrong, what was expected, what was received, and what to do about it.
 */
open class LqFdaException internal constructor(message: String, cause: Throwable? = null) : Exception(message, cause)

/** The library for this processor is missing or does not load, or the runtime is one that it does not know. */
class LibraryException internal constructor(message: String, cause: Throwable? = null) : LqFdaException(message, cause)

/** A bundle is damaged, incomplete or newer than this library. */
class BundleException internal constructor(message: String, cause: Throwable? = null) : LqFdaException(message, cause)

/** An image cannot be decoded or used. */
class ImageException internal constructor(message: String, cause: Throwable? = null) : LqFdaException(message, cause)

/** A model cannot be loaded, or fails as it runs. */
class ModelException internal constructor(message: String, cause: Throwable? = null) : LqFdaException(message, cause)
