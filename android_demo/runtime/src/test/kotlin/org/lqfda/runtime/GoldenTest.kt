package org.lqfda.runtime

import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.lqfda.runtime.TestBundle.Companion.bundle
import org.lqfda.runtime.TestBundle.Companion.npy
import org.lqfda.runtime.TestBundle.Companion.npz
import org.lqfda.runtime.TestBundle.Companion.set
import org.robolectric.RobolectricTestRunner
import java.io.ByteArrayOutputStream
import java.util.zip.ZipEntry
import java.util.zip.ZipOutputStream

@RunWith(RobolectricTestRunner::class)
class GoldenTest {
    @get:Rule val folder = TemporaryFolder()
    private val inputs = "inputs" to npy(listOf(3, 2, 2, 3))
    private val outputs = "outputs_model" to npy(listOf(3, 2))

    @Test
    fun readsRows() {
        val golden = golden(npz("later" to byteArrayOf(1), inputs, outputs))
        assertEquals(3, golden.inputs.size)
        assertArrayEquals(FloatArray(12) { 12f + it }, golden.inputs[1], 0f)
        assertArrayEquals(floatArrayOf(4f, 5f), golden.outputs.getValue(Model.BINARIZED)[2], 0f)
    }

    @Test
    fun refusesArraysThatDoNotFit() {
        val whole = inputs.second
        val others =
            listOf(
                npz(inputs),
                npz(outputs),
                npz(),
                npz(inputs, "outputs_model" to npy(listOf(2, 2))),
                npz(inputs, "outputs_model" to npy(listOf(3, 3))),
                npz(inputs, "outputs_model" to npy(listOf(6))),
                npz(inputs, "outputs_model" to npy(listOf(3, 2), type = "<f8")),
                npz(inputs, "outputs_model" to npy(listOf(3, 2), type = ">f4")),
                npz(inputs, "outputs_model" to npy(listOf(3, 2), type = "|O")),
                npz(inputs, "outputs_model" to npy(listOf(3, 2), fortran = "True")),
                npz(inputs, "outputs_model" to npy(listOf(3, 2), values = FloatArray(6) { Float.NaN })),
                npz(inputs, "outputs_model" to npy(listOf(3, 2), values = FloatArray(5))),
                npz(inputs, "outputs_model" to npy(listOf(3, 2), values = FloatArray(7))),
                npz("inputs" to npy(listOf(0, 2, 2, 3)), "outputs_model" to npy(listOf(0, 2))),
                npz("inputs" to npy(listOf(Int.MAX_VALUE, 2, 2, 3), values = FloatArray(36)), outputs),
                npz("inputs" to whole.copyOf(5), outputs),
                npz("inputs" to whole.copyOf(50), outputs),
                npz("inputs" to whole.copyOf(whole.size - 1), outputs),
                npz("inputs" to whole.copyOf().apply { this[8] = -1; this[9] = -1 }, outputs),
                ByteArray(0),
                ByteArray(1000),
                "no archive".toByteArray(),
            )
        for ((number, content) in others.withIndex()) refused("archive $number", content)
    }

    @Test
    fun refusesANameThatIsNoText() {
        val whole = npz(inputs, outputs, "xyz" to byteArrayOf(1))
        val name = String(whole, Charsets.ISO_8859_1).indexOf("xyz.npy")
        refused("a name", whole.apply { this[name] = -1 })
    }

    @Test
    fun aRowThatIsTooLongTakesNoMemory() {
        val bundle =
            folder.bundle {
                for (side in listOf("height", "width")) manifest.set("preprocessing/$side", 4096)
                files["golden.npz"] = npz("inputs" to npy(listOf(1, 4096, 4096, 3), values = FloatArray(0)), outputs)
            }
        val error = assertThrows(BundleException::class.java) { bundle.golden() }
        assertTrue(error.message, "does not hold float32" in error.message!!)
    }

    @Test
    fun refusesAnArchiveCutOffAnywhere() {
        val whole = npz(inputs, outputs)
        // What follows the entries is a table that a reader of streams does without.
        val entries = String(whole, Charsets.ISO_8859_1).indexOf("PK\u0001\u0002")
        for (size in 0 until entries step 7) refused("$size bytes", whole.copyOf(size))
    }

    @Test
    fun aBombCostsNoMemory() {
        val header = npy(listOf(1 shl 27, 2, 2, 3), values = FloatArray(0))
        refused("an array", bomb("inputs", header))
        refused("more than an array", bomb("inputs", inputs.second))
        refused("something else", bomb("later", ByteArray(0)))
    }

    /** An archive whose first entry unpacks to 256 MB. */
    private fun bomb(name: String, start: ByteArray): ByteArray {
        val zeros = ByteArray(1 shl 20)
        val content = ByteArrayOutputStream()
        ZipOutputStream(content).use { archive ->
            archive.putNextEntry(ZipEntry("$name.npy"))
            archive.write(start)
            repeat(256) { archive.write(zeros) }
        }
        return content.toByteArray()
    }

    private fun golden(content: ByteArray) = folder.bundle { files["golden.npz"] = content }.golden()

    private fun refused(what: String, content: ByteArray) {
        val error = assertThrows(what, BundleException::class.java) { golden(content) }
        assertTrue(error.message, "golden.npz" in error.message!!)
    }
}
