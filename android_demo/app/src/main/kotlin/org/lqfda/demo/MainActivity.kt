package org.lqfda.demo

import android.Manifest
import android.app.Activity
import android.content.ActivityNotFoundException
import android.content.Intent
import android.content.pm.PackageManager
import android.net.Uri
import android.os.Build
import android.os.Bundle
import android.provider.MediaStore
import org.lqfda.runtime.Model
import java.io.IOException

/** The main screen: it gets pictures, and shows what the networks make of them. */
class MainActivity : Activity() {
    internal lateinit var controller: Controller
    private lateinit var screen: Screen
    private var capture: Uri? = null

    override fun onCreate(saved: Bundle?) {
        super.onCreate(saved)
        setContentView(R.layout.main)
        screen = Screen(this, Actions())
        capture = saved?.getString(CAPTURE)?.let(Uri::parse)
        val kept = lastNonConfigurationInstance as Controller?
        when {
            kept != null -> show(kept)
            saved != null -> show(Controller(application as DemoApplication, bundle(saved), State.restored(saved)))
            else -> enter(intent)
        }
    }

    override fun onNewIntent(intent: Intent) {
        super.onNewIntent(intent)
        if (!Door.isAskedBy(intent)) return // The launcher, to show what is there.
        controller.replace()
        enter(intent)
    }

    /** By the launcher, or by adb: see [Door]. */
    private fun enter(intent: Intent) {
        if (!Door.isAskedBy(intent)) return show(Controller(application as DemoApplication, Door.BUNDLE))
        val files = DoorFiles(getExternalFilesDir(null))
        val door =
            try {
                Door.of(intent)
            } catch (error: RuntimeException) { // Extras may be anything.
                files.clear()
                show(Controller(application as DemoApplication, Door.BUNDLE))
                controller.fail(Problem(R.string.problem_door, error.message.orEmpty()))
                report(files, Result.failure(error))
                return
            }
        show(Controller(application as DemoApplication, door.bundle))
        if (!door.benchmark) return
        files.clear()
        controller.benchmark(door.rounds, door.command) { result -> report(files, result.map { it.map(Timing::json) }) }
    }

    private fun report(files: DoorFiles, result: Result<List<String>>) {
        try {
            files.write(result)
        } catch (error: IOException) {
            runOnUiThread { controller.fail(Problem(R.string.problem_storage, error.message.orEmpty())) }
        }
    }

    private fun show(controller: Controller) {
        this.controller = controller
        controller.attach(screen::render)
    }

    private fun bundle(saved: Bundle) = saved.getString(BUNDLE) ?: Door.BUNDLE

    @Deprecated("The framework's only way without AndroidX.")
    override fun onRetainNonConfigurationInstance(): Any = controller

    override fun onSaveInstanceState(saved: Bundle) {
        super.onSaveInstanceState(saved)
        controller.state.save(saved)
        saved.putString(CAPTURE, capture?.toString())
        saved.putString(BUNDLE, controller.bundle)
    }

    override fun onDestroy() {
        super.onDestroy()
        controller.attach(null)
        if (!isChangingConfigurations) controller.close()
    }

    override fun onRequestPermissionsResult(request: Int, permissions: Array<String>, results: IntArray) {
        if (request != CAPTURE_REQUEST || results.isEmpty()) return
        if (results[0] == PackageManager.PERMISSION_GRANTED) takePhoto() else controller.fail(Problem(R.string.problem_permission))
    }

    @Deprecated("The framework's only way without AndroidX.")
    override fun onActivityResult(request: Int, result: Int, data: Intent?) {
        if (result != RESULT_OK) return
        if (request == CAPTURE_REQUEST) CaptureProvider.keep(this)
        val uri = if (request == CAPTURE_REQUEST) capture else data?.data
        if (uri != null) controller.classify(Picture.Chosen(uri))
    }

    private fun pickPhoto() {
        val document = Intent(Intent.ACTION_OPEN_DOCUMENT).addCategory(Intent.CATEGORY_OPENABLE).setType("image/*")
        val pickers =
            if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.TIRAMISU) {
                listOf(Intent(MediaStore.ACTION_PICK_IMAGES).setType("image/*"), document)
            } else {
                listOf(document)
            }
        if (pickers.none { start(it, PICK_REQUEST) }) controller.fail(Problem(R.string.problem_no_picker))
    }

    private fun takePhoto() {
        if (checkSelfPermission(Manifest.permission.CAMERA) != PackageManager.PERMISSION_GRANTED) {
            requestPermissions(arrayOf(Manifest.permission.CAMERA), CAPTURE_REQUEST)
            return
        }
        val uri = CaptureProvider.next(this)
        val intent =
            Intent(MediaStore.ACTION_IMAGE_CAPTURE)
                .putExtra(MediaStore.EXTRA_OUTPUT, uri)
                .addFlags(Intent.FLAG_GRANT_WRITE_URI_PERMISSION)
        capture = uri
        if (!start(intent, CAPTURE_REQUEST)) controller.fail(Problem(R.string.problem_no_camera))
    }

    private fun start(intent: Intent, request: Int): Boolean =
        try {
            @Suppress("DEPRECATION")
            startActivityForResult(intent, request)
            true
        } catch (_: ActivityNotFoundException) {
            false
        } catch (_: SecurityException) {
            false
        }

    private fun share() {
        val text = controller.state.timings.joinToString("\n") { it.json }
        val send =
            Intent(Intent.ACTION_SEND)
                .setType("text/plain")
                .putExtra(Intent.EXTRA_SUBJECT, getString(R.string.share_subject, controller.state.info?.name.orEmpty()))
                .putExtra(Intent.EXTRA_TEXT, text)
        startActivity(Intent.createChooser(send, null))
    }

    /** What the screen's buttons do. */
    private inner class Actions : Screen.Actions {
        override fun classify(picture: Picture) = controller.classify(picture)

        override fun pickPhoto() = this@MainActivity.pickPhoto()

        override fun takePhoto() = this@MainActivity.takePhoto()

        override fun live() = startActivity(LiveActivity.intent(this@MainActivity, controller))

        override fun choose(model: Model) = controller.choose(model)

        override fun choose(threads: Int) = controller.choose(threads)

        override fun benchmark() = controller.benchmark(Door.ROUNDS, "benchmark button")

        override fun selfTest() = controller.selfTest()

        override fun cancel() = controller.cancel()

        override fun share() = this@MainActivity.share()
    }

    private companion object {
        const val PICK_REQUEST = 1
        const val CAPTURE_REQUEST = 2
        const val CAPTURE = "capture"
        const val BUNDLE = "bundle"
    }
}
