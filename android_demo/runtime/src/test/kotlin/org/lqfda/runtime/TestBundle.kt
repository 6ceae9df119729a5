package org.lqfda.runtime

import org.json.JSONArray
import org.json.JSONObject
import org.junit.rules.TemporaryFolder
import java.io.ByteArrayOutputStream
import java.io.File
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.security.MessageDigest
import java.util.zip.ZipEntry
import java.util.zip.ZipOutputStream

/** A bundle made up by a test: whole, until the test changes it. The models are no models. */
internal class TestBundle {
    val files: MutableMap<String, ByteArray> =
        mutableMapOf(
            "model.tflite" to ByteArray(100) { it.toByte() },
            "labels.txt" to "cat\ndog\n".toByteArray(),
            "golden.npz" to npz("inputs" to npy(listOf(3, 2, 2, 3)), "outputs_model" to npy(listOf(3, 2))),
        )
    val manifest =
        JSONObject(
            """{"format": 1, "name": "made-up", "classes": 2, "output": "logits",
               "preprocessing": {"height": 2, "width": 2, "crop": 1.0, "scale": [1, 1, 1], "offset": [0, 0, 0]},
               "accuracy": {"binarized": {"top1": 0.5}}, "files": {}}""",
        )

    /** Writes it to a folder, hashes of the files included. */
    fun write(folder: File): Bundle {
        describeFiles()
        for ((name, content) in files) File(folder, name).writeBytes(content)
        return open(folder, manifest.toString().toByteArray())
    }

    fun describeFiles() {
        val entries = manifest.getJSONObject("files")
        for ((name, content) in files) entries.put(name, describe(content))
    }

    companion object {
        fun describe(content: ByteArray) = JSONObject().put("sha256", sha256(content)).put("bytes", content.size)

        fun open(folder: File, manifest: ByteArray): Bundle {
            File(folder, "manifest.json").writeBytes(manifest)
            return Bundle.fromFolder(folder)
        }

        fun TemporaryFolder.bundle(change: TestBundle.() -> Unit = {}): Bundle =
            TestBundle().apply(change).write(newFolder())

        /** The path of a field, such as `preprocessing/scale`, gets a value; null removes it. */
        fun JSONObject.set(path: String, value: Any?) {
            val names = path.split('/')
            val parent = names.dropLast(1).fold(this) { table, name -> table.getJSONObject(name) }
            if (value == null) parent.remove(names.last()) else parent.put(names.last(), if (value is List<*>) JSONArray(value) else value)
        }

        fun sha256(content: ByteArray): String =
            MessageDigest.getInstance("SHA-256").digest(content).joinToString("") { "%02x".format(it) }

        /** A file as `numpy.save` writes it. */
        fun npy(
            shape: List<Int>,
            type: String = "<f4",
            fortran: String = "False",
            values: FloatArray = FloatArray(shape.fold(1, Int::times)) { it.toFloat() },
        ): ByteArray {
            val sizes = if (shape.size == 1) "${shape[0]}," else shape.joinToString()
            val header = "{'descr': '$type', 'fortran_order': $fortran, 'shape': ($sizes), }".padEnd(117) + "\n"
            val buffer = ByteBuffer.allocate(10 + header.length + 4 * values.size).order(ByteOrder.LITTLE_ENDIAN)
            buffer.put(0x93.toByte()).put("NUMPY".toByteArray()).put(1).put(0).putShort(header.length.toShort())
            buffer.put(header.toByteArray())
            for (value in values) buffer.putFloat(value)
            return buffer.array()
        }

        fun npz(vararg arrays: Pair<String, ByteArray>): ByteArray {
            val content = ByteArrayOutputStream()
            ZipOutputStream(content).use { archive ->
                for ((name, array) in arrays) {
                    archive.putNextEntry(ZipEntry("$name.npy"))
                    archive.write(array)
                }
            }
            return content.toByteArray()
        }
    }
}
