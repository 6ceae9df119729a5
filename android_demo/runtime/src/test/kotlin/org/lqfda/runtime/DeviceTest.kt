package org.lqfda.runtime

import android.os.Build
import android.os.PowerManager
import org.junit.Assert.assertEquals
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.shadows.ShadowBuild
import org.robolectric.shadows.ShadowVMRuntime
import org.robolectric.util.ReflectionHelpers

@RunWith(RobolectricTestRunner::class)
class DeviceTest {
    @Test
    fun theMachineIsThatOfTheProcess() {
        ShadowBuild.setSupportedAbis(arrayOf("arm64-v8a", "armeabi-v7a"))
        ShadowBuild.setSupported64BitAbis(arrayOf("arm64-v8a"))
        ShadowBuild.setSupported32BitAbis(arrayOf("armeabi-v7a"))
        for ((is64Bit, machine) in listOf(true to "arm64-v8a", false to "armeabi-v7a")) {
            ShadowVMRuntime.setIs64Bit(is64Bit)
            assertEquals(machine, Device.machine())
        }
    }

    @Test
    fun saysHowMuchTheDeviceThrottles() {
        val context = RuntimeEnvironment.getApplication()
        val power = shadowOf(context.getSystemService(PowerManager::class.java))
        val words = listOf("none", "light", "moderate", "severe", "critical", "emergency", "shutdown")
        for ((status, word) in words.withIndex()) {
            power.setCurrentThermalStatus(status)
            assertEquals(word, Device(context).thermalStatus())
        }
        ReflectionHelpers.setStaticField(Build.VERSION::class.java, "SDK_INT", Build.VERSION_CODES.P)
        assertEquals("unknown", Device(context).thermalStatus())
    }
}
