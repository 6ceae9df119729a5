package org.lqfda.runtime

import org.junit.Assert.assertEquals
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.shadows.ShadowBuild
import org.robolectric.shadows.ShadowVMRuntime

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
}
