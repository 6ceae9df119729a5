package org.lqfda.runtime

import android.graphics.Bitmap
import org.json.JSONObject
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.tensorflow.lite.Interpreter
import java.io.File
import java.lang.management.ManagementFactory
import java.nio.ByteBuffer
import java.nio.ByteOrder
import kotlin.concurrent.thread
import kotlin.math.exp

/** TFLite, the delegate and the library as a phone has them, on the host: see [Host]. */
@RunWith(RobolectricTestRunner::class)
class RealRunTest {
    @get:Rule val host = Host()
    private val bundle get() = host.bundle

    @Test
    fun theSelfTestPasses() {
        for (threads in listOf(1, Runtime.getRuntime().availableProcessors())) {
            val results = host.background { SelfTest.run(bundle, threads) }
            assertEquals(bundle.models, results.map { it.model })
            for (result in results) {
                assertTrue("${result.model}: ${result.difference}", result.passed)
                assertEquals(result.images, result.sameTop1)
            }
            // Far less than it may be: this is the same processor's kind.
            assertTrue(results.first { it.model == Model.BINARIZED }.difference < 1e-4)
        }
    }

    @Test
    fun theDelegateTakesTheBinaryOperators() {
        ImageClassifier(bundle).use { classifier ->
            val report = classifier.report!!
            val binary = report.nodes.filter { it.name.startsWith("Lce") }
            assertTrue(binary.any { it.name == "LceBconv2d" } && binary.all { it.taken })
            assertTrue("what stands between them, too", report.taken > binary.size)
            assertTrue(report.nodes.all { it.taken == it.reason.isEmpty() })
        }
        for (model in bundle.models - Model.BINARIZED) ImageClassifier(bundle, model).use { assertNull(it.report) }
        assertEquals(Isa.PORTABLE, LqFdaDelegate.availableIsas().last())
    }

    @Test
    fun everyInstructionSetGivesTheGoldenOutputs() {
        val golden = bundle.golden()
        for (isa in LqFdaDelegate.availableIsas()) {
            LqFdaDelegate(isa = isa).use { delegate ->
                Interpreter(bundle.model(Model.BINARIZED), Interpreter.Options().addDelegate(delegate)).use { interpreter ->
                    for ((input, expected) in golden.inputs.zip(golden.outputs.getValue(Model.BINARIZED))) {
                        assertArrayEquals("$isa", expected, run(interpreter, input, expected.size), 1e-3f)
                    }
                    assertEquals(isa.option, delegate.report().isa)
                }
            }
        }
    }

    @Test
    fun samplesGiveWhatTheirGoldenInputsGave() {
        val golden = bundle.golden()
        assertTrue(host.samples.size in 4..6)
        for (model in bundle.models) {
            ImageClassifier(bundle, model).use { classifier ->
                for ((sample, logits) in host.samples.zip(golden.outputs.getValue(model))) {
                    val photo = sample.inputStream().use { Photo.decode(it, sample.name) }
                    val result = classifier.classify(photo)
                    val powers = logits.map { exp(it.toDouble() - logits.max()) }
                    val best = logits.indices.maxByOrNull { logits[it] }!!
                    assertEquals(bundle.labels()[best], result.label(0))
                    val tolerance = if (model == Model.INT8) 0.02 else 1e-3 // Another XNNPACK's rounding.
                    assertEquals(powers[best] / powers.sum(), result.probability(0).toDouble(), tolerance)
                    assertTrue(result.modelMillis > 0 && result.preprocessingMillis > 0)
                }
            }
        }
    }

    @Test
    fun framesCostNoMemory() {
        val threads = ManagementFactory.getThreadMXBean() as com.sun.management.ThreadMXBean
        val photo = Photo(Bitmap.createBitmap(320, 240, Bitmap.Config.ARGB_8888), Orientation.ROTATE_90)
        ImageClassifier(bundle).use { classifier ->
            repeat(50) { classifier.classify(photo) }
            val before = threads.getThreadAllocatedBytes(Thread.currentThread().id)
            repeat(FRAMES) { classifier.classify(photo) }
            val each = (threads.getThreadAllocatedBytes(Thread.currentThread().id) - before) / FRAMES
            // TFLite's interface and Robolectric's bitmaps allocate a little; a row of pixels alone has 960 bytes.
            assertTrue("$each bytes", each < 500)
        }
    }

    @Test
    fun benchmarkRecordsAreThoseOfPython() {
        val seen = mutableListOf<Pair<Int, Int>>()
        val processors = Runtime.getRuntime().availableProcessors()
        val records =
            host.background {
                Benchmark(RuntimeEnvironment.getApplication(), Protocol(rounds = 5, warmups = 1, settle = 1))
                    .run(bundle, listOf(1, processors), "a test") { done, total -> seen += done to total }
            }
        assertEquals(List(10) { it + 1 to 10 }, seen)
        val expected = bundle.models.flatMap { listOf(it.file to 1, it.file to processors) }
        assertEquals(expected.toSet(), records.map { it.file to it.threads }.toSet())
        for (record in records) {
            assertTrue(0 < record.minMillis && record.minMillis <= record.medianMillis && record.medianMillis <= record.p90Millis)
        }
        val first = JSONObject(records.first().toJson())
        assertTrue(first.getJSONObject("settings").getInt("lq_fda_nodes") in 1..first.getInt("total_nodes"))
        assertEquals("none", first.getJSONObject("environment").getString("thermal_before"))
        assertTrue(first.getJSONObject("settings").getBoolean("xnnpack"))
        assertEquals(2, records.map { JSONObject(it.toJson()).getString("run") }.distinct().size)
        // tests/android reads them with the class that Python's own records have.
        File(host.out, "host/records.jsonl").writeText(records.joinToString("") { it.toJson() + "\n" })
    }

    @Test
    fun aBenchmarkIsCancelled() = isCancelled(Protocol(rounds = 1_000_000, warmups = 0))

    @Test
    fun aBenchmarkIsCancelledWhileItWarmsUp() = isCancelled(Protocol(rounds = 1, warmups = 1_000_000, settle = 1_000_000))

    private fun isCancelled(protocol: Protocol) {
        var caught: Throwable? = null
        val running =
            thread {
                try {
                    Benchmark(RuntimeEnvironment.getApplication(), protocol).run(bundle, listOf(1))
                } catch (error: Throwable) {
                    caught = error
                }
            }
        Thread.sleep(200)
        running.interrupt()
        running.join(30_000)
        assertTrue("$caught", caught is InterruptedException)
    }

    @Test
    fun longWorkStaysOffTheMainThread() {
        for (action in listOf({ SelfTest.run(bundle) }, { Benchmark(RuntimeEnvironment.getApplication()).run(bundle) })) {
            val error = assertThrows(IllegalStateException::class.java) { action() }
            assertTrue("background thread" in error.message!!)
        }
    }

    private fun run(interpreter: Interpreter, input: FloatArray, classes: Int): FloatArray {
        val stored = ByteBuffer.allocateDirect(4 * input.size).order(ByteOrder.nativeOrder())
        stored.asFloatBuffer().put(input)
        val output = Array(1) { FloatArray(classes) }
        interpreter.run(stored, output)
        return output[0]
    }

    private companion object {
        const val FRAMES = 200
    }
}
