package org.lqfda.runtime

import android.content.Context
import android.graphics.Bitmap
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.tensorflow.lite.Interpreter
import java.nio.ByteBuffer

/** The examples of README.md: tests/android sees to it that they are the same, line by line. */
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

    @Test
    fun aBundleInYourAssets() {
        val bitmap = Bitmap.createBitmap(64, 48, Bitmap.Config.ARGB_8888)
        try {
            classify(RuntimeEnvironment.getApplication(), bitmap)
        } catch (error: BundleException) {
            assertTrue("the library's tests have no assets", "assets/bundle" in error.message!!)
        }
    }

    private fun classify(context: Context, bitmap: Bitmap): String {
        val classifier = ImageClassifier(Bundle.fromAssets(context.assets, "bundle"))
        val result = classifier.classify(Photo(bitmap))
        val best = "${result.label(0)}: ${100 * result.probability(0)} %"

        classifier.close()
        return best
    }
}
