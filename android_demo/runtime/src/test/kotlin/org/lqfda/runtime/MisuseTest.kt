package org.lqfda.runtime

import android.graphics.Bitmap
import android.graphics.Color
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Assert.fail
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.lqfda.runtime.TestBundle.Companion.set
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.tensorflow.lite.Interpreter
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.CountDownLatch
import java.util.concurrent.atomic.AtomicInteger
import kotlin.concurrent.thread

/** What an app does wrong becomes an exception, or goes well; it never takes the process down. */
@RunWith(RobolectricTestRunner::class)
class MisuseTest {
    @get:Rule val host = Host()

    @get:Rule val folder = TemporaryFolder()
    private val bundle get() = host.bundle
    private val model get() = bundle.model(Model.BINARIZED)
    private val photo = Photo(Bitmap.createBitmap(40, 30, Bitmap.Config.ARGB_8888))

    @Test
    fun aDelegateIsClosedBeforeItsInterpreter() {
        val delegate = LqFdaDelegate()
        val interpreter = interpreter(delegate)
        val before = run(interpreter)
        delegate.close()
        delegate.close()
        assertArrayEquals(before, run(interpreter), 0f)
        // A new size may make the interpreter ask its delegates again.
        val spec = bundle.preprocessing
        interpreter.resizeInput(0, intArrayOf(2, spec.height, spec.width, 3))
        interpreter.allocateTensors()
        interpreter.resizeInput(0, intArrayOf(1, spec.height, spec.width, 3))
        assertArrayEquals(before, run(interpreter), 0f)
        interpreter.close()
    }

    @Test
    fun anInterpreterIsClosedBeforeItsDelegate() {
        val delegate = LqFdaDelegate()
        val interpreter = interpreter(delegate)
        interpreter.close()
        assertTrue(delegate.report().taken > 0)
        assertThrows(IllegalStateException::class.java) { run(interpreter) }
        delegate.close()
    }

    @Test
    fun aClosedDelegateIsRefused() {
        val delegate = LqFdaDelegate().apply { close() }
        for (use in listOf({ delegate.nativeHandle }, { delegate.report() }, { interpreter(delegate) })) {
            val error = assertThrows(IllegalStateException::class.java) { use() }
            assertTrue(error.message, "Make a new one" in error.message!!)
        }
    }

    @Test
    fun oneDelegateInTwoInterpretersOrTwoInOne() {
        LqFdaDelegate().use { delegate ->
            val first = interpreter(delegate)
            val second = interpreter(delegate)
            val values = run(first)
            assertArrayEquals(values, run(second), 0f)
            first.close()
            assertArrayEquals(values, run(second), 0f)
            second.close()
        }
        LqFdaDelegate().use { first ->
            LqFdaDelegate().use { second ->
                val options = Interpreter.Options().addDelegate(first).addDelegate(second)
                Interpreter(model, options).use { interpreter -> run(interpreter) }
            }
        }
    }

    @Test
    fun oneDelegateInInterpretersOnTwoThreads() {
        val expected = LqFdaDelegate().use { delegate -> interpreter(delegate).use(::run) }
        LqFdaDelegate().use { delegate ->
            val use = {
                repeat(10) {
                    interpreter(delegate).use { interpreter -> repeat(10) { assertArrayEquals(expected, run(interpreter), 0f) } }
                    delegate.report()
                }
            }
            together(use, use)
        }
    }

    @Test
    fun reportsWhileTheDelegateIsClosed() {
        repeat(30) {
            val delegate = LqFdaDelegate()
            val interpreter = interpreter(delegate)
            val expected = run(interpreter)
            val reports = AtomicInteger()
            together(
                {
                    val error =
                        assertThrows(IllegalStateException::class.java) {
                            while (true) delegate.report().also { reports.incrementAndGet() }
                        }
                    assertTrue(error.message, "Make a new one" in error.message!!)
                },
                {
                    while (reports.get() == 0) Thread.yield()
                    delegate.close()
                },
                { repeat(10) { assertArrayEquals(expected, run(interpreter), 0f) } },
            )
            interpreter.close()
        }
    }

