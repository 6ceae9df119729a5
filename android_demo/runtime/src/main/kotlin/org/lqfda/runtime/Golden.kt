package org.lqfda.runtime

import java.io.DataInputStream
import java.io.EOFException
import java.io.IOException
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.util.zip.ZipEntry
import java.util.zip.ZipInputStream

/** Preprocessed images, and what each model gave for them: one row an image. */
internal class Golden private constructor(
    val inputs: List<FloatArray>,
    val outputs: Map<Model, List<FloatArray>>,
) {
    companion object {
        // What one array may unpack to; an app has to keep it in memory.
        private const val LARGEST_ARRAY = 1L shl 26
        private val MAGIC = "\u0093NUMPY\u0001\u0000".toByteArray(Charsets.ISO_8859_1)
        private val HEADER = Regex("""\{'descr': '<f4', 'fortran_order': False, 'shape': \(([0-9, ]{1,80})\), }\s*""")

        /** @throws IOException it is no archive of float32 arrays of those shapes. */
        fun read(content: ByteArray, bundle: Bundle): Golden {
            val spec = bundle.preprocessing
            val wanted =
                bundle.models.associateBy({ "outputs_${it.file.removeSuffix(".tflite")}.npy" }, { listOf(bundle.classes) }) +
                    ("inputs.npy" to listOf(spec.height, spec.width, 3))
            val arrays = mutableMapOf<String, List<FloatArray>>()
            ZipInputStream(content.inputStream()).use { archive ->
                while (true) {
                    val entry = next(archive) ?: break
                    val shape = wanted[entry.name]
                    if (shape != null) {
                        arrays[entry.name] = rows(DataInputStream(archive), shape, entry.name)
                    } else if (archive.skip(LARGEST_ARRAY) == LARGEST_ARRAY) {
                        throw IOException("${entry.name} unpacks to more than $LARGEST_ARRAY bytes")
                    }
                }
            }
            val missing = wanted.keys - arrays.keys
            if (missing.isNotEmpty()) throw IOException("it lacks ${missing.sorted()}")
            if (arrays.values.map { it.size }.distinct() != listOf(arrays.getValue("inputs.npy").size)) {
                throw IOException("its arrays are not equally long")
            }
            val outputs = bundle.models.associateWith { arrays.getValue("outputs_${it.file.removeSuffix(".tflite")}.npy") }
            return Golden(arrays.getValue("inputs.npy"), outputs)
        }

        private fun next(archive: ZipInputStream): ZipEntry? =
            try {
                archive.nextEntry
            } catch (error: IllegalArgumentException) {
                throw IOException("a name in it is no text", error) // Java says it that way.
            }

        /** The rows of a `.npy` file of format 1.0, as numpy writes float32. */
        private fun rows(file: DataInputStream, shape: List<Int>, name: String): List<FloatArray> {
            try {
                val start = ByteBuffer.allocate(MAGIC.size + 2).order(ByteOrder.LITTLE_ENDIAN)
                file.readFully(start.array())
                if (!start.array().copyOf(MAGIC.size).contentEquals(MAGIC)) throw IOException("$name is no array")
                val text = ByteArray(start.getShort(MAGIC.size).toInt() and 0xffff).also(file::readFully)
                val header = HEADER.matchEntire(String(text, Charsets.ISO_8859_1))
                val sizes = header?.groupValues?.get(1)?.split(',')?.mapNotNull { it.trim().toIntOrNull() }
                val rowBytes = shape.fold(Float.SIZE_BYTES, Int::times)
                if (sizes == null || sizes.drop(1) != shape || sizes[0] < 1 || sizes[0] > LARGEST_ARRAY / rowBytes) {
                    throw IOException("$name does not hold float32 of shape (n, ${shape.joinToString()})")
                }
                val row = ByteBuffer.allocate(rowBytes).order(ByteOrder.LITTLE_ENDIAN)
                val rows =
                    List(sizes[0]) {
                        file.readFully(row.array())
                        FloatArray(row.capacity() / Float.SIZE_BYTES).also { row.asFloatBuffer().get(it) }
                    }
                if (file.read() >= 0) throw IOException("$name is too long")
                if (rows.any { row -> row.any { !it.isFinite() } }) throw IOException("$name holds numbers that are not finite")
                return rows
            } catch (error: EOFException) {
                throw IOException("$name is cut off", error)
            }
        }
    }
}
