package org.lqfda.demo

import android.Manifest
import android.content.pm.PackageManager
import android.graphics.SurfaceTexture
import android.hardware.camera2.CameraMetadata
import android.util.Size
import android.view.TextureView
import android.view.View
import android.widget.TextView
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config

@RunWith(RobolectricTestRunner::class)
@Config(shadows = [Cameras::class])
class LiveActivityTest {
    @get:Rule val phone = Phone()

    @Test
    fun opensWithTheChosenNetwork() {
        phone.launch()
        phone.click(R.id.int8)
        phone.click(R.id.live)
        val intent = shadowOf(phone.activity).nextStartedActivity
        assertEquals(LiveActivity::class.java.name, intent.component!!.className)
        val live = Robolectric.buildActivity(LiveActivity::class.java, intent).setup().get()
        assertEquals("int8", live.findViewById<TextView>(R.id.times).text.toString())
    }

    @Test
    fun asksForThePermissionAndSaysWhatADenialMeans() {
        phone.launch()
        val intent = LiveActivity.intent(phone.activity, phone.activity.controller)
        val live = Robolectric.buildActivity(LiveActivity::class.java, intent).setup().get()
        assertEquals(Manifest.permission.CAMERA, shadowOf(live).lastRequestedPermission.requestedPermissions.single())
        assertEquals("nothing behind the system's question", "", problem(live))
        live.onRequestPermissionsResult(0, arrayOf(Manifest.permission.CAMERA), intArrayOf(PackageManager.PERMISSION_DENIED))
        assertTrue(problem(live), problem(live).startsWith("The camera may not be used."))
        shadowOf(phone.app).grantPermissions(Manifest.permission.CAMERA)
        live.onRequestPermissionsResult(0, arrayOf(Manifest.permission.CAMERA), intArrayOf(PackageManager.PERMISSION_GRANTED))
        assertEquals("", problem(live))
    }

    @Test
    fun comesAndGoes() {
        shadowOf(phone.app).grantPermissions(Manifest.permission.CAMERA)
        phone.launch()
        val intent = LiveActivity.intent(phone.activity, phone.activity.controller)
        val live = Robolectric.buildActivity(LiveActivity::class.java, intent).setup()
        live.pause().stop().start().resume()
        assertEquals("", problem(live.get()))
        live.pause().stop().destroy()
        assertTrue(live.get().isDestroyed)
        assertEquals("the other screen's engine is another one", emptyList<String>(), phone.engine.asked)
    }

    @Test
    fun looksAtFramesAndSaysWhatGoesWrong() {
        Cameras.of(phone.app).add("0", CameraMetadata.LENS_FACING_BACK, Size(640, 640))
        val live = watching()
        live.onSurfaceTextureUpdated(live.texture().surfaceTexture!!)
        phone.await { live.text(R.id.times).startsWith("1-bit") && "3.27" in live.text(R.id.times) }
        assertEquals("classify BINARIZED 1 320x320", phone.engine.asked.single())
        phone.engine.error = IllegalStateException("odd")
        live.onSurfaceTextureUpdated(live.texture().surfaceTexture!!)
        phone.await { problem(live).isNotEmpty() }
        assertEquals("Something unexpected went wrong. Please report it.\n\nodd", problem(live))
    }

    @Test
    fun saysThatThereIsNoCamera() {
        val live = watching()
        assertTrue(problem(live), problem(live).startsWith("No camera answers."))
        live.onSurfaceTextureUpdated(live.texture().surfaceTexture!!)
        assertEquals(emptyList<String>(), phone.engine.asked)
    }

    /** The screen with the permission, and a texture that a phone would have made. */
    private fun watching(): LiveActivity {
        shadowOf(phone.app).grantPermissions(Manifest.permission.CAMERA)
        phone.launch()
        val intent = LiveActivity.intent(phone.activity, phone.activity.controller)
        val live = Robolectric.buildActivity(LiveActivity::class.java, intent).setup().get()
        live.texture().setSurfaceTexture(SurfaceTexture(0))
        live.onSurfaceTextureAvailable(live.texture().surfaceTexture!!, 100, 100)
        return live
    }

    private fun LiveActivity.texture() = findViewById<TextureView>(R.id.texture)

    private fun LiveActivity.text(id: Int) = findViewById<TextView>(id).text.toString()

    private fun problem(live: LiveActivity): String {
        val view = live.findViewById<TextView>(R.id.problem)
        return if (view.visibility == View.VISIBLE) view.text.toString() else ""
    }
}
