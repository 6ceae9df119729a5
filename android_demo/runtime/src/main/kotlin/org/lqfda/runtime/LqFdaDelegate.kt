package org.lqfda.runtime

import org.tensorflow.lite.Delegate

/** The instruction set that a delegate's kernels use. */
enum class Isa(internal val option: String) {
    /** The best one that the processor has. */
    AUTO("auto"),

    /** x86-64 with AVX-512. */
    AVX512("avx512"),

    /** x86-64 with AVX2. */
    AVX2("avx2"),

    /** ARM. */
    NEON("neon"),

    /** Any processor; the slowest one. */
    PORTABLE("portable"),
}

/**
 * Runs the operators of Larq Compute Engine, and what stands between them, in an ordinary TFLite interpreter.
 *
 * ```
 * val delegate = LqFdaDelegate()
 * val interpreter = Interpreter(model, Interpreter.Options().addDelegate(delegate))
 * interpreter.run(input, output)
 * ```
 *
 * Without it, a `.tflite` that LCE converted dies with `Encountered unresolved custom op: LceQuantize`. Models without
 * such operators run unchanged.
 *
 * Make one for every interpreter, and close it after the interpreter. It may be made and closed on any thread; like the
 * interpreter, it serves one thread at a time.
 *
 * @param numThreads threads of its own pool; 0 takes the interpreter's number.
 * @param isa the instruction set.
 * @param fuse whether to run what lies between binary convolutions, too, where that is faster.
 * @param profile whether to time every step, for [report].
 * @param verbose whether to write what it takes to the system's log, with the tag `lq_fda`.
 * @throws LibraryException the native library is missing or for another processor.
 * @throws IllegalArgumentException an option is none that the library knows, or the processor lacks the instruction set.
 */
class LqFdaDelegate(
    numThreads: Int = 0,
    isa: Isa = Isa.AUTO,
    fuse: Boolean = true,
    profile: Boolean = false,
    verbose: Boolean = false,
) : Delegate {
    private var handle: Long

    init {
        NativeLibrary.load()
        val options =
            mapOf(
                "num_threads" to numThreads.toString(),
                "isa" to isa.option,
                "fuse" to fuse.toString(),
                "profile" to profile.toString(),
                "verbose" to verbose.toString(),
            )
        handle = NativeLibrary.create(options.keys.toTypedArray(), options.values.toTypedArray())
    }

    /**
     * What an interpreter wants: a `TfLiteDelegate*`.
     *
     * @throws IllegalStateException the delegate is closed.
     */
    @Synchronized
    override fun getNativeHandle(): Long = open()

    /**
     * Which operators the delegate took of the last model that it was added to, and why not the others. On any thread.
     *
     * @throws IllegalStateException the delegate is closed.
     */
    @Synchronized
    fun report(): DelegateReport = DelegateReport.parse(NativeLibrary.report(open()))

    /** Gives back what the delegate holds. An interpreter that still uses it keeps that alive. */
    @Synchronized
    override fun close() {
        if (handle != 0L) NativeLibrary.destroy(handle)
        handle = 0L
    }

    private fun open(): Long {
        check(handle != 0L) { "The delegate is closed. Make a new one for every interpreter, and close it after that." }
        return handle
    }

    companion object {
        /**
         * The instruction sets that this library and this processor have, the best first. On any thread.
         *
         * @throws LibraryException the native library is missing or for another processor.
         */
        @JvmStatic
        fun availableIsas(): List<Isa> {
            NativeLibrary.load()
            val names = Json.parse(NativeLibrary.isas()) as List<*>
            return names.map { name -> Isa.entries.first { it.option == name } }
        }
    }
}

/**
 * A delegate's account of the model that it was added to.
 *
 * @property version of the native library.
 * @property isa the instruction set in use.
 * @property threads of its pool.
 * @property fuse whether it runs what lies between binary convolutions, too.
 * @property nodes the model's operators, in their order.
 */
class DelegateReport internal constructor(
    val version: String,
    val isa: String,
    val threads: Int,
    val fuse: Boolean,
    val nodes: List<Node>,
) {
    /**
     * One operator.
     *
     * @property name of the operator, such as `LceBconv2d`.
     * @property taken whether the delegate runs it.
     * @property reason why not, if it does not.
     */
    class Node internal constructor(
        val name: String,
        val taken: Boolean,
        val reason: String,
    )

    /** How many operators the delegate runs. */
    val taken: Int get() = nodes.count { it.taken }

    internal companion object {
        fun parse(text: String): DelegateReport {
            val fields = Json.parse(text) as Map<*, *>
            val nodes =
                (fields["nodes"] as List<*>).map {
                    val node = it as Map<*, *>
                    Node(node["op"] as String, node["taken"] as Boolean, node["reason"] as String)
                }
            return DelegateReport(
                fields["version"] as String,
                fields["isa"] as String,
                (fields["threads"] as Long).toInt(),
                fields["fuse"] as Boolean,
                nodes,
            )
        }
    }
}
