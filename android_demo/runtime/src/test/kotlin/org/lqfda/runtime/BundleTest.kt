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
