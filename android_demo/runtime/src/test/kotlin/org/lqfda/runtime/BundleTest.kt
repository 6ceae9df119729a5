package org.lqfda.runtime

import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.lqfda.runtime.TestBundle.Companion.bundle
import org.lqfda.runtime.TestBundle.Companion.set
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import java.io.File
import java.io.InputStream
import java.io.RandomAccessFile
import java.nio.ByteBuffer

@RunWith(RobolectricTestRunner::class)
class BundleTest {
    @get:Rule val folder = TemporaryFolder()

    @Test
    fun aWholeOnePasses() {
        val bundle = folder.bundle()
        bundle.check()
        assertEquals(listOf("cat", "dog"), bundle.labels())
        assertEquals(100, bundle.model(Model.BINARIZED).remaining())
    }

    @Test
    fun labelsAreLines() {
        fun labels(text: String) = folder.bundle { files["labels.txt"] = text.toByteArray() }.labels()
        assertEquals(listOf("cat", "dog"), labels("cat\r\ndog"))
        assertEquals(listOf("cat", " d\u2028og\u000b"), labels("cat\r d\u2028og\u000b\r"))
        assertEquals(listOf("", ""), labels("\n\n"))
        for (text in listOf("", "cat", "cat\ndog\n\n", "a\nb\nc")) {
            assertTrue("2 classes" in damaged { labels(text) })
        }
        assertTrue("UTF-8" in damaged { folder.bundle { files["labels.txt"] = byteArrayOf(-1, 10, -1) }.labels() })
    }

    @Test
    fun refusesFilesThatAreOthers() {
        val changes: List<(File) -> Unit> =
            listOf(
                { it.delete() },
                { it.writeText("") },
                { it.appendText("x") },
                { it.writeBytes(it.readBytes().apply { this[0]++ }) },
                { it.delete() && it.mkdir() },
            )
        for (change in changes) {
            val place = folder.newFolder()
            val bundle = TestBundle().write(place)
            change(File(place, "labels.txt"))
            assertTrue("again" in damaged { bundle.labels() })
            assertTrue("labels.txt" in damaged { bundle.check() })
            bundle.model(Model.BINARIZED)
        }
    }

    @Test
    fun refusesAGiganticLabelFileBeforeItIsRead() {
        val place = folder.newFolder()
        val made = TestBundle().apply { write(place) }
        made.manifest.set("files/labels.txt/bytes", Int.MAX_VALUE)
        val error = damaged { TestBundle.open(place, made.manifest.toString().toByteArray()).labels() }
        assertTrue(error, "${Int.MAX_VALUE} bytes" in error)
    }

    @Test
    fun readsLabelFilesOfUpTo16Mebibytes() {
        for ((bytes, problem) in listOf((1 shl 24) to "labels for 2 classes", (1 shl 24) + 1 to "16777217 bytes")) {
            val error = damaged { folder.bundle { files["labels.txt"] = ByteArray(bytes) { '\n'.code.toByte() } }.labels() }
            assertTrue(error, problem in error)
        }
    }

    @Test
    fun aFileThatHasGrownIsNotRead() {
        val place = folder.newFolder()
        val bundle = TestBundle().write(place)
        RandomAccessFile(File(place, "labels.txt"), "rw").use { it.setLength(8L shl 30) } // It takes no room on the disk.
        val error = damaged { bundle.labels() }
        assertTrue(error, "more than 8 bytes" in error)
    }

    @Test
    fun shortMemoryIsAnErrorOfTheFile() {
        val place = folder.newFolder().also { TestBundle().write(it) }
        val scarce =
            object : InputStream() {
                override fun read(): Int = throw OutOfMemoryError()
            }

        class Source(
            private val short: String,
        ) : BundleSource by FolderSource(place) {
            override fun open(name: String) = if (name == short) scarce else FolderSource(place).open(name)
        }
        val uses =
            mapOf<String, (Bundle) -> Unit>(
                "manifest.json" to {},
                "labels.txt" to { it.labels() },
                "model.tflite" to { it.model(Model.BINARIZED) },
                "golden.npz" to { it.golden() },
            )
        for ((name, use) in uses) {
            val error = damaged { use(Bundle(Source(name))) }
            assertTrue(error, name in error && "not enough memory" in error)
        }
    }

    @Test
    fun shortMemoryForWhatIsMadeOfAFileIsAnErrorOfTheFile() {
        val bundle = folder.bundle { files["model.tflite"] = ByteArray(2 shl 20) }
        val held = mutableListOf<ByteBuffer>()
        try {
            while (true) held += ByteBuffer.allocateDirect(1 shl 20)
        } catch (_: OutOfMemoryError) {
            // Now less than a mebibyte is left of the memory outside the heap.
        }
        val error = damaged { bundle.model(Model.BINARIZED) }
        assertTrue("$error with ${held.size} MB in use", "model.tflite" in error && "not enough memory" in error)
        // Labels and golden arrays are made in the same way; the heap is everybody's, and no test may fill it.
        assertTrue("not enough memory" in damaged { bundle.made("golden.npz") { throw OutOfMemoryError() } })
    }

    @Test
    fun refusesWhatTheManifestDoesNotList() {
        val place = folder.newFolder()
        val made = TestBundle().apply { write(place) }
        made.manifest.set("files/labels.txt", null)
        assertTrue("not in the manifest" in damaged { TestBundle.open(place, made.manifest.toString().toByteArray()).labels() })
    }

    @Test
    fun saysWhereThereIsNone() {
        val place = folder.newFolder()
        assertTrue("manifest.json" in damaged { Bundle.fromFolder(place) })
        assertTrue("no bundle" in damaged { Bundle.fromFolder(File(place, "absent")) })
        val assets = RuntimeEnvironment.getApplication().assets
        assertTrue("assets/absent" in damaged { Bundle.fromAssets(assets, "absent") })
        assertTrue("no bundle" in damaged { Bundle.fromAssets(assets, "../../etc") })
    }

    private fun damaged(action: () -> Unit): String = assertThrows(BundleException::class.java, action).message!!
}
