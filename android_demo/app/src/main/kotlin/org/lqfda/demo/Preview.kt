package org.lqfda.demo

import android.graphics.Bitmap
import android.graphics.Matrix
import org.lqfda.runtime.Orientation
import org.lqfda.runtime.Photo

private const val LARGEST_SIDE = 1080

/** The photo upright, and no larger than a screen. */
fun preview(photo: Photo): Bitmap {
    val bitmap = photo.bitmap
    val scale = minOf(1f, LARGEST_SIDE.toFloat() / maxOf(bitmap.width, bitmap.height))
    val turn = turn(photo.orientation)
    turn.preScale(maxOf(scale, 1f / bitmap.width), maxOf(scale, 1f / bitmap.height)) // At least one pixel remains.
    return Bitmap.createBitmap(bitmap, 0, 0, bitmap.width, bitmap.height, turn, true)
}

private fun turn(orientation: Orientation): Matrix {
    val (degrees, mirrored) =
        when (orientation) {
            Orientation.UPRIGHT -> 0f to false
            Orientation.MIRRORED -> 0f to true
            Orientation.ROTATE_180 -> 180f to false
            Orientation.MIRRORED_ROTATE_180 -> 180f to true
            Orientation.MIRRORED_ROTATE_270 -> 90f to true
            Orientation.ROTATE_90 -> 90f to false
            Orientation.MIRRORED_ROTATE_90 -> 270f to true
            Orientation.ROTATE_270 -> 270f to false
        }
    return Matrix().apply {
        setRotate(degrees)
        if (mirrored) postScale(-1f, 1f)
    }
}
