package org.lqfda.demo

import android.graphics.Bitmap
import android.os.Bundle
import org.json.JSONObject
import org.lqfda.runtime.Model

/** What is going on in the background. */
enum class Work { OPENING, CLASSIFYING, BENCHMARK, SELF_TEST }

/**
 * Everything that the main screen shows.
 *
 * @property info null until the bundle is open.
 * @property image of the picture, upright and of the screen's size.
 * @property progress of the work, 0 to 1.
 * @property checks null until a self-test has run.
 */
data class State(
    val info: BundleInfo? = null,
    val model: Model = Model.BINARIZED,
    val threads: Int = 1,
    val picture: Picture? = null,
    val image: Bitmap? = null,
    val answer: Answer? = null,
    val timings: List<Timing> = emptyList(),
    val checks: List<Check>? = null,
    val work: Work? = null,
    val progress: Float = 0f,
    val problem: Problem? = null,
) {
    /** Keeps what the system may ask for after it has ended the process; the rest is computed again. */
    fun save(saved: Bundle) {
        saved.putString(MODEL, model.name)
        saved.putInt(THREADS, threads)
        saved.putString(PICTURE, picture?.key)
        saved.putStringArrayList(TIMINGS, timings.mapTo(ArrayList()) { it.json })
    }

    companion object {
        private const val MODEL = "model"
        private const val THREADS = "threads"
        private const val PICTURE = "picture"
        private const val TIMINGS = "timings"

        fun restored(saved: Bundle) =
            State(
                model = Model.entries.firstOrNull { it.name == saved.getString(MODEL) } ?: Model.BINARIZED,
                threads = saved.getInt(THREADS, 1),
                picture = saved.getString(PICTURE)?.let(Picture::ofKey),
                timings = saved.getStringArrayList(TIMINGS).orEmpty().map(::timing),
            )

        private fun timing(json: String): Timing {
            val fields = JSONObject(json)
            val model = Model.entries.first { it.file == fields.getString("file") }
            return Timing(model, fields.getInt("threads"), fields.getDouble("median_ms"), fields.getDouble("p90_ms"), json)
        }
    }
}
