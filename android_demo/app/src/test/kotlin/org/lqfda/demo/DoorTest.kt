package org.lqfda.demo

import android.content.ComponentName
import android.content.Intent
import org.json.JSONObject
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertSame
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import java.io.File
import java.io.IOException
import java.util.concurrent.CountDownLatch

/** What adb can ask for, and what it finds then. */
@RunWith(RobolectricTestRunner::class)
class DoorTest {
    @get:Rule val phone = Phone()
    private val folder get() = phone.app.getExternalFilesDir(null)!!
    private val done get() = JSONObject(File(folder, "benchmark.done").readText())

    @Test
    fun benchmarksAndWritesTheRecords() {
        phone.launch(asked().putExtra("bundle", "pushed").putExtra("benchmark", true).putExtra("rounds", 7))
        assertEquals(listOf("pushed"), phone.opened)
        assertTrue(phone.engine.asked.single().startsWith("benchmark 7 am start -n org.lqfda.demo/.FromAdb --es bundle pushed"))
        assertEquals("ok", done.getString("status"))
        assertEquals(6, done.getInt("records"))
        val records = File(folder, "benchmark.jsonl").readLines().map(::JSONObject)
        assertEquals("model.tflite", records[0].getString("file"))
        assertEquals(setOf("benchmark.done", "benchmark.jsonl"), folder.list()!!.toSet())
    }

    @Test
    fun saysWhatWentWrong() {
        phone.engine.error = IOException("no such thing")
        File(folder, "benchmark.jsonl").writeText("of an earlier run")
        phone.launch(asked().putExtra("benchmark", true))
        assertEquals("error", done.getString("status"))
        assertEquals("no such thing", done.getString("message"))
        assertFalse(File(folder, "benchmark.jsonl").exists())
        assertTrue(phone.problem().isNotEmpty())
    }

    @Test
    fun aBundleThatDoesNotOpenIsReported() {
        phone.app.openEngine = { throw IOException("not there") }
        phone.launch(asked().putExtra("bundle", "absent").putExtra("benchmark", true))
        assertEquals("not there", done.getString("message"))
    }

    @Test
    fun recordsThatCannotBeWrittenAreSaid() {
        File(folder, "benchmark.jsonl/in the way").mkdirs()
        phone.launch(asked().putExtra("benchmark", true))
        phone.await { phone.problem().isNotEmpty() }
        assertEquals("The records cannot be written. benchmark.jsonl cannot be written.", phone.problem())
        assertFalse(File(folder, "benchmark.done").exists())
    }

    @Test
    fun refusesOddNames() {
        val odd = listOf("../etc", "a/b", "/data", "", ".", "..", "a b", "ü", "a\n", "a\u0000b", "x".repeat(101), "-rf")
        for (name in odd) {
            File(folder, "benchmark.done").delete()
            phone.launch(asked().putExtra("bundle", name).putExtra("benchmark", true))
            assertEquals(name, "error", done.getString("status"))
            assertTrue(phone.problem(), phone.problem().startsWith("This start command cannot be followed."))
            assertEquals(emptyList<String>(), phone.engine.asked.filter { it != "close" })
            phone.main.pause().stop().destroy()
            phone.await { true }
        }
    }

    @Test
    fun refusesOddRoundsAndPassesOverOddTypes() {
        for (rounds in listOf(0, -1, Int.MAX_VALUE)) {
            phone.launch(asked().putExtra("benchmark", true).putExtra("rounds", rounds))
            assertEquals("error", done.getString("status"))
        }
        phone.launch(asked().putExtra("bundle", 5).putExtra("benchmark", "true").putExtra("rounds", "many"))
        assertEquals("", phone.problem())
    }

    @Test
    fun aSecondCommandReachesTheRunningApp() {
        phone.launch()
        phone.main.newIntent(asked().putExtra("bundle", "other").putExtra("benchmark", true))
        phone.await()
        assertEquals(listOf("bundle", "other"), phone.opened)
        assertEquals("ok", done.getString("status"))
        assertTrue(phone.isVisible(R.id.chart))
    }

    @Test
    fun theLauncherBenchmarksNothing() {
        phone.launch(Intent(Intent.ACTION_MAIN).addCategory(Intent.CATEGORY_LAUNCHER))
        assertEquals(emptyList<String>(), phone.engine.asked)
        assertEquals(emptyList<String>(), folder.list()!!.toList())
    }

    @Test
    fun theLauncherLeavesWhatIsThere() {
        phone.launch()
        val goOn = phone.benchmarkHalfWay()
        val before = phone.activity.controller
        phone.main.newIntent(Intent(Intent.ACTION_MAIN).addCategory(Intent.CATEGORY_LAUNCHER))
        assertSame(before, phone.activity.controller)
        assertEquals(Work.BENCHMARK, phone.state.work)
        goOn.countDown()
        phone.await()
        assertEquals(6, phone.state.timings.size)
    }

    @Test
    fun anotherAppAsksInVain() {
        val command = Intent(phone.app, MainActivity::class.java).putExtra("bundle", "other").putExtra("benchmark", true)
        phone.launch(command)
        phone.main.newIntent(command)
        phone.await()
        assertEquals(listOf("bundle"), phone.opened)
        assertEquals(emptyList<String>(), phone.engine.asked)
    }

    @Test
    fun anErrorOfTheMachineIsReported() {
        phone.engine.error = NoClassDefFoundError("a class")
        phone.launch(asked().putExtra("benchmark", true))
        assertEquals("a class", done.getString("message"))
        assertTrue(phone.problem(), phone.problem().startsWith("Something unexpected"))
    }

    @Test
    fun aBenchmarkThatIsCancelledInTheQueueIsReported() {
        val opening = CountDownLatch(1)
        phone.app.openEngine = { phone.engine.also { opening.await() } }
        phone.main = Robolectric.buildActivity(MainActivity::class.java, asked().putExtra("benchmark", true)).setup()
        phone.activity.controller.cancel()
        opening.countDown()
        phone.await { File(folder, "benchmark.done").isFile }
        assertEquals("error", done.getString("status"))
        assertEquals(emptyList<String>(), phone.engine.asked)
    }

    @Test
    fun aBenchmarkWhoseScreenIsLeftIsReported() {
        val opening = CountDownLatch(1)
        phone.app.openEngine = { phone.engine.also { opening.await() } }
        phone.main = Robolectric.buildActivity(MainActivity::class.java, asked().putExtra("benchmark", true)).setup()
        phone.main.pause().stop().destroy()
        phone.await { File(folder, "benchmark.done").isFile }
        assertEquals("error", done.getString("status"))
    }

    @Test
    fun aSecondCommandsResultIsItsOwn() {
        phone.engine.goOn = CountDownLatch(1)
        phone.main = Robolectric.buildActivity(MainActivity::class.java, asked().putExtra("benchmark", true)).setup()
        phone.await { phone.state.progress > 0 }
        phone.engine.goOn!!.countDown()
        phone.main.newIntent(asked().putExtra("bundle", "other").putExtra("benchmark", true))
        phone.await()
        Thread.sleep(50)
        assertEquals("ok", done.getString("status"))
    }

    private fun asked() = Intent().setComponent(ComponentName(phone.app, "org.lqfda.demo.FromAdb"))
}
