package org.lqfda.demo

import android.content.Context
import android.graphics.Bitmap
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Assume.assumeTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.lqfda.runtime.Bundle
import org.lqfda.runtime.ImageClassifier
import org.lqfda.runtime.Photo
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import java.io.File

/** The library's examples that want a bundle among the assets: tests/android sees to it that they are the same. */
@RunWith(RobolectricTestRunner::class)
class ReadmeTest {
    private val context = RuntimeEnvironment.getApplication()
    private val bitmap = Bitmap.createBitmap(64, 48, Bitmap.Config.ARGB_8888)

    @Test
    fun aBundleInYourAssets() {
        val libraries = System.getProperty("java.library.path").orEmpty().split(File.pathSeparator)
        assumeTrue("the libraries are there", libraries.any { File(it, "liblq_fda_delegate.so").isFile })
        val best = classify(context, bitmap)
        val (label, percent) = best.removeSuffix(" %").split(": ")
        assertTrue(best, label in Bundle.fromAssets(context.assets, "bundle").labels() && percent.toFloat() in 1f..100f)
        assertEquals(label, ofBundle(context, bitmap))
        assertEquals(label, ofClassifier(context, bitmap))
    }

    private fun classify(context: Context, bitmap: Bitmap): String {
        val classifier = ImageClassifier(Bundle.fromAssets(context.assets, "bundle"))
        val result = classifier.classify(Photo(bitmap))
        val best = "${result.label(0)}: ${100 * result.probability(0)} %"

        classifier.close()
        return best
    }

    private fun ofBundle(context: Context, bitmap: Bitmap): String {
        val bundle = Bundle.fromAssets(context.assets, "bundle")
        val label = ImageClassifier(bundle).use { it.classify(Photo(bitmap)).label(0) }
        return label
    }

    private fun ofClassifier(context: Context, bitmap: Bitmap): String {
        ImageClassifier(Bundle.fromAssets(context.assets, "bundle")).use { classifier ->
            val best = classifier.classify(Photo(bitmap)).label(0)
            return best
        }
    }
}