    /** What Kotlin's lock keeps apart, the native library keeps apart, too. */
    @Test
    fun nativeReportsWhileTheDelegateIsDestroyed() {
        repeat(200) {
            val handle = NativeLibrary.create(emptyArray(), emptyArray())
            val reports = AtomicInteger()
            together(
                {
                    val error =
                        assertThrows(IllegalStateException::class.java) {
                            while (true) NativeLibrary.report(handle).also { reports.incrementAndGet() }
                        }
                    assertTrue(error.message, "no such delegate" in error.message!!)
                },
                {
                    while (reports.get() == 0) Thread.yield()
                    NativeLibrary.destroy(handle)
                },
            )
        }
    }

    @Test
    fun withoutTheDelegateTheModelIsRefused() {
        val error = assertThrows(RuntimeException::class.java) { Interpreter(model).use(::run) }
        assertTrue(error.message, "LceQuantize" in error.message!! || "Lce" in error.message!!)
    }

    @Test
    fun librariesThatAreMissingOrForAnotherProcessor() {
        for (name in listOf("absent", "of_another_processor")) {
            val error = assertThrows(LibraryException::class.java) { NativeLibrary.load(name) }
            assertTrue(error.message, "lib$name.so" in error.message!! && "jniLibs" in error.message!!)
        }
        // As when a shrinker has renamed the class that the library looks for.
        assertThrows(LibraryException::class.java) { NativeLibrary.load { throw NoClassDefFoundError(it) } }
    }

    @Test
    fun outputsThatAreNoNumbers() {
        val huge = host.changed(folder.newFolder()) { manifest.set("preprocessing/scale", List(3) { 6e35 }) }
        val white = Photo(Bitmap.createBitmap(40, 30, Bitmap.Config.ARGB_8888).apply { eraseColor(Color.WHITE) })
        ImageClassifier(huge, Model.FLOAT).use { classifier ->
            val error = assertThrows(ModelException::class.java) { classifier.classify(white) }
            assertTrue(error.message, "finite" in error.message!! && "float.tflite" in error.message!!)
        }
    }

    @Test
    fun aBundleWithoutNetworks() {
        val empty = host.changed(folder.newFolder()) { for (model in Model.entries) manifest.set("files/${model.file}", null).also { files -= model.file } }
        val context = RuntimeEnvironment.getApplication()
        for (action in listOf({ SelfTest.run(empty) }, { Benchmark(context).run(empty) }, { empty.requireModels() })) {
            val error = assertThrows(BundleException::class.java) { host.background(action) }
            assertTrue(error.message, "holds no network" in error.message!!)
        }
    }

    @Test
    fun optionsThatAreNone() {
        val isas = LqFdaDelegate.availableIsas() + Isa.AUTO
        for (isa in Isa.entries - isas.toSet()) {
            val error = assertThrows(IllegalArgumentException::class.java) { LqFdaDelegate(isa = isa) }
            assertTrue(error.message, isa.option in error.message!!)
        }
        for (threads in listOf(-1, Int.MAX_VALUE, Int.MIN_VALUE)) {
            assertThrows(IllegalArgumentException::class.java) { LqFdaDelegate(numThreads = threads) }
            assertThrows(IllegalArgumentException::class.java) { ImageClassifier(bundle, threads = threads) }
        }
    }

    @Test
    fun aClosedClassifier() {
        val classifier = ImageClassifier(bundle)
        classifier.close()
        classifier.close()
        val error = assertThrows(IllegalStateException::class.java) { classifier.classify(photo) }
        assertTrue(error.message, "closed" in error.message!!)
    }

