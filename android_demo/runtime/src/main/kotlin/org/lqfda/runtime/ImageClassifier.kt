package org.lqfda.runtime

import java.io.Closeable
import kotlin.math.exp

/**
 * Names what an image shows.
 *
 * ```
 * ImageClassifier(Bundle.fromAssets(context.assets, "bundle")).use { classifier ->
 *     val best = classifier.classify(Photo(bitmap)).label(0)
 * }
 * ```
 *
 * Opening one takes some time, and so does every run: call it off the main thread. It serves one thread at a time.
 *
 * @param bundle the bundle.
 * @property model which of its networks.
 * @property threads of the interpreter; at most the device's processors.
 * @throws BundleException the bundle is damaged.
 * @throws LibraryException the native library is missing or for another processor.
 * @throws ModelException the interpreter cannot run the network.
 * @throws IllegalArgumentException the device has fewer processors.
 */
class ImageClassifier(
    private val bundle: Bundle,
    val model: Model = Model.BINARIZED,
    val threads: Int = 1,
) : Closeable {
    private val labels = bundle.labels()
    private val preprocessor = Preprocessor(bundle.preprocessing)
    private val session = Session(bundle, model, threads)
    private val result = Classification(labels)

    /** What the delegate took of the network; null for the twins, which run without it. */
    val report: DelegateReport? get() = session.report

    /**
     * Classifies one image; a frame of the size of the last one costs no allocation.
     *
     * @param photo ARGB_8888 pixels and which way up they are.
     * @return the probabilities; the same object at every call.
     * @throws ImageException the bitmap's pixels cannot be read.
     * @throws ModelException an operator fails, or an output is not finite.
     * @throws IllegalStateException the classifier is closed, or another thread is using it.
     */
    fun classify(photo: Photo): Classification =
        session.exclusively {
            val began = System.nanoTime()
            preprocessor.run(photo, session.inputValues)
            val prepared = System.nanoTime()
            session.run()
            val ended = System.nanoTime()
            for (index in labels.indices) requireFinite(session.outputValues.get(index), index)
            for (index in labels.indices) result.probabilities[index] = session.outputValues.get(index)
            result.fromLogits()
            result.preprocessingMillis = (prepared - began) / NANOS
            result.modelMillis = (ended - prepared) / NANOS
            result
        }

    /** Of a number that is none, or infinite, no probability can be made. */
    private fun requireFinite(value: Float, index: Int) {
        if (value.isFinite()) return
        throw ModelException(
            "The network's answer is no number. Expected a finite output for every class. Received: $value for " +
                "${labels[index]} from ${model.file}. Run the self-test, and convert the run again.",
        )
    }

    /** Closes the interpreter and the delegate, after a run on another thread has ended. */
    override fun close() = session.close()

    private companion object {
        const val NANOS = 1e6
    }
}

/**
 * What a classifier made of an image.
 *
 * @property labels the classes' names.
 */
class Classification internal constructor(
    val labels: List<String>,
) {
    internal val probabilities = FloatArray(labels.size)
    private val order = IntArray(labels.size)

    /** What cutting, resizing and normalizing took, in milliseconds. */
    var preprocessingMillis = 0.0
        internal set

    /** What the network took, in milliseconds. */
    var modelMillis = 0.0
        internal set

    /** The class with this rank: 0 for the most probable one, at most the number of [labels] less one. */
    fun label(rank: Int): String = labels[order[rank]]

    /** Its probability, 0 to 1. */
    fun probability(rank: Int): Float = probabilities[order[rank]]

    /** Softmax in place, then the classes by falling probability; equal ones in the order of the classes. */
    internal fun fromLogits() {
        val largest = probabilities.max()
        var sum = 0.0
        for (index in probabilities.indices) sum += exp((probabilities[index] - largest).toDouble())
        for (index in probabilities.indices) {
            probabilities[index] = (exp((probabilities[index] - largest).toDouble()) / sum).toFloat()
        }
        // An insertion sort: it allocates nothing, and the order changes little from frame to frame.
        for (index in order.indices) {
            var place = index
            while (place > 0 && probabilities[order[place - 1]] < probabilities[index]) {
                order[place] = order[place - 1]
                place--
            }
            order[place] = index
        }
    }
}
