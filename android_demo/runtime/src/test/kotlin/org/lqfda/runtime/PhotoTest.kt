package org.lqfda.runtime

import android.graphics.Bitmap
import android.graphics.Color
import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import java.io.ByteArrayOutputStream
import java.io.IOException
import java.io.InputStream
import java.util.Random
import java.util.zip.CRC32
import java.util.zip.DeflaterOutputStream

/** What Android's own decoders, which Robolectric runs, make of files good and bad. */
@RunWith(RobolectricTestRunner::class)
class PhotoTest {
    @Test
    fun decodesPixels() {
        val bitmap = Bitmap.createBitmap(intArrayOf(Color.RED, Color.rgb(1, 2, 3)), 2, 1, Bitmap.Config.ARGB_8888)
        val photo = decode(compressed(bitmap, Bitmap.CompressFormat.PNG))
        assertEquals(listOf(2, 1), listOf(photo.width, photo.height))
        assertEquals(listOf(Color.RED, Color.rgb(1, 2, 3)), row(photo, 0))
        assertEquals(1, decode(compressed(bitmap(1, 1), Bitmap.CompressFormat.PNG)).width)
    }

    @Test
    fun keepsWhatLiesUnderTransparency() {
        val bitmap = Bitmap.createBitmap(1, 1, Bitmap.Config.ARGB_8888).apply { isPremultiplied = false }
        bitmap.setPixel(0, 0, Color.argb(3, 200, 100, 50))
        val photo = decode(compressed(bitmap, Bitmap.CompressFormat.PNG))
        assertEquals(0xc86432, row(photo, 0).single() and 0xffffff)
    }

    @Test
    fun readsTheOrientationOfAFile() {
        val jpeg = compressed(bitmap(5, 3), Bitmap.CompressFormat.JPEG)
        assertEquals(Orientation.UPRIGHT, decode(jpeg).orientation)
        for (orientation in Orientation.entries) {
            val photo = decode(withExif(jpeg, orientation.exif))
            assertEquals(orientation, photo.orientation)
            assertEquals(if (orientation.exif >= 5) listOf(3, 5) else listOf(5, 3), listOf(photo.width, photo.height))
        }
        assertEquals(Orientation.UPRIGHT, decode(withExif(jpeg, 99)).orientation)
    }

    @Test
    fun turnsPixels() {
        // The letter is the colour; every orientation is to read ABC, DEF upright.
        val stored =
            mapOf(
                1 to listOf("ABC", "DEF"),
                2 to listOf("CBA", "FED"),
                3 to listOf("FED", "CBA"),
                4 to listOf("DEF", "ABC"),
                5 to listOf("AD", "BE", "CF"),
                6 to listOf("CF", "BE", "AD"),
                7 to listOf("FC", "EB", "DA"),
                8 to listOf("DA", "EB", "FC"),
            )
        for ((number, rows) in stored) {
            val pixels = rows.joinToString("").map { Color.rgb(0, 0, it.code) }.toIntArray()
            val bitmap = Bitmap.createBitmap(pixels, rows[0].length, rows.size, Bitmap.Config.ARGB_8888)
            val photo = Photo(bitmap, Orientation.ofExif(number))
            val upright = List(2) { row -> row(photo, row).joinToString("") { Color.blue(it).toChar().toString() } }
            assertEquals("orientation $number", listOf("ABC", "DEF"), upright)
        }
    }

    @Test
    fun framesTurnByQuarters() {
        assertEquals(Orientation.ROTATE_270, Orientation.ofDegrees(-90))
        assertEquals(Orientation.ROTATE_90, Orientation.ofDegrees(450))
        assertThrows(IllegalArgumentException::class.java) { Orientation.ofDegrees(45) }
    }

    @Test
    fun decodesACmykJpeg() {
        // 16 x 16, made by Pillow: Image.new("CMYK", (16, 16), (0, 255, 255, 0)).
        val photo = decode(javaClass.getResourceAsStream("/cmyk.jpg")!!.readBytes())
        val pixel = row(photo, 8)[8]
        assertTrue(Integer.toHexString(pixel), Color.red(pixel) > 200 && Color.green(pixel) < 80 && Color.blue(pixel) < 80)
    }

    @Test
    fun longImagesAreDecodedAndLargeOnesSmaller() {
        val long = decode(png(20_000, 60))
        assertEquals(listOf(20_000, 60), listOf(long.width, long.height))
        val large = decode(png(9000, 9000))
        assertEquals(listOf(2250, 2250), listOf(large.width, large.height))
    }

    @Test
    fun refusesWhatIsTooLarge() {
        val error = refused(png(20_000, 20_000, whole = false))
        assertTrue(error, "20000 x 20000" in error && "100 megapixels" in error)
        assertTrue("no image" in refused(png(Int.MAX_VALUE, Int.MAX_VALUE, whole = false)))
    }