    @Test
    fun twoThreadsInOneClassifier() {
        for (model in bundle.models) {
            val classifier = ImageClassifier(bundle, model)
            val refused = AtomicInteger()
            val done = AtomicInteger()
            val start = CountDownLatch(1)
            val threads =
                List(4) {
                    thread {
                        start.await()
                        repeat(200) {
                            try {
                                classifier.classify(photo)
                                done.incrementAndGet()
                            } catch (error: IllegalStateException) {
                                refused.incrementAndGet()
                            }
                        }
                    }
                }
            start.countDown()
            while (done.get() + refused.get() < 100) Thread.sleep(1)
            classifier.close() // While others run it.
            threads.forEach { it.join() }
            assertEquals(800, done.get() + refused.get())
            assertTrue(done.get() > 0 && refused.get() > 0)
        }
    }

    @Test
    fun classifiersOnThreeThreads() {
        val expected = ImageClassifier(bundle).use { it.classify(photo).probability(0) }
        val use = {
            repeat(10) {
                ImageClassifier(bundle).use { classifier ->
                    repeat(20) { assertEquals(expected, classifier.classify(photo).probability(0)) }
                }
            }
        }
        together(use, use, use)
    }

    @Test
    fun imagesOfOddSizes() {
        ImageClassifier(bundle).use { classifier ->
            for ((width, height) in listOf(1 to 1, 20_000 to 1, 1 to 20_000, 20_000 to 60)) {
                for (orientation in listOf(Orientation.UPRIGHT, Orientation.ROTATE_90)) {
                    val bitmap = Bitmap.createBitmap(width, height, Bitmap.Config.ARGB_8888)
                    val result = classifier.classify(Photo(bitmap, orientation))
                    assertEquals("$width x $height", 1.0, List(bundle.classes, result::probability).sumOf { it.toDouble() }, 1e-5)
                }
            }
        }
    }

    @Test
    fun filesOfImagesThatAreOddOrNone() {
        val cmyk = javaClass.getResourceAsStream("/cmyk.jpg")!!.use { Photo.decode(it, "cmyk.jpg") }
        ImageClassifier(bundle).use { assertTrue(it.classify(cmyk).probability(0) > 0) }
        val error = assertThrows(ImageException::class.java) { Photo.decode(ByteArray(0).inputStream(), "empty.jpg") }
        assertTrue(error.message, "empty.jpg" in error.message!! && "Choose another one" in error.message!!)
    }

    @Test
    fun filesThatAreNoModels() {
        val whole = bundle.read(Model.BINARIZED.file)
        val odd = listOf(ByteArray(0), ByteArray(10), "no model".toByteArray(), whole.copyOf(whole.size / 2), whole.copyOf(1000))
        for (content in odd) {
            val broken = host.changed(folder.newFolder()) { files[Model.BINARIZED.file] = content }
            val error = assertThrows(ModelException::class.java) { ImageClassifier(broken) }
            assertTrue(error.message, "model.tflite" in error.message!! && "Convert the run again" in error.message!!)
            refusedByAnInterpreter(broken)
        }
    }

    /** TFLite says it in its own words, and the delegate serves the next interpreter. */
    private fun refusedByAnInterpreter(broken: Bundle) {
        LqFdaDelegate().use { delegate ->
            val options = Interpreter.Options().addDelegate(delegate)
            assertThrows(RuntimeException::class.java) { Interpreter(broken.model(Model.BINARIZED), options).use(::run) }
            interpreter(delegate).use { assertTrue(run(it).all(Float::isFinite)) }
        }
    }

    @Test
    fun operatorsThatNobodyKnows() {
        val text = String(bundle.read(Model.BINARIZED.file), Charsets.ISO_8859_1)
        assertTrue("LceBconv2d" in text)
        val other = text.replace("LceBconv2d", "LceBconv9z").toByteArray(Charsets.ISO_8859_1)
        val strange = host.changed(folder.newFolder()) { files[Model.BINARIZED.file] = other }
        val error = assertThrows(ModelException::class.java) { ImageClassifier(strange) }
        assertTrue(error.message, "LceBconv9z" in error.message!! && "update the library" in error.message!!)
        refusedByAnInterpreter(strange)
    }

