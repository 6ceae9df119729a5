package org.lqfda.demo

import android.Manifest
import android.content.pm.PackageManager
import android.util.Size
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

/** The camera's own part cannot be tried here: there is no camera. */
@RunWith(RobolectricTestRunner::class)
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
    fun picturesAreUprightHoweverTheSensorLies() {
        val stored = Size(1280, 720)
        for ((turned, expected) in listOf(90 to Size(720, 1280), 270 to Size(720, 1280), 0 to stored, 180 to stored)) {
            assertEquals("$turned degrees", expected, Camera.upright(stored, turned))
        }
    }

    private fun problem(live: LiveActivity): String {
        val view = live.findViewById<TextView>(R.id.problem)
        return if (view.visibility == View.VISIBLE) view.text.toString() else ""
    }
}
