package org.lqfda.demo

import android.app.Activity
import android.content.ComponentName
import android.content.Intent
import android.graphics.Bitmap
import android.graphics.Canvas
import android.os.Looper
import android.view.View
import android.view.ViewGroup
import android.widget.TextView
import org.json.JSONObject
import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import java.io.File

/**
 * The app as R8 left it, with the APK's own native libraries, over stand-ins for Android's C library: JNI finds what it
 * looks for, and the networks give what they should. Names are gone, so the test goes by what the manifest names.
 */
@RunWith(RobolectricTestRunner::class)
@Config(qualifiers = "w360dp-h1220dp-xhdpi")
class ShrunkAppTest {
    private val door = ComponentName("org.lqfda.demo", "org.lqfda.demo.FromAdb")

    @Test
    fun itIsTheShrunkOne() {
        assertThrows(ClassNotFoundException::class.java) { Class.forName("org.lqfda.runtime.ImageClassifier") }
    }

    @Test
    fun itBenchmarksClassifiesAndTestsItself() {
        val activity = launch(Intent().setComponent(door).putExtra("benchmark", true).putExtra("rounds", 5))
        val folder = activity.getExternalFilesDir(null)
        await { File(folder, "benchmark.done").isFile }
        val done = File(folder, "benchmark.done").readText()
        assertEquals(done, "ok", JSONObject(done).getString("status"))
        val records = File(folder, "benchmark.jsonl").readLines().map(::JSONObject)
        assertEquals(setOf("model.tflite", "int8.tflite", "float.tflite"), records.map { it.getString("file") }.toSet())
        assertTrue(records.filter { it.getString("file") == "model.tflite" }.all { it.getString("runtime") == "lq_fda" })

        await { find<View>(activity, "self_test").isEnabled }
        (find<ViewGroup>(activity, "samples").getChildAt(0) as View).performClick()
        await { find<View>(activity, "guesses").let { it as ViewGroup }.getChildAt(0).visibility == View.VISIBLE }
        find<View>(activity, "self_test").performClick()
        await { find<View>(activity, "checks").visibility == View.VISIBLE }
        assertEquals("✓ Passed", find<TextView>(activity, "verdict").text.toString())
        assertEquals(View.GONE, find<View>(activity, "problem").visibility)
        screenshot(activity)
    }

    private fun screenshot(activity: Activity) {
        val view = activity.window.decorView
        val bitmap = Bitmap.createBitmap(view.width, view.height, Bitmap.Config.ARGB_8888)
        view.draw(Canvas(bitmap))
        val file = File(System.getProperty("org.lqfda.out")!!, "screenshots/real.png")
        file.parentFile!!.mkdirs()
        file.outputStream().use { bitmap.compress(Bitmap.CompressFormat.PNG, 100, it) }
    }

    @Suppress("UNCHECKED_CAST")
    private fun launch(intent: Intent): Activity {
        val type = Class.forName("org.lqfda.demo.MainActivity") as Class<Activity>
        return Robolectric.buildActivity(type, intent).setup().get()
    }

    private fun await(done: () -> Boolean) {
        val end = System.nanoTime() + 60_000_000_000
        while (!done()) {
            assertTrue("in time", System.nanoTime() < end)
            Thread.sleep(10)
            shadowOf(Looper.getMainLooper()).idle()
        }
    }

    private fun <V : View> find(activity: Activity, name: String): V =
        activity.findViewById(activity.resources.getIdentifier(name, "id", activity.packageName))
}
