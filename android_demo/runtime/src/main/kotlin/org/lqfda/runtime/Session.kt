package org.lqfda.runtime

import org.tensorflow.lite.DataType
import org.tensorflow.lite.Interpreter
import org.tensorflow.lite.Tensor
import java.io.Closeable
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.FloatBuffer
import java.util.concurrent.locks.ReentrantLock

/** @throws IllegalArgumentException the device has fewer processors, or that is no number of threads. */
internal fun requireThreads(threads: Int) {
    val processors = Runtime.getRuntime().availableProcessors()
    require(threads in 1..processors) {
        "Expected 1 to $processors threads, the processors of this device. Received: threads=$threads."
    }
}

/**
 * A network of a bundle, ready to run: float32 in, float32 out, whatever the file stores.
 *
 * Serves one thread at a time; a second one gets an exception, not a crash.
 *
 * @throws BundleException the file is missing or damaged, or does not fit the manifest.
 * @throws LibraryException a native library is missing, or the delegate does not know the interpreter.
 * @throws ModelException the interpreter cannot run it.
 */
internal class Session(
    bundle: Bundle,
    val model: Model,
    val threads: Int,
    open: (ByteBuffer, Interpreter.Options) -> Interpreter = { content, options -> Interpreter(content, options) },
) : Closeable {
    private val lock = ReentrantLock()
    private val delegate: LqFdaDelegate?
    private val interpreter: Interpreter
    private val input: Port
    private val output: Port
    private val inputs: Array<Any>
    private val outputs: Map<Int, Any>
    private var closed = false

    /** Whether TFLite was asked to run on XNNPACK what no delegate takes; whether it does, its Java interface does not tell. */
    val xnnpack = true

    /** What the delegate took; null for the twins, which run without it. */
    val report: DelegateReport?

    /** Of one image: 1, height, width, channels. */
    val inputShape: IntArray

    init {
        requireThreads(threads)
        val content = bundle.model(model)
        delegate = if (model == Model.BINARIZED) LqFdaDelegate() else null
        var opened: Interpreter? = null
        try {
            val options = Interpreter.Options().setNumThreads(threads).setUseXNNPACK(xnnpack)
            if (delegate != null) options.addDelegate(delegate)
            interpreter = opening(bundle) { open(content, options) }.also { opened = it }
            requireFits(bundle)
            inputShape = interpreter.getInputTensor(0).shape()
            input = Port(interpreter.getInputTensor(0))
            output = Port(interpreter.getOutputTensor(0))
            inputs = arrayOf(input.stored)
            outputs = mapOf(0 to output.stored)
            report = delegate?.report()
        } catch (error: Throwable) {
            opened?.close()
            delegate?.close()
            throw error
        }
    }

    private inline fun opening(bundle: Bundle, open: () -> Interpreter): Interpreter =
        try {
            open()
        } catch (error: IllegalArgumentException) {
            throw failed(bundle, error)
        } catch (error: IllegalStateException) {
            throw failed(bundle, error)
        } catch (error: LinkageError) {
            throw LibraryException(
                "TensorFlow Lite's native library for this processor is missing or does not load. " +
                    "Received: ${error.message}. Add the tensorflow-lite AAR of your app's other libraries' version.",
                error,
            )
        }

    private fun requireFits(bundle: Bundle) {
        val spec = bundle.preprocessing
        val expected = listOf(listOf(listOf(1, spec.height, spec.width, 3)), listOf(listOf(1, bundle.classes)))
        val received =
            listOf(
                List(interpreter.inputTensorCount) { interpreter.getInputTensor(it).shape().asList() },
                List(interpreter.outputTensorCount) { interpreter.getOutputTensor(it).shape().asList() },
            )
        if (received != expected) {
            throw bundle.damaged(model.file, "inputs and outputs of shape $received, where the manifest says $expected")
        }
    }

    private fun failed(bundle: Bundle, error: Exception): LqFdaException {
        if (UNKNOWN_LAYOUT in error.message.orEmpty()) {
            return LibraryException(
                "The delegate does not know this version of TensorFlow Lite. Expected one that its message names. " +
                    "Received: ${error.message}. Take that version of tensorflow-lite, or update the library.",
                error,
            )
        }
        return ModelException(
            "The interpreter cannot run the model. Expected a .tflite file whose operators it or the delegate knows. " +
                "Received: ${model.file} of ${bundle.name} (${error.message}). " +
                "Convert the run again, or update the library.",
            error,
        )
    }

    /** Where the next input goes: `height * width * 3` floats. */
    val inputValues: FloatBuffer get() = input.real

    /** What the last run gave: one float a class. */
    val outputValues: FloatBuffer get() = output.real

    /**
     * Runs the network once on [inputValues], conversions to and from what the file stores included.
     *
     * @throws IllegalStateException it is closed, or another thread is running it.
     * @throws ModelException an operator fails.
     */
    fun run() = exclusively {
        input.encode()
        try {
            interpreter.runForMultipleInputsOutputs(inputs, outputs)
        } catch (error: IllegalArgumentException) {
            throw ranBadly(error)
        } catch (error: IllegalStateException) {
            throw ranBadly(error)
        }
        output.decode()
    }

    private fun ranBadly(error: Exception) =
        ModelException(
            "The model failed as it ran. Received: ${model.file} (${error.message}). Convert the run again.",
            error,
        )

    /**
     * Holds the session for one thread.
     *
     * @throws IllegalStateException it is closed, or another thread holds it.
     */
    inline fun <Result> exclusively(action: () -> Result): Result {
        check(lock.tryLock()) {
            "Another thread is using this network. Expected one thread at a time. Give each thread a classifier of its own."
        }
        try {
            check(!closed) { "This network is closed. Open it again." }
            return action()
        } finally {
            lock.unlock()
        }
    }

    /** Waits for a run on another thread to end. */
    override fun close() {
        lock.lock()
        try {
            if (closed) return
            closed = true
            interpreter.close()
            delegate?.close()
        } finally {
            lock.unlock()
        }
    }

    private companion object {
        // What the delegate says of an interpreter whose structures are others than it was compiled for.
        const val UNKNOWN_LAYOUT = "laid out in a way that the delegate does not know"
    }

    /** A tensor and its values: `real = scale * (stored - zeroPoint)` if it is quantized. */
    private class Port(tensor: Tensor) {
        private val quantized = tensor.dataType() == DataType.INT8
        private val scale = tensor.quantizationParams().scale
        private val zeroPoint = tensor.quantizationParams().zeroPoint
        val stored: ByteBuffer = ByteBuffer.allocateDirect(tensor.numBytes()).order(ByteOrder.nativeOrder())
        val real: FloatBuffer = if (quantized) FloatBuffer.allocate(tensor.numElements()) else stored.asFloatBuffer()

        init {
            if (!quantized && tensor.dataType() != DataType.FLOAT32) {
                throw ModelException(
                    "The model takes or gives values that are no image's. Expected float32 or int8. " +
                        "Received: ${tensor.dataType()} in ${tensor.name()}. Convert the run again.",
                )
            }
        }

        fun encode() {
            stored.rewind()
            if (!quantized) return
            for (index in 0 until real.capacity()) {
                val value = Math.rint((real.get(index) / scale).toDouble()) + zeroPoint
                stored.put(index, value.coerceIn(Byte.MIN_VALUE.toDouble(), Byte.MAX_VALUE.toDouble()).toInt().toByte())
            }
        }

        fun decode() {
            stored.rewind()
            if (!quantized) return
            for (index in 0 until real.capacity()) {
                real.put(index, scale * (stored.get(index).toFloat() - zeroPoint.toFloat()))
            }
        }
    }
}
