package org.lqfda.demo

import android.app.Activity
import android.content.Intent
import android.content.res.Configuration
import android.graphics.Bitmap
import android.graphics.Canvas
import android.os.Looper
import android.view.View
import android.widget.TextView
import org.junit.Assert.assertTrue
import org.junit.rules.ExternalResource
import org.robolectric.Robolectric
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.android.controller.ActivityController
import java.io.File
import java.util.concurrent.CountDownLatch

/** Starts the app's screens with a fake engine, waits for them, and takes their pictures. */
class Phone : ExternalResource() {
    val engine = FakeEngine()
    val app: DemoApplication get() = RuntimeEnvironment.getApplication() as DemoApplication
    val opened = mutableListOf<String>()
    lateinit var main: ActivityController<MainActivity>
    val activity: MainActivity get() = main.get()
    val state: State get() = activity.controller.state

    override fun before() {
        app.openEngine = { name -> engine.also { opened += name } }
    }

    fun launch(intent: Intent = Intent()): MainActivity {
        main = Robolectric.buildActivity(MainActivity::class.java, intent).setup()
        await()
        return activity
    }

    /** Until the background thread has nothing to do. */
    fun await(done: () -> Boolean = { state.work == null }) {
        val end = System.nanoTime() + 60_000_000_000
        do {
            Thread.sleep(5)
            shadowOf(Looper.getMainLooper()).idle()
            assertTrue("in time", System.nanoTime() < end)
        } while (!done())
    }

    fun click(id: Int) {
        val view = activity.findViewById<View>(id)
        assertTrue("enabled", view.isEnabled)
        view.performClick()
        await()
    }

    /** Starts a benchmark, which waits half way for what this returns. */
    fun benchmarkHalfWay(): CountDownLatch {
        val goOn = CountDownLatch(1)
        engine.goOn = goOn
        activity.findViewById<View>(R.id.benchmark).performClick()
        await { state.progress > 0 }
        return goOn
    }

    fun rotate() {
        RuntimeEnvironment.setQualifiers("+land")
        main.configurationChange(Configuration(app.resources.configuration))
    }

    fun text(id: Int): String = activity.findViewById<TextView>(id).text.toString()

    fun isVisible(id: Int): Boolean =
        generateSequence(activity.findViewById<View>(id)) { it.parent as? View }.all { it.visibility == View.VISIBLE }

    /** What the error card says; empty if there is none. */
    fun problem(): String =
        if (isVisible(R.id.problem)) "${text(R.id.problem_sentence)} ${text(R.id.problem_details)}" else ""

    companion object {
        /** To build/android/screenshots. */
        fun screenshot(name: String, activity: Activity): Bitmap {
            shadowOf(Looper.getMainLooper()).idle()
            val view = activity.window.decorView
            val bitmap = Bitmap.createBitmap(view.width, view.height, Bitmap.Config.ARGB_8888)
            view.draw(Canvas(bitmap))
            val file = File(System.getProperty("org.lqfda.out") ?: "build", "screenshots/$name.png")
            file.parentFile!!.mkdirs()
            file.outputStream().use { bitmap.compress(Bitmap.CompressFormat.PNG, 100, it) }
            return bitmap
        }
    }
}
