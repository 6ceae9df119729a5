package org.lqfda.runtime

import android.app.ActivityManager
import android.content.Context
import android.os.Build
import android.os.PowerManager
import android.os.Process
import org.tensorflow.lite.TensorFlowLite

/** What device this is and how warm: a number without them says nothing. */
internal class Device(
    private val context: Context,
) {
    /** How much the device throttles; its own word, or `unknown` before Android 10. */
    fun thermalStatus(): String {
        if (Build.VERSION.SDK_INT < Build.VERSION_CODES.Q) return "unknown"
        val power = context.getSystemService(PowerManager::class.java) ?: return "unknown"
        return when (power.currentThermalStatus) {
            PowerManager.THERMAL_STATUS_NONE -> "none"
            PowerManager.THERMAL_STATUS_LIGHT -> "light"
            PowerManager.THERMAL_STATUS_MODERATE -> "moderate"
            PowerManager.THERMAL_STATUS_SEVERE -> "severe"
            PowerManager.THERMAL_STATUS_CRITICAL -> "critical"
            PowerManager.THERMAL_STATUS_EMERGENCY -> "emergency"
            PowerManager.THERMAL_STATUS_SHUTDOWN -> "shutdown"
            else -> "unknown"
        }
    }

    fun describe(): Map<String, Any?> {
        val memory = ActivityManager.MemoryInfo()
        context.getSystemService(ActivityManager::class.java)?.getMemoryInfo(memory)
        return mapOf(
            "system" to "Android",
            "release" to Build.VERSION.RELEASE,
            "machine" to machine(),
            "board" to "${Build.MANUFACTURER} ${Build.MODEL}",
            "cpu" to if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.S) Build.SOC_MODEL else Build.HARDWARE,
            "cores" to Runtime.getRuntime().availableProcessors(),
            "memory_bytes" to memory.totalMem,
            "versions" to mapOf("android_sdk" to Build.VERSION.SDK_INT.toString(), "tflite" to tfliteVersion()),
        )
    }

    companion object {
        /** What this process runs as: a device with a 64-bit processor also starts 32-bit apps. */
        fun machine(): String {
            val abis = if (Process.is64Bit()) Build.SUPPORTED_64_BIT_ABIS else Build.SUPPORTED_32_BIT_ABIS
            return abis.firstOrNull() ?: Build.SUPPORTED_ABIS.first()
        }

        fun tfliteVersion(): String = TensorFlowLite.runtimeVersion()
    }
}
