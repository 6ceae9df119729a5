package org.lqfda.runtime

import org.json.JSONObject
import org.junit.Assert.assertArrayEquals
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

@RunWith(RobolectricTestRunner::class)
class ManifestTest {
    @get:Rule val folder = TemporaryFolder()

    @Test
    fun readsWhatADeviceNeeds() {
        val bundle =
            folder.bundle {
                manifest.set("preprocessing/scale", listOf(0.5, 1, 2))
                manifest.set("later", JSONObject("""{"fields": [1, null, true, {}]}"""))
            }
        assertEquals("made-up", bundle.name)
        assertEquals(2, bundle.classes)
        assertEquals(listOf(Model.BINARIZED), bundle.models)
        assertEquals(mapOf("binarized" to 0.5), bundle.accuracy)
        assertArrayEquals(floatArrayOf(0.5f, 1f, 2f), bundle.preprocessing.scale, 0f)
        bundle.preprocessing.scale[0] = 7f
        assertEquals("a copy", 0.5f, bundle.preprocessing.scale[0])
    }

    @Test
    fun refusesWhatIsNewer() {
        val error = refused { set("format", 2) }
        assertTrue(error, "newer" in error && "format=2" in error && "Update" in error)
    }

    @Test
    fun refusesFieldsThatAreMissingOrOdd() {
        val hash = "0".repeat(64)
        val changes: List<Pair<String, Any?>> =
            listOf(
                "format" to null,
                "format" to 0,
                "format" to "1",
                "format" to true,
                "format" to DIGITS,
                "output" to "probabilities",
                "name" to null,
                "name" to 3,
                "classes" to 1,
                "classes" to -5,
                "classes" to 2.5,
                "classes" to "2",
                "classes" to true,
                "classes" to DIGITS,
                "classes" to (1L shl 40),
                "preprocessing" to null,
                "preprocessing" to listOf(1),
                "preprocessing/mean" to 0,
                "preprocessing/height" to 0,
                "preprocessing/height" to 5000,
                "preprocessing/width" to null,
                "preprocessing/crop" to 0,
                "preprocessing/crop" to 1.001,
                "preprocessing/crop" to "1",
                "preprocessing/scale" to listOf(1, 1),
                "preprocessing/scale" to listOf(1, 1, DIGITS),
                "preprocessing/offset" to listOf(1e39, 0, 0),
                "preprocessing/offset" to listOf(true, 0, 0),
                "files" to null,
                "files/model.tflite" to "x",
                "files/model.tflite/sha256" to "00",
                "files/model.tflite/sha256" to hash.uppercase() + "A",
                "files/model.tflite/bytes" to -1,
                "files/model.tflite/bytes" to (1L shl 31),
                "files/model.tflite/bytes" to null,
                "files/model.tflite/url" to "http",
                "accuracy" to 3,
                "accuracy/binarized" to JSONObject(),
                "accuracy/binarized" to JSONObject("""{"top1": "high"}"""),
            )
        for ((path, value) in changes) {
            val error = refused { set(path, value) }
            assertTrue("$path: $error", "damaged" in error && "again" in error && error.length < 600)
        }
    }

    @Test
    fun refusesPathsForFileNames() {
        for (name in listOf("../model.tflite", "/etc/passwd", "a/b", "..", ".hidden", "", "a\u0000", "a\\b", "ü", "a b", "a\n")) {
            val error = refused { getJSONObject("files").put(name, TestBundle.describe(ByteArray(1))) }
            assertTrue("$name: $error", "plain file name" in error)
        }
        val many = refused { repeat(65) { getJSONObject("files").put("f$it", TestBundle.describe(ByteArray(1))) } }
        assertTrue(many, "more than 64" in many)
    }

    @Test
    fun refusesWhatIsNoJson() {
        val texts =
            listOf(
                "",
                " ",
                "null",
                "1",
                "[]",
                "{",
                "{}}",
                "{} {}",
                "{'format': 1}",
                """{"format": 1, "format": 1}""",
                """{"format": NaN}""",
                """{"format": 1e999}""",
                "[".repeat(100_000),
                """{"a":""".repeat(100_000),
                "\uFEFF{}",
                "{\"a\": \"" + "x".repeat(1 shl 24) + "\"}",
            )
        for (content in texts.map { it.toByteArray() } + byteArrayOf(0xff.toByte(), 0xfe.toByte()) + ByteArray(1000)) {
            val error = assertThrows(BundleException::class.java) { TestBundle.open(folder.newFolder(), content) }
            assertTrue(error.message!!.take(300), error.message!!.length < 600)
        }
    }

    private fun refused(change: JSONObject.() -> Unit): String {
        val bundle = TestBundle().apply { describeFiles() }
        bundle.manifest.change()
        val content = bundle.manifest.toString().replace("\"$DIGITS\"", "1".repeat(400)).toByteArray()
        val error = assertThrows(content.decodeToString(), BundleException::class.java) { TestBundle.open(folder.newFolder(), content) }
        return error.message!!
    }

    private companion object {
        // A number with 400 digits takes this text's place.
        const val DIGITS = "400 digits"
    }
}
