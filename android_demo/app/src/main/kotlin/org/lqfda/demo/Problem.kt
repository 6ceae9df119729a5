package org.lqfda.demo

import org.lqfda.runtime.BundleException
import org.lqfda.runtime.ImageException
import org.lqfda.runtime.LibraryException
import org.lqfda.runtime.ModelException
import java.io.IOException

/**
 * What went wrong, for the screen.
 *
 * @property sentence a string resource, in the user's language.
 * @property details what the runtime says, in English; empty if it says nothing.
 */
data class Problem(
    val sentence: Int,
    val details: String = "",
) {
    companion object {
        fun of(error: Throwable): Problem {
            val sentence =
                when (error) {
                    is BundleException -> R.string.problem_bundle
                    is LibraryException -> R.string.problem_library
                    is ModelException -> R.string.problem_model
                    is ImageException, is IOException, is SecurityException -> R.string.problem_image
                    is OutOfMemoryError -> R.string.problem_memory
                    else -> R.string.problem_unexpected
                }
            return Problem(sentence, error.message ?: error.javaClass.name)
        }
    }
}
