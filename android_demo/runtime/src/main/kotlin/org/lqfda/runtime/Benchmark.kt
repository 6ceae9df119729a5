package org.lqfda.runtime

import android.content.Context
import org.json.JSONArray
import org.json.JSONObject
import java.time.Instant
import java.time.temporal.ChronoUnit
import java.util.Random
import java.util.UUID
import kotlin.math.floor

/**
 * How often to run.
 *
 * @property rounds runs of every network that count.
 * @property warmups runs of every network that do not.
 * @property settle runs of a network in front of each that counts, which do not: after its peers ran it takes some runs
 *   until its weights are back in the caches.
 */
class Protocol(
    val rounds: Int = 100,
    val warmups: Int = 20,
    val settle: Int = 8,
) {
    init {
        require(rounds >= 1 && warmups >= 0 && settle >= 0) {
            "There is nothing to measure. Expected at least 1 round, and 0 other runs. " +
                "Received: rounds=$rounds, warmups=$warmups, settle=$settle."
        }
    }
}

/**
 * Times a bundle's networks against each other on this device: in every round each of them runs once, in an order drawn
 * anew, so that what else the device does strikes all of them alike.
 *
 * @param context any; asked for the device's thermal status.
 * @param protocol how often to run.
 */
class Benchmark(
    context: Context,
    private val protocol: Protocol = Protocol(),
) {
    private val device = Device(context.applicationContext)

    /**
     * Runs the benchmark.
     *
     * Call it off the main thread; interrupting the thread cancels it.
     *
     * @param bundle its networks are timed: the 1-bit one with the delegate, its twins on XNNPACK.
     * @param threads thread counts; each is a run of its own. By default 1 and all processors.
     * @param command what was asked for, for the records.
     * @param progress is told how many of how many rounds are done, on the calling thread.
     * @return one record for each network and thread count.
     * @throws BundleException the bundle is damaged, or holds no network.
     * @throws LibraryException the native library is missing or for another processor.
     * @throws ModelException a network cannot be run.
     * @throws IllegalArgumentException the device has fewer processors than `threads` asks for.
     * @throws IllegalStateException this is the main thread.
     * @throws InterruptedException the thread was interrupted.
     */
    @Throws(InterruptedException::class)
    fun run(
        bundle: Bundle,
        threads: List<Int> = listOf(1, Runtime.getRuntime().availableProcessors()).distinct(),
        command: String = "",
        progress: (done: Int, total: Int) -> Unit = { _, _ -> },
    ): List<BenchmarkRecord> {
        requireBackground("A benchmark")
        require(threads.isNotEmpty()) { "Expected thread counts such as 1 and 4. Received: none." }
        threads.forEach(::requireThreads) // All of them, before the first takes its time.
        val models = bundle.requireModels()
        val total = threads.size * protocol.rounds
        return threads.flatMapIndexed { index, count ->
            val sessions = mutableListOf<Session>()
            try {
                models.mapTo(sessions) { Session(bundle, it, count) }
                val before = device.thermalStatus()
                val times = time(sessions) { done -> progress(index * protocol.rounds + done, total) }
                val shared = shared(bundle, count, command, before)
                sessions.map { BenchmarkRecord(shared + ofSession(bundle, it) + ofTimes(times.getValue(it.model))) }
            } finally {
                sessions.forEach(Session::close)
            }
        }
    }

    private fun time(sessions: List<Session>, progress: (Int) -> Unit): Map<Model, LongArray> {
        val random = Random(0)
        for (session in sessions) {
            val values = session.inputValues
            for (index in 0 until values.capacity()) values.put(index, random.nextGaussian().toFloat())
            repeat(protocol.warmups) { runUnlessInterrupted(session) }
        }
        val times = sessions.associate { it.model to LongArray(protocol.rounds) }
        val order = sessions.toMutableList()
        for (round in 0 until protocol.rounds) {
            order.shuffle(random)
            for (session in order) {
                repeat(protocol.settle) { runUnlessInterrupted(session) }
                stopIfInterrupted()
                val began = System.nanoTime()
                session.run()
                times.getValue(session.model)[round] = System.nanoTime() - began
            }
            progress(round + 1)
        }
        return times
    }

    /** Of a large network, the runs of a single round may take seconds. */
    private fun runUnlessInterrupted(session: Session) {
        stopIfInterrupted()
        session.run()
    }

    private fun shared(bundle: Bundle, threads: Int, command: String, thermalBefore: String): Map<String, Any?> =
        mapOf(
            "kind" to "latency",
            "run" to UUID.randomUUID().toString().replace("-", ""),
            "date" to Instant.now().truncatedTo(ChronoUnit.SECONDS).toString().replace("Z", "+00:00"),
            "bundle" to bundle.name,
            "threads" to threads,
            "rounds" to protocol.rounds,
            "warmups" to protocol.warmups,
            "settle" to protocol.settle,
            "environment" to
                device.describe() + mapOf("thermal_before" to thermalBefore, "thermal_after" to device.thermalStatus()),
            "command" to command,
        )

    private fun ofSession(bundle: Bundle, session: Session): Map<String, Any?> {
        val report = session.report
        return mapOf(
            "file" to session.model.file,
            "sha256" to bundle.sha256(session.model),
            "runtime" to if (report == null) "litert" else "lq_fda",
            "runtime_version" to (report?.version ?: Device.tfliteVersion()),
            "settings" to
                mapOf("interpreter" to "tflite ${Device.tfliteVersion()}", "xnnpack" to session.xnnpack) +
                (report?.let { mapOf("isa" to it.isa, "fuse" to it.fuse, "lq_fda_nodes" to it.taken) } ?: emptyMap()),
            "input_shape" to session.inputShape.toList(),
            "file_bytes" to bundle.bytes(session.model),
            "peak_memory_bytes" to null,
            "delegated_nodes" to null, // Of ours and XNNPACK's together, which TFLite's Java interface does not tell.
            "total_nodes" to report?.nodes?.size,
        )
    }

    private fun ofTimes(nanos: LongArray): Map<String, Any?> {
        val millis = nanos.map { it / NANOS }.sorted()
        return mapOf(
            "median_ms" to quantile(millis, 0.5),
            "p90_ms" to quantile(millis, 0.9),
            "min_ms" to millis.first(),
        )
    }

    /** As numpy's default: linear between the two nearest. */
    private fun quantile(sorted: List<Double>, share: Double): Double {
        val place = share * (sorted.size - 1)
        val below = floor(place).toInt()
        val above = minOf(below + 1, sorted.size - 1)
        return sorted[below] + (sorted[above] - sorted[below]) * (place - below)
    }

    private companion object {
        const val NANOS = 1e6
    }
}

