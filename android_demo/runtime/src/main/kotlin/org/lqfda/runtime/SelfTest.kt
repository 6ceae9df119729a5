package org.lqfda.runtime

import kotlin.math.abs
import kotlin.math.sqrt

/**
 * The golden inputs through every network of a bundle: does this device compute what the converting machine did?
 *
 * Differences are in units of the expected outputs' root mean square. A float network may differ by 0.001, for float32
 * sums in another order differ in the last bits. An int8 network may differ by 0.25, for another processor's kernels may
 * round a value to the neighbouring one of 256 steps; so may the 1-bit one, where a value within a rounding error of zero
 * may take the other sign. A broken kernel moves the outputs by their own size.
 */
object SelfTest {
    private val TOLERANCES = mapOf(Model.FLOAT to 1e-3, Model.INT8 to 0.25, Model.BINARIZED to 0.25)

    /**
     * How far one network is from its golden outputs.
     *
     * @property model which one.
     * @property images how many inputs were run.
     * @property sameTop1 for how many of them the same class wins.
     * @property difference the largest difference of an output; infinite if an output is not finite.
     * @property tolerance what it may be.
     */
    class Result internal constructor(
        val model: Model,
        val images: Int,
        val sameTop1: Int,
        val difference: Double,
        val tolerance: Double,
    ) {
        /** Whether it computes what it should. */
        val passed: Boolean get() = difference <= tolerance
    }

    /**
     * Checks every file of the bundle, then runs the golden inputs through every network.
     *
     * Call it off the main thread; interrupting the thread cancels it.
     *
     * @param threads of every interpreter; at most the device's processors.
     * @return one result a network, the 1-bit one first.
     * @throws BundleException the bundle is damaged, or holds no network.
     * @throws LibraryException the native library is missing or for another processor.
     * @throws ModelException a network cannot be run.
     * @throws InterruptedException the thread was interrupted.
     * @throws IllegalStateException this is the main thread.
     */
    @JvmStatic
    @Throws(InterruptedException::class)
    fun run(bundle: Bundle, threads: Int = 1): List<Result> {
        requireBackground("A self-test")
        bundle.requireModels()
        bundle.check()
        val golden = bundle.golden()
        return golden.outputs.map { (model, expected) ->
            Session(bundle, model, threads).use { compare(it, golden.inputs, expected) }
        }
    }

    private fun compare(session: Session, inputs: List<FloatArray>, expected: List<FloatArray>): Result {
        var same = 0
        var largest = 0.0
        var finite = true
        for ((image, outputs) in inputs.zip(expected)) {
            stopIfInterrupted()
            session.inputValues.apply { rewind() }.put(image).rewind()
            session.run()
            val found = FloatArray(outputs.size) { session.outputValues.get(it) }
            if (found.indexOfMax() == outputs.indexOfMax()) same++
            finite = finite && found.all { it.isFinite() }
            for (index in outputs.indices) largest = maxOf(largest, abs(found[index].toDouble() - outputs[index]))
        }
        val squares = expected.sumOf { row -> row.sumOf { it.toDouble() * it } }
        val scale = sqrt(squares / (expected.size * expected.first().size))
        val difference =
            when {
                !finite -> Double.POSITIVE_INFINITY
                largest == 0.0 -> 0.0
                else -> largest / scale
            }
        return Result(session.model, inputs.size, same, difference, TOLERANCES.getValue(session.model))
    }

    private fun FloatArray.indexOfMax(): Int = indices.maxByOrNull { this[it] } ?: -1
}