    @Test
    fun aManifestThatDescribesAnotherModel() {
        val changes: List<TestBundle.() -> Unit> =
            listOf(
                { manifest.set("preprocessing/height", 16) },
                {
                    manifest.set("classes", 3)
                    files["labels.txt"] = "a\nb\nc".toByteArray()
                },
            )
        for (change in changes) {
            val error = assertThrows(BundleException::class.java) { ImageClassifier(host.changed(folder.newFolder(), change)) }
            assertTrue(error.message, "the manifest says" in error.message!!)
        }
    }

    @Test
    fun aSelfTestFindsOtherOutputs() {
        val golden = bundle.golden()
        val rows = listOf(golden.inputs.size, bundle.classes)
        val spec = bundle.preprocessing
        val arrays =
            bundle.models.map { model -> "outputs_${model.file.removeSuffix(".tflite")}" to TestBundle.npy(rows) } +
                ("inputs" to TestBundle.npy(listOf(golden.inputs.size, spec.height, spec.width, 3)))
        val other = host.changed(folder.newFolder()) { files["golden.npz"] = TestBundle.npz(*arrays.toTypedArray()) }
        assertTrue(host.background { SelfTest.run(other) }.none { it.passed })
    }

    @Test
    fun aSelfTestFindsOutputsThatAreNoNumbers() {
        val golden = bundle.golden()
        val spec = bundle.preprocessing
        val shape = listOf(golden.inputs.size, spec.height, spec.width, 3)
        val arrays =
            bundle.models.map { model ->
                val outputs = golden.outputs.getValue(model)
                val array = TestBundle.npy(listOf(outputs.size, bundle.classes), values = outputs.flatMap(FloatArray::asList).toFloatArray())
                "outputs_${model.file.removeSuffix(".tflite")}" to array
            } + ("inputs" to TestBundle.npy(shape, values = FloatArray(shape.reduce(Int::times)) { 3e38f }))
        val huge = host.changed(folder.newFolder()) { files["golden.npz"] = TestBundle.npz(*arrays.toTypedArray()) }
        val result = host.background { SelfTest.run(huge) }.first { it.model == Model.FLOAT }
        assertEquals(Double.POSITIVE_INFINITY, result.difference, 0.0)
        assertFalse(result.passed)
    }

    @Test
    fun benchmarksOfNothing() {
        for (odd in listOf({ Protocol(rounds = 0) }, { Protocol(warmups = -1) }, { Protocol(settle = -1) })) {
            val error = assertThrows(IllegalArgumentException::class.java) { odd() }
            assertTrue(error.message, "nothing to measure" in error.message!!)
        }
        val benchmark = Benchmark(RuntimeEnvironment.getApplication())
        for (threads in listOf(emptyList(), listOf(0), listOf(1, 100_000))) {
            val error =
                assertThrows(IllegalArgumentException::class.java) {
                    host.background { benchmark.run(bundle, threads) { _, _ -> fail("it has begun") } }
                }
            assertTrue(error.message, "threads=" in error.message!! || "thread counts" in error.message!!)
        }
    }

    /** Does these at once, each on a thread of its own; what one of them threw is thrown. */
    private fun together(vararg actions: () -> Unit) {
        val start = CountDownLatch(1)
        val failures = ConcurrentLinkedQueue<Throwable>()
        val threads =
            actions.map { action ->
                thread {
                    start.await()
                    runCatching(action).onFailure(failures::add)
                }
            }
        start.countDown()
        threads.forEach { it.join() }
        failures.peek()?.let { throw it }
    }

    private fun interpreter(delegate: LqFdaDelegate) = Interpreter(model, Interpreter.Options().addDelegate(delegate))

    private fun run(interpreter: Interpreter): FloatArray {
        val spec = bundle.preprocessing
        val input = Array(1) { Array(spec.height) { y -> Array(spec.width) { x -> FloatArray(3) { ((x * y + it) % 7 - 3) / 3f } } } }
        val output = Array(1) { FloatArray(bundle.classes) }
        interpreter.run(input, output)
        return output[0]
    }
}
