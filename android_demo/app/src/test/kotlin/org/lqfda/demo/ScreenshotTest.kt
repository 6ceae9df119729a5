package org.lqfda.demo

import android.graphics.Bitmap
import android.view.View
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config

/** Pictures of the screens, for people to look at; a test sees to it that something is drawn. */
@RunWith(RobolectricTestRunner::class)
@Config(qualifiers = "w360dp-h1220dp-xhdpi")
class ScreenshotTest {
    @get:Rule val phone = Phone()

    @Test
    @Config(qualifiers = "w360dp-h780dp-xhdpi")
    fun launch() {
        phone.launch()
        taken("launch")
    }

    @Test
    fun everything() {
        fill()
        taken("everything")
    }

    @Test
    @Config(qualifiers = "+night")
    fun dark() {
        fill()
        taken("dark")
    }

    @Test
    @Config(qualifiers = "+zh-rCN")
    fun chinese() {
        fill()
        taken("chinese")
    }

    @Test
    @Config(qualifiers = "w360dp-h780dp-xhdpi")
    fun largeLetters() {
        RuntimeEnvironment.setFontScale(1.6f)
        fill()
        taken("large-letters")
    }

    @Test
    @Config(qualifiers = "w780dp-h360dp-land-xhdpi")
    fun landscape() {
        fill()
        taken("landscape")
    }

    @Test
    fun failures() {
        phone.engine.passes = false
        phone.launch()
        phone.click(R.id.self_test)
        phone.activity.controller.fail(Problem(R.string.problem_bundle, BROKEN))
        taken("failures")
    }

    private fun fill() {
        phone.launch()
        phone.click(R.id.benchmark)
        phone.click(R.id.self_test)
        phone.activity.controller.classify(Picture.Sample.all(phone.app)[2])
        phone.await()
    }

    private fun taken(name: String) {
        val bitmap: Bitmap = Phone.screenshot(name, phone.activity)
        val pixels = IntArray(bitmap.width * bitmap.height)
        bitmap.getPixels(pixels, 0, bitmap.width, 0, 0, bitmap.width, bitmap.height)
        assertTrue("drawn", pixels.toSet().size > 50)
        assertTrue("laid out", phone.activity.findViewById<View>(R.id.samples).width > 0)
    }

    private companion object {
        const val BROKEN =
            "The bundle is damaged: model.tflite is missing or is not the file that the manifest describes. Received: " +
                "assets/bundle/model.tflite (sha256 00ff). Copy the bundle again, or convert the run again."
    }
}
