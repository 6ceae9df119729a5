package org.lqfda.demo

import android.content.Intent
import org.json.JSONObject
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import java.io.File
import java.io.IOException

/** What adb can ask for, and what it finds then. */
@RunWith(RobolectricTestRunner::class)
class DoorTest {
    @get:Rule val phone = Phone()
    private val folder get() = phone.app.getExternalFilesDir(null)!!
    private val done get() = JSONObject(File(folder, "benchmark.done").readText())

    @Test
    fun benchmarksAndWritesTheRecords() {
        phone.launch(Intent().putExtra("bundle", "pushed").putExtra("benchmark", true).putExtra("rounds", 7))
        assertEquals(listOf("pushed"), phone.opened)
        assertTrue(phone.engine.asked.single().startsWith("benchmark 7 am start -n org.lqfda.demo/.MainActivity --es bundle pushed"))
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
        phone.launch(Intent().putExtra("benchmark", true))
        assertEquals("error", done.getString("status"))
        assertEquals("no such thing", done.getString("message"))
        assertFalse(File(folder, "benchmark.jsonl").exists())
        assertTrue(phone.problem().isNotEmpty())
    }

    @Test
    fun aBundleThatDoesNotOpenIsReported() {
        phone.app.openEngine = { throw IOException("not there") }
        phone.launch(Intent().putExtra("bundle", "absent").putExtra("benchmark", true))
        assertEquals("not there", done.getString("message"))
    }

    @Test
    fun refusesOddNames() {
        val odd = listOf("../etc", "a/b", "/data", "", ".", "..", "a b", "ü", "a\n", "a\u0000b", "x".repeat(101), "-rf")
        for (name in odd) {
            File(folder, "benchmark.done").delete()
            phone.launch(Intent().putExtra("bundle", name).putExtra("benchmark", true))
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
            phone.launch(Intent().putExtra("benchmark", true).putExtra("rounds", rounds))
            assertEquals("error", done.getString("status"))
        }
        phone.launch(Intent().putExtra("bundle", 5).putExtra("benchmark", "true").putExtra("rounds", "many"))
        assertEquals("", phone.problem())
    }

    @Test
    fun aSecondCommandReachesTheRunningApp() {
        phone.launch()
        phone.main.newIntent(Intent().putExtra("bundle", "other").putExtra("benchmark", true))
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
}
