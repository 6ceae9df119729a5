package org.lqfda.demo

import android.graphics.Bitmap
import android.net.Uri
import android.os.Bundle
import android.view.View
import android.view.ViewGroup
import android.view.WindowManager
import android.widget.ProgressBar
import android.widget.RadioButton
import android.widget.TextView
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertNotSame
import org.junit.Assert.assertNull
import org.junit.Assert.assertSame
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.runner.RunWith
import org.lqfda.runtime.Model
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config
import java.io.File
import java.util.concurrent.CountDownLatch

@RunWith(RobolectricTestRunner::class)
class MainActivityTest {
    @get:Rule val phone = Phone()
    private val samples by lazy { Picture.Sample.all(phone.app) }

    @Test
    fun showsTheBundle() {
        phone.launch()
        assertEquals(listOf("bundle"), phone.opened)
        assertEquals("resnet20-digits · 91.2 % top-1", phone.text(R.id.bundle))
        assertTrue(phone.isVisible(R.id.hint))
        assertFalse(phone.isVisible(R.id.answer) || phone.isVisible(R.id.problem) || phone.isVisible(R.id.chart))
        assertTrue(samples.size >= 4)
        val row = phone.activity.findViewById<ViewGroup>(R.id.samples)
        assertEquals(samples.size, row.childCount)
        assertEquals("Sample 2 of ${samples.size}", row.getChildAt(1).contentDescription)
    }

    @Test
    fun classifiesASample() {
        phone.launch()
        phone.activity.findViewById<ViewGroup>(R.id.samples).getChildAt(0).performClick()
        phone.await()
        assertEquals(samples[0], phone.state.picture)
        assertTrue(phone.engine.asked.single().startsWith("classify BINARIZED 1 "))
        val row = phone.activity.findViewById<ViewGroup>(R.id.guesses).getChildAt(1)
        assertEquals("eight: 9.4 %", row.contentDescription)
        assertEquals("Network 3.27 ms, preparation 0.41 ms\n80 of 80 operators run in lq_fda", phone.text(R.id.times))
        assertTrue(phone.activity.findViewById<ViewGroup>(R.id.samples).getChildAt(0).isSelected)
    }

    @Test
    fun switchesNetworksAndThreads() {
        phone.launch()
        phone.click(R.id.int8)
        assertEquals("nothing to classify yet", emptyList<String>(), phone.engine.asked)
        phone.activity.controller.classify(samples[1])
        phone.await()
        phone.click(R.id.float32)
        phone.click(R.id.all_threads)
        val all = Runtime.getRuntime().availableProcessors()
        assertEquals(
            listOf("classify INT8 1", "classify FLOAT 1", "classify FLOAT $all"),
            phone.engine.asked.map { it.substringBeforeLast(' ') },
        )
        assertEquals("Network 3.27 ms, preparation 0.41 ms", phone.text(R.id.times))
    }

    @Test
    fun offersTheNetworksOfTheBundleOnly() {
        phone.app.openEngine = { FakeEngine(BundleInfo("int8", 2, listOf(Model.INT8), emptyMap())) }
        phone.launch()
        val enabled = listOf(R.id.binarized, R.id.int8, R.id.float32).map { phone.activity.findViewById<RadioButton>(it).isEnabled }
        assertEquals(listOf(false, true, false), enabled)
        assertEquals(Model.INT8, phone.state.model)
    }

    @Test
    fun anOvertakenPictureShowsNothing() {
        val goOn = CountDownLatch(1)
        phone.engine.slow = 7 to goOn
        phone.launch()
        val shown = mutableListOf<State>()
        phone.activity.controller.classify(picture("slow", 7))
        phone.await { phone.state.image != null && phone.engine.asked.size == 1 }
        phone.activity.controller.classify(picture("fast", 9))
        phone.activity.controller.choose(Model.INT8)
        phone.activity.controller.attach { shown += it }
        goOn.countDown()
        phone.await()
        assertEquals(listOf("three"), shown.mapNotNull { it.answer?.guesses?.first()?.label }.distinct())
        assertEquals(listOf(9), shown.mapNotNull { it.image?.width }.distinct())
        assertEquals(listOf(Model.INT8), shown.map { it.model }.distinct())
    }

    private fun picture(name: String, width: Int): Picture {
        val file = File(phone.app.cacheDir, "$name.png")
        val bitmap = Bitmap.createBitmap(width, 5, Bitmap.Config.ARGB_8888)
        file.outputStream().use { bitmap.compress(Bitmap.CompressFormat.PNG, 100, it) }
        return Picture.Chosen(Uri.fromFile(file))
    }

    private fun views(view: View = phone.activity.findViewById(android.R.id.content)): List<View> =
        if (view is ViewGroup) List(view.childCount, view::getChildAt).flatMap(::views) else listOf(view)

    @Test
    fun everythingThatIsNoTextIsDescribed() {
        phone.launch()
        phone.click(R.id.benchmark)
        phone.activity.controller.classify(samples[0])
        phone.await()
        val silent = views().filter { it.isShown && it !is TextView && it.isImportantForAccessibility }
        assertTrue("${silent.size} views", silent.size > samples.size)
        for (view in silent.filter { it !is ProgressBar }) assertFalse("$view", view.contentDescription.isNullOrEmpty())
    }

