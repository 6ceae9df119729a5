package org.lqfda.runtime

import android.graphics.Bitmap
import java.nio.FloatBuffer
import kotlin.math.ceil
import kotlin.math.floor
import kotlin.math.max
import kotlin.math.min

/**
 * From an image to the network's input, as a bundle's manifest describes it; the same values to the last bit as in
 * `lq_fda_runtime`.
 *
 * 1. **Cut** the central rectangle with the input's aspect ratio: `ratio = min(H / height, W / width) * crop` in double
 *    precision, `floor(ratio * height + 0.5)` rows by `floor(ratio * width + 0.5)` columns, at least one and at most the
 *    image, from row `(H - rows) / 2` and column `(W - columns) / 2` on.
 * 2. **Resize** it, if it has another size than the input: bilinear, half-pixel centres, no antialiasing, in float32,
 *    first along the columns, then along the rows, each `a + (b - a) * t`, rounded to bytes by `floor(v + 0.5)`.
 * 3. **Normalize**: `pixel * scale[channel] + offset[channel]` in float32, rounded after each of the two operations.
 *
 * Allocates when the image's size changes, and never otherwise. Serves one thread at a time.
 */
internal class Preprocessor(
    private val spec: Preprocessing,
) {
    private var size = Pair(0, 0)
    private var rows = 0
    private var columns = 0
    private lateinit var down: Positions
    private lateinit var across: Positions
    private var upper = Row(0, 0)
    private var lower = Row(0, 0)

    /** One row of the cut, and how it looks when it is as wide as the input. */
    private class Row(
        columns: Int,
        width: Int,
    ) {
        var number = -1
        val pixels = IntArray(columns)
        val values = FloatArray(CHANNELS * width)
    }

    /** For each output position: the two input positions around it, and how far it lies from the first to the second. */
    private class Positions(
        size: Int,
        target: Int,
    ) {
        val first = IntArray(target)
        val second = IntArray(target)
        val share = FloatArray(target)

        init {
            val step = size.toFloat() / target.toFloat()
            for (index in 0 until target) {
                val place = (index.toFloat() + 0.5f) * step - 0.5f
                val below = floor(place)
                first[index] = max(below, 0f).toInt()
                second[index] = min(ceil(place).toInt(), size - 1)
                share[index] = place - below
            }
        }
    }

    /**
     * Writes the input: `height * width * 3` floats.
     *
     * @throws ImageException the bitmap's pixels cannot be read.
     */
    fun run(photo: Photo, into: FloatBuffer) {
        requireReadable(photo.bitmap)
        if (size.first != photo.width || size.second != photo.height) fit(photo.width, photo.height)
        upper.number = -1 // Of another image.
        lower.number = -1
        into.clear()
        val left = (photo.width - columns) / 2
        val top = (photo.height - rows) / 2
        for (row in 0 until spec.height) {
            // Where the image is enlarged, neighbouring rows of the output lie between the same two of the input.
            if (lower.number == down.first[row]) upper = lower.also { lower = upper }
            fill(upper, down.first[row], photo, top, left)
            if (down.second[row] != down.first[row]) fill(lower, down.second[row], photo, top, left)
            val below = if (down.second[row] == down.first[row]) upper.values else lower.values
            write(upper.values, below, down.share[row], into)
        }
        into.rewind()
    }

    private fun write(above: FloatArray, below: FloatArray, share: Float, into: FloatBuffer) {
        var index = 0
        repeat(spec.width) {
            for (channel in 0 until CHANNELS) {
                val value = above[index] + (below[index] - above[index]) * share
                val pixel = floor(value + 0.5f)
                into.put(pixel * spec.scales[channel] + spec.offsets[channel])
                index++
            }
        }
    }

    private fun fill(row: Row, number: Int, photo: Photo, top: Int, left: Int) {
        if (row.number == number) return
        photo.readRow(top + number, left, columns, row.pixels)
        var index = 0
        for (column in 0 until spec.width) {
            val first = row.pixels[across.first[column]]
            val second = row.pixels[across.second[column]]
            val share = across.share[column]
            for (shift in RED_SHIFT downTo 0 step Byte.SIZE_BITS) {
                val a = (first shr shift and BYTE).toFloat()
                val b = (second shr shift and BYTE).toFloat()
                row.values[index++] = a + (b - a) * share
            }
        }
        row.number = number
    }

    private fun fit(width: Int, height: Int) {
        val ratio = min(height.toDouble() / spec.height, width.toDouble() / spec.width) * spec.crop
        rows = floor(ratio * spec.height + 0.5).toInt().coerceIn(1, height)
        columns = floor(ratio * spec.width + 0.5).toInt().coerceIn(1, width)
        down = Positions(rows, spec.height)
        across = Positions(columns, spec.width)
        upper = Row(columns, spec.width)
        lower = Row(columns, spec.width)
        size = Pair(width, height)
    }

    private fun requireReadable(bitmap: Bitmap) {
        if (bitmap.isRecycled || bitmap.config != Bitmap.Config.ARGB_8888) {
            val received = if (bitmap.isRecycled) "a recycled bitmap" else "config=${bitmap.config}"
            throw ImageException(
                "The bitmap's pixels cannot be read. Expected ARGB_8888. Received: $received. " +
                    "Copy it first: bitmap.copy(Bitmap.Config.ARGB_8888, false).",
            )
        }
    }

    private companion object {
        const val CHANNELS = 3
        const val RED_SHIFT = 16
        const val BYTE = 0xff
    }
}
