package org.lqfda.demo

import android.hardware.camera2.CameraCharacteristics
import android.hardware.camera2.CameraDevice
import android.hardware.camera2.CameraManager
import android.os.Handler
import android.util.Size
import org.robolectric.annotation.Implementation
import org.robolectric.annotation.Implements
import org.robolectric.shadow.api.Shadow
import org.robolectric.shadows.ShadowCameraCharacteristics
import org.robolectric.shadows.ShadowCameraManager
import org.robolectric.shadows.StreamConfigurationMapBuilder

/** Cameras that never answer, or are refused: Robolectric's own cannot be opened on Android 14. */
@Implements(CameraManager::class)
class Cameras : ShadowCameraManager() {
    val opened = mutableListOf<String>()
    var refusal: Exception? = null

    @Implementation
    @Suppress("UNUSED_PARAMETER")
    fun openCamera(id: String, callback: CameraDevice.StateCallback, handler: Handler?) {
        refusal?.let { throw it }
        opened += id
    }

    /** @param facing as in `CameraCharacteristics.LENS_FACING_BACK`. */
    fun add(id: String, facing: Int, vararg sizes: Size) {
        val map = StreamConfigurationMapBuilder.newBuilder().apply { sizes.forEach(::addOutputSize) }.build()
        val made = ShadowCameraCharacteristics.newCameraCharacteristics()
        Shadow.extract<ShadowCameraCharacteristics>(made).apply {
            set(CameraCharacteristics.LENS_FACING, facing)
            set(CameraCharacteristics.SENSOR_ORIENTATION, 90)
            if (sizes.isNotEmpty()) set(CameraCharacteristics.SCALER_STREAM_CONFIGURATION_MAP, map)
        }
        addCamera(id, made)
    }

    companion object {
        fun of(app: DemoApplication): Cameras = Shadow.extract(app.getSystemService(CameraManager::class.java))
    }
}
