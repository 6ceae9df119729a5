package org.lqfda.demo

import android.content.Context
import org.lqfda.runtime.Model

/** How a network looks on the screen: a string and a colour among the resources. */
private class Look(
    val word: Int,
    val colour: Int,
)

private val Model.look: Look
    get() =
        when (this) {
            Model.BINARIZED -> Look(R.string.model_binarized, R.color.binarized)
            Model.INT8 -> Look(R.string.model_int8, R.color.int8)
            Model.FLOAT -> Look(R.string.model_float, R.color.float32)
        }

/** What a network is called on the screen. */
fun Model.word(context: Context): String = context.getString(look.word)

fun Model.colour(context: Context): Int = context.getColor(look.colour)

fun threadsWord(context: Context, threads: Int): String =
    context.resources.getQuantityString(R.plurals.threads, threads, threads)

/** How long an answer took, and who computed it. */
fun times(context: Context, answer: Answer): String {
    val times = context.getString(R.string.times, answer.modelMillis, answer.preprocessingMillis)
    val (taken, all) = answer.delegated ?: return times
    return times + "\n" + context.getString(R.string.delegated, taken, all)
}