    @Test
    fun everythingThatIsTouchedIsLargeEnough() {
        phone.launch()
        val least = 48 * phone.app.resources.displayMetrics.density
        val views = views().filter { it.isClickable }
        assertTrue("${views.size} views", views.size > 10)
        for (view in views.filter { it.isShown }) assertTrue("$view", view.height >= least && view.width >= least)
    }

    @Test
    fun runsABenchmark() {
        phone.launch()
        val goOn = phone.benchmarkHalfWay()
        assertEquals(0.5f, phone.state.progress)
        assertEquals("Stop", phone.text(R.id.benchmark))
        val flag = WindowManager.LayoutParams.FLAG_KEEP_SCREEN_ON
        assertTrue("the screen stays on", phone.activity.window.attributes.flags and flag != 0)
        assertFalse(phone.activity.findViewById<View>(R.id.self_test).isEnabled)
        goOn.countDown()
        phone.await()
        assertEquals(0, phone.activity.window.attributes.flags and flag)
        assertEquals(6, phone.state.timings.size)
        val spoken = phone.activity.findViewById<ChartView>(R.id.chart).contentDescription.lines()
        assertEquals("1-bit, 1 thread: median 3.10 milliseconds, 90th percentile 3.57", spoken.first())
        assertEquals(6, spoken.size)
        assertTrue(phone.isVisible(R.id.share))
    }

    @Test
    fun stopsABenchmark() {
        phone.launch()
        phone.benchmarkHalfWay()
        phone.click(R.id.benchmark)
        assertEquals("", phone.problem())
        assertEquals(emptyList<Timing>(), phone.state.timings)
        assertEquals("Run benchmark", phone.text(R.id.benchmark))
    }

    @Test
    fun cancelsWhatHasNotBegun() {
        phone.launch()
        val goOn = phone.benchmarkHalfWay()
        phone.activity.controller.selfTest()
        phone.activity.controller.cancel()
        goOn.countDown()
        phone.await()
        assertNull(phone.state.checks)
        assertEquals("Run self-test", phone.text(R.id.self_test))
    }

    @Test
    fun tellsWhetherTheSelfTestPassed() {
        phone.launch()
        phone.click(R.id.self_test)
        assertEquals("✓ Passed", phone.text(R.id.verdict))
        assertTrue(phone.text(R.id.checks).startsWith("✓ 1-bit: same class for 8 of 8, difference 5e-07 of at most 0.25\n"))
        phone.engine.passes = false
        phone.click(R.id.self_test)
        assertEquals("✗ Failed", phone.text(R.id.verdict))
        assertTrue(phone.text(R.id.checks).startsWith("✗ 1-bit: same class for 3 of 8, difference 1.30"))
    }

    @Test
    fun survivesRotation() {
        phone.launch()
        phone.activity.controller.classify(samples[3])
        phone.await()
        phone.click(R.id.self_test)
        val before = phone.activity
        phone.rotate()
        phone.await()
        assertNotSame(before, phone.activity)
        assertSame(before.controller, phone.activity.controller)
        assertEquals(listOf("bundle"), phone.opened)
        assertEquals("✓ Passed", phone.text(R.id.verdict))
        assertEquals(samples[3], phone.state.picture)
        assertTrue(phone.isVisible(R.id.answer))
        assertEquals("not classified again", 2, phone.engine.asked.size)
    }

    @Test
    fun aBenchmarkGoesOnThroughARotation() {
        phone.launch()
        val goOn = phone.benchmarkHalfWay()
        phone.rotate()
        assertEquals("Stop", phone.text(R.id.benchmark))
        goOn.countDown()
        phone.await()
        assertTrue(phone.isVisible(R.id.chart))
    }

    @Test
    fun survivesTheEndOfItsProcess() {
        phone.launch()
        phone.click(R.id.float32)
        phone.activity.controller.classify(samples[2])
        phone.await()
        phone.click(R.id.benchmark)
        val timings = phone.state.timings
        val saved = Bundle()
        phone.main.pause().stop().saveInstanceState(saved).destroy()
        phone.await { "close" in phone.engine.asked }
        phone.main = Robolectric.buildActivity(MainActivity::class.java).setup(saved)
        phone.await()
        assertEquals(Model.FLOAT, phone.state.model)
        assertEquals(samples[2], phone.state.picture)
        assertNotNull(phone.state.answer)
        assertEquals(timings, phone.state.timings)
        assertTrue(phone.activity.findViewById<RadioButton>(R.id.float32).isChecked)
    }

    @Test
    fun closesWhatItOpened() {
        phone.launch()
        phone.main.pause().stop().destroy()
        phone.await { phone.engine.asked.lastOrNull() == "close" }
    }

    @Test
    @Config(qualifiers = "+zh-rCN")
    fun speaksChinese() {
        phone.launch()
        phone.activity.controller.classify(samples[0])
        phone.await()
        phone.click(R.id.self_test)
        assertEquals("✓ 通过", phone.text(R.id.verdict))
        assertEquals("lq_fda 运行 80 个算子中的 80 个", phone.text(R.id.times).lines()[1])
    }

    @Test
    @Config(qualifiers = "+night")
    fun isDarkAtNight() {
        phone.launch()
        assertEquals(0xff0f1218.toInt(), phone.activity.getColor(R.color.background))
        assertNull(phone.state.problem)
    }
}
