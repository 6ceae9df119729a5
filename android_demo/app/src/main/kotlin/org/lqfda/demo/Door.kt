package org.lqfda.demo

import android.content.Intent
import org.json.JSONObject
import java.io.File
import java.io.IOException

/**
 * What adb asks for:
 *
 * ```
 * adb shell am start -n org.lqfda.demo/.FromAdb --es bundle NAME --ez benchmark true [--ei rounds 100]
 * adb pull /sdcard/Android/data/org.lqfda.demo/files/benchmark.jsonl
 * ```
 *
 * NAME is a folder that was pushed to that place; `bundle`, if there is no such folder, is the one in the app. The run is
 * over when `benchmark.done` is there: `{"status": "ok", "records": 6}` or `{"status": "error", "message": "..."}`.
 *
 * `.FromAdb` is another name of the main screen, which the system opens to those alone who may dump its state, as adb's
 * shell may. By the name that the launcher knows any app can start the screen, and what it asks for then is passed over.
 */
class Door(
    val bundle: String,
    val benchmark: Boolean,
    val rounds: Int,
) {
    /** How the records call it. */
    val command get() = "am start -n org.lqfda.demo/.FromAdb --es bundle $bundle --ez benchmark true --ei rounds $rounds"

    companion object {
        const val BUNDLE = "bundle"
        const val ROUNDS = 100
        private const val NAME = "org.lqfda.demo.FromAdb"
        private const val MOST_ROUNDS = 100_000
        private val PLAIN_NAME = Regex("[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")

        /** Whether it came by the name that is adb's, and asks for something. */
        fun isAskedBy(intent: Intent): Boolean =
            intent.component?.className == NAME && (intent.hasExtra("bundle") || intent.hasExtra("benchmark"))

        /** @throws IllegalArgumentException the name is no plain one, or the number of rounds no sensible one. */
        fun of(intent: Intent): Door {
            val name = intent.getStringExtra("bundle") ?: BUNDLE
            val rounds = intent.getIntExtra("rounds", ROUNDS)
            require(PLAIN_NAME.matches(name)) {
                "Expected the plain name of a folder. Received: bundle=${name.take(60)}. Push the folder and give its name."
            }
            require(rounds in 1..MOST_ROUNDS) { "Expected 1 to $MOST_ROUNDS rounds. Received: rounds=$rounds." }
            return Door(name, intent.getBooleanExtra("benchmark", false), rounds)
        }
    }
}

/** The files behind the door; each is whole or absent. */
class DoorFiles(
    private val folder: File?,
) {
    /** Removes those of an earlier run. */
    fun clear() {
        folder?.let {
            File(it, DONE).delete()
            File(it, RECORDS).delete()
        }
    }

    /** @throws IOException they cannot be written. */
    fun write(result: Result<List<String>>) {
        val status = JSONObject()
        result.fold(
            { records ->
                write(RECORDS, records.joinToString("") { "$it\n" })
                status.put("status", "ok").put("records", records.size)
            },
            { error -> status.put("status", "error").put("message", error.message ?: error.javaClass.name) },
        )
        write(DONE, "$status\n")
    }

    private fun write(name: String, content: String) {
        val unfinished = File(folder ?: throw IOException("The device's storage is not there now."), "$name.unfinished")
        unfinished.writeText(content)
        if (!unfinished.renameTo(File(folder, name))) throw IOException("$name cannot be written.")
    }

    private companion object {
        const val RECORDS = "benchmark.jsonl"
        const val DONE = "benchmark.done"
    }
}