/**
 * The times of one network, with everything that one must know to trust them; the fields are those of
 * `lq_fda.artifacts.BenchmarkRecord`.
 *
 * Records that share `run` were measured together: only those may be compared as ratios.
 */
class BenchmarkRecord internal constructor(
    private val fields: Map<String, Any?>,
) {
    /** The network's file. */
    val file: String get() = fields["file"] as String

    /** How many ran the network. */
    val threads: Int get() = fields["threads"] as Int

    /** Milliseconds for one image, copies in and out included. */
    val medianMillis: Double get() = fields["median_ms"] as Double

    /** Nine of ten runs were at least as fast: milliseconds. */
    val p90Millis: Double get() = fields["p90_ms"] as Double

    /** The fastest run: milliseconds. */
    val minMillis: Double get() = fields["min_ms"] as Double

    /** Size of the file. */
    val fileBytes: Int get() = fields["file_bytes"] as Int

    /** The record as one line of JSON. */
    fun toJson(): String = json(fields).toString()

    private fun json(value: Any?): Any =
        when (value) {
            null -> JSONObject.NULL
            is Map<*, *> -> JSONObject().apply { value.forEach { (name, item) -> put(name as String, json(item)) } }
            is List<*> -> JSONArray().apply { value.forEach { put(json(it)) } }
            else -> value
        }
}
