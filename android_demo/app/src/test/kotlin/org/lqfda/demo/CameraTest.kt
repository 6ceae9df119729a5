package org.lqfda.demo

import android.graphics.SurfaceTexture
import android.hardware.camera2.CameraAccessException
import android.hardware.camera2.CameraMetadata.LENS_FACING_BACK
import android.hardware.camera2.CameraMetadata.LENS_FACING_FRONT
import android.util.Size
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Rule
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config

/** Which camera is opened, and what is said if that fails. What an open one gives cannot be tried here. */
@RunWith(RobolectricTestRunner::class)
@Config(shadows = [Cameras::class])
class CameraTest {
    @get:Rule val phone = Phone()
    private val cameras get() = Cameras.of(phone.app)
    private val failures = mutableListOf<String>()

    @Test
    fun picturesAreUprightHoweverTheSensorLies() {
        val stored = Size(1280, 720)
        for ((turned, expected) in listOf(90 to Size(720, 1280), 270 to Size(720, 1280), 0 to stored, 180 to stored)) {
            assertEquals("$turned degrees", expected, Camera.upright(stored, turned))
        }
    }

    @Test
    fun takesTheOneAtTheBackAndASizeThatIsNotTooLarge() {
        cameras.add("0", LENS_FACING_FRONT, Size(640, 480))
        cameras.add("1", LENS_FACING_BACK, Size(320, 240), Size(4000, 3000), Size(1280, 960))
        assertEquals(Size(960, 1280), open().size)
        assertEquals(listOf("1"), cameras.opened)
        assertEquals(emptyList<String>(), failures)
    }

    @Test
    fun takesWhatThereIs() {
        cameras.add("0", LENS_FACING_FRONT, Size(4000, 3000))
        assertEquals(Size(3000, 4000), open().size)
        assertEquals(listOf("0"), cameras.opened)
    }

    @Test
    fun saysThatThereIsNone() {
        assertNull(open().size)
        cameras.add("0", LENS_FACING_BACK)
        assertNull("without a size", open().size)
        assertEquals(listOf("", ""), failures)
    }

    @Test
    fun saysWhyItDoesNotOpen() {
        cameras.add("0", LENS_FACING_BACK, Size(640, 480))
        val refusals =
            listOf(
                CameraAccessException(CameraAccessException.CAMERA_DISABLED, "by the owner"),
                SecurityException("taken back"),
                IllegalStateException("closed"),
                IllegalArgumentException("a maker's own"),
            )
        for (refusal in refusals) {
            cameras.refusal = refusal
            open().close()
            assertEquals(refusal.message, failures.last())
        }
        assertEquals(refusals.size, failures.size)
    }

    private fun open() = Camera(phone.app, SurfaceTexture(0), failures::add).apply { open() }
}
