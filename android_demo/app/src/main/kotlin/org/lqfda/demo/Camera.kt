package org.lqfda.demo

import android.annotation.SuppressLint
import android.content.Context
import android.graphics.SurfaceTexture
import android.hardware.camera2.CameraAccessException
import android.hardware.camera2.CameraCaptureSession
import android.hardware.camera2.CameraCharacteristics
import android.hardware.camera2.CameraDevice
import android.hardware.camera2.CameraManager
import android.hardware.camera2.CaptureRequest
import android.os.Handler
import android.os.Looper
import android.util.Size
import android.view.Surface

/**
 * Shows what a camera sees on a texture: the one at the back, or any other if there is none.
 *
 * Called, and calls, on the main thread.
 *
 * @param failed gets the system's words when there is no camera, or it stops.
 */
class Camera(
    context: Context,
    private val texture: SurfaceTexture,
    private val failed: (String) -> Unit,
) {
    private val manager = context.getSystemService(CameraManager::class.java)
    private val main = Handler(Looper.getMainLooper())
    private var device: CameraDevice? = null
    private var surface: Surface? = null
    private var closed = false

    /** Of its pictures, upright where the device is held as it was made to be; null if there is none. */
    var size: Size? = null
        private set

    @SuppressLint("MissingPermission") // The caller has asked for it; a user may still take it back at any time.
    fun open() {
        attempt {
            val ids = manager.cameraIdList
            val id = ids.firstOrNull { facesBack(it) } ?: ids.firstOrNull() ?: return@attempt failed("")
            val chosen = sizeOf(id) ?: return@attempt failed("")
            texture.setDefaultBufferSize(chosen.width, chosen.height)
            val turned = manager.getCameraCharacteristics(id).get(CameraCharacteristics.SENSOR_ORIENTATION)
            size = upright(chosen, turned ?: 0)
            manager.openCamera(id, opened, main)
        }
    }

    fun close() {
        closed = true
        device?.close()
        device = null
        surface?.release()
        surface = null
    }

    private fun facesBack(id: String) =
        manager.getCameraCharacteristics(id).get(CameraCharacteristics.LENS_FACING) == CameraCharacteristics.LENS_FACING_BACK

    /** The largest one of at most 1280 columns. */
    private fun sizeOf(id: String): Size? {
        val map = manager.getCameraCharacteristics(id).get(CameraCharacteristics.SCALER_STREAM_CONFIGURATION_MAP)
        val sizes = map?.getOutputSizes(SurfaceTexture::class.java)?.sortedBy { it.width.toLong() * it.height }.orEmpty()
        return sizes.lastOrNull { it.width <= MOST_COLUMNS } ?: sizes.firstOrNull()
    }

    private val opened =
        object : CameraDevice.StateCallback() {
            override fun onOpened(camera: CameraDevice) {
                if (closed) return camera.close()
                device = camera
                attempt { start(camera) }
            }

            override fun onDisconnected(camera: CameraDevice) = stop(camera, "")

            override fun onError(camera: CameraDevice, error: Int) = stop(camera, "error $error")
        }

    private fun start(camera: CameraDevice) {
        val surface = Surface(texture).also { surface = it }
        val request = camera.createCaptureRequest(CameraDevice.TEMPLATE_PREVIEW).apply { addTarget(surface) }
        request.set(CaptureRequest.CONTROL_AF_MODE, CaptureRequest.CONTROL_AF_MODE_CONTINUOUS_PICTURE)
        val configured =
            object : CameraCaptureSession.StateCallback() {
                override fun onConfigured(session: CameraCaptureSession) {
                    if (!closed) attempt { session.setRepeatingRequest(request.build(), null, main) }
                }

                override fun onConfigureFailed(session: CameraCaptureSession) = stop(camera, "")
            }
        @Suppress("DEPRECATION") // Its successor is younger than minSdk.
        camera.createCaptureSession(listOf(surface), configured, main)
    }

    private fun stop(camera: CameraDevice, error: String) {
        camera.close()
        device = null
        if (!closed) failed(error)
    }

    private fun attempt(action: () -> Unit) {
        try {
            action()
        } catch (error: CameraAccessException) {
            failed(error.message.orEmpty())
        } catch (error: SecurityException) {
            failed(error.message.orEmpty())
        } catch (error: IllegalStateException) {
            failed(error.message.orEmpty()) // The device was closed in the meantime.
        } catch (error: IllegalArgumentException) {
            failed(error.message.orEmpty()) // Some makers' cameras say it that way.
        }
    }

    companion object {
        private const val MOST_COLUMNS = 1280

        /** Most sensors lie across the device, some along it, as in tablets. */
        fun upright(size: Size, sensorDegrees: Int): Size =
            if (sensorDegrees % 180 == 90) Size(size.height, size.width) else size
    }
}
