package org.lqfda.runtime

import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.tensorflow.lite.Interpreter
import java.nio.ByteBuffer

/**
 * The examples of README.md and of the classes: tests/android sees to it that they are the same, line by line. Those that
 * want assets are among the app's tests.
 */
@RunWith(RobolectricTestRunner::class)
class ReadmeTest {
    @get:Rule val host = Host()

    @Test
    fun aDelegateInYourInterpreter() {
        val spec = host.bundle.preprocessing
        val output = Array(1) { FloatArray(host.bundle.classes) }
        run(host.bundle.model(Model.BINARIZED), Array(1) { Array(spec.height) { Array(spec.width) { FloatArray(3) } } }, output)
        assertTrue(output[0].any { it != 0f })
    }

    private fun run(model: ByteBuffer, input: Any, output: Any) {
        val delegate = LqFdaDelegate()
        val interpreter = Interpreter(model, Interpreter.Options().addDelegate(delegate))
        interpreter.run(input, output)

        interpreter.close()
        delegate.close()
    }
}
