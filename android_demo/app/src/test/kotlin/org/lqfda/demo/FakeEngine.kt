package org.lqfda.demo

import org.json.JSONObject
import org.lqfda.runtime.Model
import org.lqfda.runtime.Photo
import java.util.concurrent.CountDownLatch

/** Answers at once, and remembers what it was asked. */
class FakeEngine(
    override val info: BundleInfo = BundleInfo("resnet20-digits", 10, Model.entries, mapOf("binarized" to 0.912)),
) : Engine {
    val asked = mutableListOf<String>()
    var error: Throwable? = null
    var passes = true

    /** A benchmark waits for it, half way. */
    var goOn: CountDownLatch? = null

    /** A classification of a picture of that many columns waits for it. */
    var slow: Pair<Int, CountDownLatch>? = null

    override fun classify(photo: Photo, model: Model, threads: Int): Answer {
        ask("classify $model $threads ${photo.width}x${photo.height}")
        slow?.let { (width, goOn) ->
            if (photo.width == width) {
                goOn.await()
                return Answer(listOf(Guess("slow", 1f)), 1.0, 1.0, null)
            }
        }
        val guesses = listOf(Guess("three", 0.873f), Guess("eight", 0.094f), Guess("five", 0.011f))
        return Answer(guesses, 0.41, 3.27, if (model == Model.BINARIZED) 80 to 80 else null)
    }

    override fun benchmark(rounds: Int, command: String, progress: (Int, Int) -> Unit): List<Timing> {
        ask("benchmark $rounds $command")
        progress(rounds / 2, rounds)
        goOn?.await()
        return listOf(1, 4).flatMap { threads ->
            listOf(Model.BINARIZED to 3.1, Model.INT8 to 5.9, Model.FLOAT to 14.2).map { (model, millis) ->
                val median = millis / (1 + threads / 4)
                val fields = mapOf("file" to model.file, "threads" to threads, "median_ms" to median, "p90_ms" to median * 1.15)
                Timing(model, threads, median, median * 1.15, JSONObject(fields).toString())
            }
        }
    }

    override fun selfTest(): List<Check> {
        ask("self-test")
        return listOf(
            Check(Model.BINARIZED, 8, if (passes) 8 else 3, if (passes) 5e-7 else 1.3, 0.25, passes),
            Check(Model.INT8, 8, 8, 0.031, 0.25, true),
            Check(Model.FLOAT, 8, 8, 2e-6, 1e-3, true),
        )
    }

    override fun close() {
        asked += "close"
    }

    private fun ask(what: String) {
        asked += what
        error?.let { throw it }
    }
}