    @Test
    fun refusesWhatIsNoImage() {
        for (content in listOf(ByteArray(0), ByteArray(1), "A text, and no image.".toByteArray(), ByteArray(5000))) {
            val error = refused(content)
            assertTrue(error, "no image" in error && "${content.size} bytes" in error && "cat.jpg" in error)
        }
        val broken =
            object : InputStream() {
                override fun read(): Int = throw IOException("the card is gone")
            }
        val error = assertThrows(ImageException::class.java) { Photo.decode(broken, "cat.jpg") }
        assertTrue("the card is gone" in error.message!!)
    }

    @Test
    fun shortMemoryIsAnErrorOfTheImage() {
        val scarce =
            object : InputStream() {
                override fun read(): Int = throw OutOfMemoryError()
            }
        val error = assertThrows(ImageException::class.java) { Photo.decode(scarce, "cat.jpg") }
        assertTrue(error.message, "not enough memory" in error.message!!)
    }

    @Test
    fun aFileWithoutEndIsNotKept() {
        var given = 0L
        val endless =
            object : InputStream() {
                override fun read(): Int = 0

                override fun read(into: ByteArray, offset: Int, count: Int): Int = count.also { given += it }
            }
        assertThrows(ImageException::class.java) { Photo.decode(endless, "cat.jpg") }
        assertTrue("$given bytes", given < 65L shl 20)
    }

    @Test
    fun anOrientationThatCannotBeReadIsUpright() {
        for (error in listOf(IOException("no EXIF"), NegativeArraySizeException("-2"), IllegalArgumentException("limit"))) {
            assertEquals(Orientation.UPRIGHT, Photo.orientationOf { throw error })
        }
    }

    @Test
    fun damagedFilesGiveAnImageOrAnError() {
        val random = Random(5)
        val files = Bitmap.CompressFormat.entries.map { compressed(bitmap(40, 30), it) }
        val whole = files + withExif(files[0], 6)
        repeat(300) {
            val damaged = whole[random.nextInt(whole.size)].clone()
            repeat(1 + random.nextInt(8)) { damaged[random.nextInt(damaged.size)] = random.nextInt().toByte() }
            val cut = if (random.nextInt(3) == 0) damaged.copyOf(random.nextInt(damaged.size)) else damaged
            try {
                decode(cut)
            } catch (_: ImageException) {
                // As it should be.
            }
        }
    }

    private fun decode(content: ByteArray) = Photo.decode(content.inputStream(), "cat.jpg")

    private fun refused(content: ByteArray): String = assertThrows(ImageException::class.java) { decode(content) }.message!!

    private fun row(photo: Photo, row: Int): List<Int> =
        IntArray(photo.width).also { photo.readRow(row, 0, photo.width, it) }.toList()

    private fun bitmap(width: Int, height: Int): Bitmap = Bitmap.createBitmap(width, height, Bitmap.Config.ARGB_8888)

    @Suppress("DEPRECATION")
    private fun compressed(bitmap: Bitmap, format: Bitmap.CompressFormat): ByteArray =
        ByteArrayOutputStream().also { bitmap.compress(format, 90, it) }.toByteArray()

    /** A JPEG file whose EXIF data hold an orientation and nothing else. */
    private fun withExif(jpeg: ByteArray, orientation: Int): ByteArray {
        val tiff = "4d4d002a00000008" + "0001" + "011200030000000100%02x0000".format(orientation) + "00000000"
        val exif = "457869660000$tiff"
        val segment = "ffe1%04x".format(exif.length / 2 + 2) + exif
        return jpeg.copyOf(2) + segment.chunked(2).map { it.toInt(16).toByte() } + jpeg.drop(2)
    }

    /** A black PNG; or its start only. */
    private fun png(width: Int, height: Int, whole: Boolean = true): ByteArray {
        val file = ByteArrayOutputStream()
        file.write(byteArrayOf(0x89.toByte(), 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a))
        fun bytes(number: Int) = ByteArray(4) { (number ushr 24 - 8 * it).toByte() }
        fun chunk(type: String, content: ByteArray) {
            file.write(bytes(content.size))
            val checked = type.toByteArray() + content
            file.write(checked)
            file.write(bytes(CRC32().apply { update(checked) }.value.toInt()))
        }
        chunk("IHDR", bytes(width) + bytes(height) + byteArrayOf(8, 0, 0, 0, 0))
        val pixels = ByteArrayOutputStream()
        DeflaterOutputStream(pixels).use { zip -> if (whole) repeat(height) { zip.write(ByteArray(1 + width)) } }
        chunk("IDAT", pixels.toByteArray())
        chunk("IEND", ByteArray(0))
        return file.toByteArray()
    }
}
