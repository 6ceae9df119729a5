package org.lqfda.demo

import android.Manifest
import android.content.pm.PackageManager
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
        live.pause().stop().start().resume().pause().stop().destroy()
    }

    private fun problem(live: LiveActivity): String {
        val view = live.findViewById<TextView>(R.id.problem)
        return if (view.visibility == View.VISIBLE) view.text.toString() else ""
    }
}
