package org.lqfda.demo

import android.content.Context
import org.lqfda.runtime.Model

/** What a network is called on the screen. */
fun Model.word(context: Context): String =
    context.getString(
        when (this) {
            Model.BINARIZED -> R.string.model_binarized
            Model.INT8 -> R.string.model_int8
            Model.FLOAT -> R.string.model_float
        },
    )

fun Model.colour(context: Context): Int =
    context.getColor(
        when (this) {
            Model.BINARIZED -> R.color.binarized
            Model.INT8 -> R.color.int8
            Model.FLOAT -> R.color.float32
        },
    )

fun threadsWord(context: Context, threads: Int): String =
    context.resources.getQuantityString(R.plurals.threads, threads, threads)

/** How long an answer took, and who computed it. */
fun times(context: Context, answer: Answer): String {
    val times = context.getString(R.string.times, answer.modelMillis, answer.preprocessingMillis)
    val (taken, all) = answer.delegated ?: return times
    return times + "\n" + context.getString(R.string.delegated, taken, all)
}
