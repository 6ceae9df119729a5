package org.lqfda.runtime

import android.graphics.Bitmap
import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.FloatBuffer
import java.security.MessageDigest

/** Held against `lq_fda_runtime` by the vectors of tools/vectors.py. */
@RunWith(RobolectricTestRunner::class)
class PreprocessorTest {
    private val vectors = Json.parse(javaClass.getResource("/vectors.json")!!.readText()) as List<*>

    @Test
    fun equalsPythonToTheBit() {
        assertTrue(vectors.size >= 20)
        vectors.forEachIndexed { seed, case ->
            val fields = case as Map<*, *>
            val height = (fields["height"] as Long).toInt()
            val width = (fields["width"] as Long).toInt()
            val orientation = Orientation.ofExif((fields["orientation"] as Long).toInt())
            val spec = preprocessing(fields["preprocessing"] as Map<*, *>)
            val values = run(Preprocessor(spec), spec, Photo(madeUp(seed, height, width), orientation))
            val first = (fields["first"] as List<*>).map { (it as Double).toFloat() }
            assertEquals("case $seed", first, List(3, values::get))
            assertEquals("case $seed", fields["sha256"], sha256(values))
        }
    }

    @Test
    fun aUsedOneGivesTheSameAsANewOne() {
        val spec = preprocessing((vectors[5] as Map<*, *>)["preprocessing"] as Map<*, *>)
        val photos =
            listOf(37 to 53, 37 to 53, 53 to 37, 5 to 5, 32 to 32, 1 to 1, 37 to 53).mapIndexed { seed, (height, width) ->
                Photo(madeUp(seed, height, width), Orientation.entries[seed])
            }
        val used = Preprocessor(spec)
        for (photo in photos) assertEquals(sha256(run(Preprocessor(spec), spec, photo)), sha256(run(used, spec, photo)))
    }

    @Test
    fun refusesBitmapsWhosePixelsCannotBeRead() {
        val spec = Preprocessing(4, 4, 1.0, FloatArray(3), FloatArray(3))
        val other = Bitmap.createBitmap(4, 4, Bitmap.Config.RGB_565)
        val recycled = Bitmap.createBitmap(4, 4, Bitmap.Config.ARGB_8888).apply { recycle() }
        for ((bitmap, word) in listOf(other to "RGB_565", recycled to "recycled")) {
            val error = assertThrows(ImageException::class.java) { run(Preprocessor(spec), spec, Photo(bitmap)) }
            assertTrue(error.message, word in error.message!! && "copy" in error.message!!)
        }
    }

    private fun run(preprocessor: Preprocessor, spec: Preprocessing, photo: Photo): FloatBuffer =
        FloatBuffer.allocate(spec.height * spec.width * 3).also { preprocessor.run(photo, it) }

    private fun preprocessing(fields: Map<*, *>): Preprocessing {
        fun triple(name: String) = (fields[name] as List<*>).map { (it as Double).toFloat() }.toFloatArray()
        val height = (fields["height"] as Long).toInt()
        val width = (fields["width"] as Long).toInt()
        return Preprocessing(height, width, fields["crop"] as Double, triple("scale"), triple("offset"))
    }

    /** As tools/vectors.py makes them up. */
    private fun madeUp(seed: Int, height: Int, width: Int): Bitmap {
        fun byte(index: Int) = (index * -1640531535 + seed * 40503) ushr 24
        val pixels =
            IntArray(height * width) { (0xff shl 24) or (byte(3 * it) shl 16) or (byte(3 * it + 1) shl 8) or byte(3 * it + 2) }
        return Bitmap.createBitmap(pixels, width, height, Bitmap.Config.ARGB_8888)
    }

    private fun sha256(values: FloatBuffer): String {
        val bytes = ByteBuffer.allocate(4 * values.capacity()).order(ByteOrder.LITTLE_ENDIAN)
        bytes.asFloatBuffer().put(values.duplicate().apply { clear() })
        return MessageDigest.getInstance("SHA-256").digest(bytes.array()).joinToString("") { "%02x".format(it) }
    }
}
