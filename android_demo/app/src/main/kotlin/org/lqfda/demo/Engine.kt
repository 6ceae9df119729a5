package org.lqfda.demo

import org.lqfda.runtime.Model
import org.lqfda.runtime.Photo
import java.io.Closeable

/** What the screens ask of the runtime; tests give a fake one. Used by one thread, which is never the main one. */
interface Engine : Closeable {
    val info: BundleInfo

    fun classify(photo: Photo, model: Model, threads: Int): Answer

    /**
     * Times the networks against each other, on one thread and on all.
     *
     * @param rounds runs of each that count.
     * @param command what was asked for, for the records.
     * @param progress is told how many of how many rounds are done.
     */
    fun benchmark(rounds: Int, command: String, progress: (done: Int, total: Int) -> Unit): List<Timing>

    fun selfTest(): List<Check>
}

/** @property accuracy top-1 on the test images by network, as fractions. */
data class BundleInfo(
    val name: String,
    val classes: Int,
    val models: List<Model>,
    val accuracy: Map<String, Double>,
)

data class Guess(
    val label: String,
    val probability: Float,
)

/** @property delegated how many of how many operators our delegate runs; null if it is not asked. */
data class Answer(
    val guesses: List<Guess>,
    val preprocessingMillis: Double,
    val modelMillis: Double,
    val delegated: Pair<Int, Int>?,
)

/** @property json the whole record, as one line. */
data class Timing(
    val model: Model,
    val threads: Int,
    val medianMillis: Double,
    val p90Millis: Double,
    val json: String,
)

data class Check(
    val model: Model,
    val images: Int,
    val sameTop1: Int,
    val difference: Double,
    val tolerance: Double,
    val passed: Boolean,
)
