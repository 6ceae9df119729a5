package org.lqfda.demo

import android.Manifest
import android.app.Activity
import android.content.Intent
import android.content.pm.PackageManager
import android.graphics.Bitmap
import android.graphics.Matrix
import android.graphics.SurfaceTexture
import android.os.Bundle
import android.util.Size
import android.view.Surface
import android.view.TextureView
import android.view.View
import android.widget.TextView
import org.lqfda.runtime.Model
import org.lqfda.runtime.Orientation
import org.lqfda.runtime.Photo
import java.util.concurrent.Executors
import kotlin.math.roundToInt

/** Names what the camera sees, frame by frame; a frame that comes while another is being looked at is left out. */
class LiveActivity : Activity(), TextureView.SurfaceTextureListener {
    private val model get() = Model.entries.first { it.name == intent.getStringExtra(MODEL) }
    private val threads get() = intent.getIntExtra(THREADS, 1)
    private lateinit var texture: TextureView
    private lateinit var guesses: GuessRows
    private val worker = Executors.newSingleThreadExecutor { Thread(it, "lq_fda") }
    private var engine: Engine? = null // The worker's.
    private var camera: Camera? = null
    private var frame: Photo? = null
    private var busy = false
    private var asking = false // The system's dialog is on its way.

    override fun onCreate(saved: Bundle?) {
        super.onCreate(saved)
        setContentView(R.layout.live)
        texture = findViewById(R.id.texture)
        texture.surfaceTextureListener = this
        guesses = GuessRows(findViewById(R.id.guesses))
        guesses.show(emptyList())
        findViewById<TextView>(R.id.times).text = model.word(this)
        asking = !allowed() && saved == null
        if (asking) requestPermissions(arrayOf(Manifest.permission.CAMERA), 0)
    }

    override fun onStart() {
        super.onStart()
        problem(if (allowed() || asking) null else Problem(R.string.problem_permission))
        if (texture.isAvailable) openCamera()
    }

    override fun onStop() {
        super.onStop()
        closeCamera()
        worker.execute {
            engine?.close()
            engine = null
        }
    }

    override fun onDestroy() {
        super.onDestroy()
        worker.shutdown()
    }

    override fun onRequestPermissionsResult(request: Int, permissions: Array<String>, results: IntArray) {
        asking = false
        if (!allowed()) return problem(Problem(R.string.problem_permission))
        problem(null)
        if (texture.isAvailable) openCamera()
    }

    override fun onSurfaceTextureAvailable(surface: SurfaceTexture, width: Int, height: Int) = openCamera()

    override fun onSurfaceTextureSizeChanged(surface: SurfaceTexture, width: Int, height: Int) = fit()

    override fun onSurfaceTextureDestroyed(surface: SurfaceTexture): Boolean {
        closeCamera()
        return true
    }

    override fun onSurfaceTextureUpdated(surface: SurfaceTexture) {
        val photo = frame
        if (busy || photo == null) return
        texture.getBitmap(photo.bitmap)
        look(photo)
    }

    private fun look(photo: Photo) {
        busy = true
        worker.execute {
            val result = runCatching { engine().classify(photo, model, threads) }
            runOnUiThread { show(result) }
        }
    }

    private fun engine(): Engine =
        engine ?: (application as DemoApplication).openEngine(intent.getStringExtra(BUNDLE) ?: Door.BUNDLE).also { engine = it }

    private fun show(result: Result<Answer>) {
        busy = false
        if (camera == null) return // It was closed in the meantime.
        result.fold(
            { answer ->
                guesses.show(answer.guesses)
                findViewById<TextView>(R.id.times).text = getString(R.string.live_times, model.word(this), times(this, answer))
            },
            { error ->
                closeCamera()
                problem(Problem.of(error))
            },
        )
    }

    private fun allowed() = checkSelfPermission(Manifest.permission.CAMERA) == PackageManager.PERMISSION_GRANTED

    private fun openCamera() {
        val surface = texture.surfaceTexture
        if (camera != null || surface == null || !allowed()) return
        camera =
            Camera(this, surface) { error -> problem(Problem(R.string.problem_no_camera, error)) }.also { opened ->
                opened.open()
                opened.size?.let { frame = Photo(frameBitmap(it), orientation()) }
            }
        fit()
    }

    private fun closeCamera() {
        camera?.close()
        camera = null
        frame = null
    }

    /** As the camera's picture, and small: the networks want less still. */
    private fun frameBitmap(size: Size): Bitmap {
        val scale = FRAME.toFloat() / minOf(size.width, size.height)
        return Bitmap.createBitmap((size.width * scale).roundToInt(), (size.height * scale).roundToInt(), Bitmap.Config.ARGB_8888)
    }

    /** A texture shows the picture upright where the device is held as it was made to be; otherwise it must be turned back. */
    private fun turned(): Int {
        @Suppress("DEPRECATION") // Its successor is younger than minSdk.
        return when (windowManager.defaultDisplay.rotation) {
            Surface.ROTATION_90 -> 90
            Surface.ROTATION_180 -> 180
            Surface.ROTATION_270 -> 270
            else -> 0
        }
    }

    private fun orientation() = Orientation.ofDegrees(-turned())

    /** Fills the view with the picture, cut where it must be: a texture would stretch it. */
    private fun fit() {
        val photo = frame ?: return
        val width = texture.width.toFloat()
        val height = texture.height.toFloat()
        val scale = maxOf(width / photo.width, height / photo.height)
        texture.setTransform(
            Matrix().apply {
                setScale(photo.bitmap.width * scale / width, photo.bitmap.height * scale / height, width / 2, height / 2)
                postRotate(-turned().toFloat(), width / 2, height / 2)
            },
        )
    }

    private fun problem(problem: Problem?) {
        val view = findViewById<TextView>(R.id.problem)
        view.visibility = if (problem == null) View.GONE else View.VISIBLE
        if (problem != null) view.text = "${getString(problem.sentence)}\n\n${problem.details}".trim()
    }

    companion object {
        private const val BUNDLE = "bundle"
        private const val MODEL = "model"
        private const val THREADS = "threads"
        private const val FRAME = 320

        fun intent(activity: Activity, controller: Controller): Intent =
            Intent(activity, LiveActivity::class.java)
                .putExtra(BUNDLE, controller.bundle)
                .putExtra(MODEL, controller.state.model.name)
                .putExtra(THREADS, controller.state.threads)
    }
}
