package org.lqfda.runtime

import android.graphics.Bitmap
import android.graphics.BitmapFactory
import android.media.ExifInterface
import java.io.ByteArrayInputStream
import java.io.IOException
import java.io.InputStream

/**
 * Which way up a bitmap is, as EXIF and cameras say it: what must be done to its pixels to turn it upright.
 *
 * @property exif the number that EXIF uses.
 */
enum class Orientation(
    val exif: Int,
    internal val swapsSides: Boolean,
    internal val fromRight: Boolean,
    internal val fromBottom: Boolean,
) {
    UPRIGHT(1, false, false, false),
    MIRRORED(2, false, true, false),
    ROTATE_180(3, false, true, true),
    MIRRORED_ROTATE_180(4, false, false, true),
    MIRRORED_ROTATE_270(5, true, false, false),

    /** A quarter turn clockwise. */
    ROTATE_90(6, true, false, true),
    MIRRORED_ROTATE_90(7, true, true, true),

    /** A quarter turn counterclockwise. */
    ROTATE_270(8, true, true, false),
    ;

    companion object {
        /** The orientation of an EXIF number; upright for numbers that mean nothing. */
        @JvmStatic
        fun ofExif(number: Int): Orientation = entries.firstOrNull { it.exif == number } ?: UPRIGHT

        /**
         * The orientation of a camera frame.
         *
         * @param degrees clockwise, a multiple of 90.
         * @throws IllegalArgumentException it is no multiple of 90.
         */
        @JvmStatic
        fun ofDegrees(degrees: Int): Orientation =
            when (Math.floorMod(degrees, 360)) {
                0 -> UPRIGHT
                90 -> ROTATE_90
                180 -> ROTATE_180
                270 -> ROTATE_270
                else -> throw IllegalArgumentException("Expected a multiple of 90 degrees. Received: degrees=$degrees.")
            }
    }
}

/**
 * A decoded image, and which way up it is: turning the pixels of a large photograph would only cost memory.
 *
 * @property bitmap its pixels, as they are stored.
 * @property orientation what turns them upright.
 */
class Photo(
    val bitmap: Bitmap,
    val orientation: Orientation = Orientation.UPRIGHT,
) {
    /** Columns of the upright image. */
    val width: Int get() = if (orientation.swapsSides) bitmap.height else bitmap.width

    /** Rows of the upright image. */
    val height: Int get() = if (orientation.swapsSides) bitmap.width else bitmap.height

    /** Writes pixels of one row of the upright image, from column `left` on, as ARGB. */
    internal fun readRow(row: Int, left: Int, count: Int, into: IntArray) {
        // Along the row of the upright image, the stored image is walked along a row or a column, forwards or backwards.
        val across = if (orientation.swapsSides) orientation.fromBottom else orientation.fromRight
        val down = if (orientation.swapsSides) orientation.fromRight else orientation.fromBottom
        val first = if (across) width - left - count else left
        val line = if (down) height - 1 - row else row
        if (orientation.swapsSides) {
            bitmap.getPixels(into, 0, 1, line, first, 1, count)
        } else {
            bitmap.getPixels(into, 0, count, first, line, count, 1)
        }
        if (across) into.reverse(0, count)
    }

    companion object {
        // An app keeps the file in memory while it decodes it.
        private const val LARGEST_BYTES = 1 shl 26

        // As in lq_fda_runtime.
        private const val LARGEST_PIXELS = 100_000_000L

        // What an app can keep in memory as a bitmap beside everything else.
        private const val COMFORTABLE_PIXELS = 16_000_000L

        /**
         * Decodes an image file and reads its EXIF orientation.
         *
         * Takes what the device's decoders take: JPEG, PNG, WebP and others. Images of more than 16 megapixels are
         * decoded at a half, a quarter... of their size. An alpha channel is dropped. Colours are turned to sRGB, where
         * `lq_fda_runtime` takes the numbers of another colour space as they are.
         *
         * Reads storage: call it off the main thread, any thread.
         *
         * @param stream the file; it is read to its end, and not closed.
         * @param name how errors call it.
         * @throws ImageException it is no image, is damaged, is larger than 100 megapixels or 64 MiB, or does not fit in
         *   memory.
         */
        @JvmStatic
        fun decode(stream: InputStream, name: String): Photo =
            try {
                decodeInMemory(stream, name)
            } catch (error: OutOfMemoryError) {
                throw ImageException("There is not enough memory for the image. Received: $name. Choose a smaller one.", error)
            }

        private fun decodeInMemory(stream: InputStream, name: String): Photo {
            val content =
                try {
                    stream.readAtMost(LARGEST_BYTES)
                } catch (error: IOException) {
                    throw ImageException("The image cannot be read. Received: $name (${error.message}). Choose another one.", error)
                }
            val bounds = BitmapFactory.Options().apply { inJustDecodeBounds = true }
            BitmapFactory.decodeByteArray(content, 0, content.size, bounds)
            val pixels = bounds.outWidth.toLong() * bounds.outHeight
            if (bounds.outWidth < 1 || bounds.outHeight < 1) throw noImage(name, "${content.size} bytes")
            if (pixels > LARGEST_PIXELS) {
                throw ImageException(
                    "The image is too large. Expected at most ${LARGEST_PIXELS / 1_000_000} megapixels. " +
                        "Received: $name (${bounds.outWidth} x ${bounds.outHeight}). Scale it down first.",
                )
            }
            val options =
                BitmapFactory.Options().apply {
                    inPreferredConfig = Bitmap.Config.ARGB_8888
                    inPremultiplied = false // Premultiplied pixels have lost what lies under their alpha.
                    inScaled = false
                    inSampleSize = 1
                    while (pixels / (inSampleSize.toLong() * inSampleSize) > COMFORTABLE_PIXELS) inSampleSize *= 2
                }
            val bitmap =
                BitmapFactory.decodeByteArray(content, 0, content.size, options)
                    ?: throw noImage(name, bounds.outMimeType ?: "an unknown type")
            bitmap.setHasAlpha(false) // Dropped as in lq_fda_runtime; and views draw no bitmaps that are not premultiplied.
            return Photo(bitmap, orientationOf { ExifInterface(ByteArrayInputStream(content)) })
        }

        internal fun orientationOf(open: () -> ExifInterface): Orientation =
            try {
                Orientation.ofExif(open().getAttributeInt(ExifInterface.TAG_ORIENTATION, Orientation.UPRIGHT.exif))
            } catch (_: IOException) {
                Orientation.UPRIGHT // A kind of file that has no EXIF.
            } catch (_: RuntimeException) {
                Orientation.UPRIGHT // So the system's reader takes damaged EXIF, on some versions of Android.
            }

        private fun noImage(name: String, received: String) =
            ImageException(
                "This is no image that the device can decode, or it is damaged. Expected a JPEG, PNG or WebP file. " +
                    "Received: $name ($received). Choose another one.",
            )
    }
}
