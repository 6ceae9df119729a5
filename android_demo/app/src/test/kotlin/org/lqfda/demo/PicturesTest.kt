package org.lqfda.demo

import android.Manifest
import android.app.Activity
import android.content.Intent
import android.content.pm.PackageManager
import android.graphics.Bitmap
import android.graphics.Color
import android.net.Uri
import android.os.Build
import android.provider.MediaStore
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNotEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.runner.RunWith
import org.lqfda.runtime.Orientation
import org.lqfda.runtime.Photo
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.shadows.ShadowActivity
import org.robolectric.util.ReflectionHelpers
import java.io.ByteArrayOutputStream
import java.io.File

/** Where pictures come from: the picker, the camera app, and what becomes of them on the screen. */
@RunWith(RobolectricTestRunner::class)
class PicturesTest {
    @get:Rule val phone = Phone()

    @Test
    fun picksAPhoto() {
        phone.launch()
        val asked = askedBy(R.id.photos)
        assertEquals(MediaStore.ACTION_PICK_IMAGES, asked.intent.action)
        val uri = Uri.parse("content://media/picker/7")
        shadowOf(phone.app.contentResolver).registerInputStream(uri, jpeg(30, 20).inputStream())
        shadowOf(phone.activity).receiveResult(asked.intent, Activity.RESULT_OK, Intent().setData(uri))
        phone.await()
        assertEquals("", phone.problem())
        assertEquals("classify BINARIZED 1 30x20", phone.engine.asked.last())
        assertEquals(30, phone.state.image!!.width)
    }

    @Test
    fun picksADocumentOnAnOlderDevice() {
        ReflectionHelpers.setStaticField(Build.VERSION::class.java, "SDK_INT", Build.VERSION_CODES.P)
        phone.launch()
        val asked = askedBy(R.id.photos)
        assertEquals(Intent.ACTION_OPEN_DOCUMENT, asked.intent.action)
        shadowOf(phone.activity).receiveResult(asked.intent, Activity.RESULT_CANCELED, null)
        phone.await()
        assertNull(phone.state.picture)
    }

    @Test
    fun sharesRecords() {
        phone.launch()
        phone.click(R.id.benchmark)
        phone.click(R.id.share)
        val chooser = shadowOf(phone.activity).nextStartedActivity
        @Suppress("DEPRECATION")
        val send = chooser.getParcelableExtra<Intent>(Intent.EXTRA_INTENT)!!
        assertEquals(Intent.ACTION_SEND, send.action)
        assertEquals(6, send.getStringExtra(Intent.EXTRA_TEXT)!!.lines().size)
    }

    @Test
    fun asksForThePermissionBeforeTheCameraApp() {
        phone.launch()
        phone.click(R.id.camera)
        assertEquals(listOf(Manifest.permission.CAMERA), shadowOf(phone.activity).lastRequestedPermission.requestedPermissions.toList())
        answer(PackageManager.PERMISSION_DENIED)
        assertTrue(phone.problem(), "Allow it in the system's settings" in phone.problem())
        shadowOf(phone.app).grantPermissions(Manifest.permission.CAMERA)
        answer(PackageManager.PERMISSION_GRANTED)
        val asked = shadowOf(phone.activity).nextStartedActivityForResult
        assertEquals(MediaStore.ACTION_IMAGE_CAPTURE, asked.intent.action)
        assertTrue(asked.intent.flags and Intent.FLAG_GRANT_WRITE_URI_PERMISSION != 0)
    }

    @Test
    fun takesAPhoto() {
        shadowOf(phone.app).grantPermissions(Manifest.permission.CAMERA)
        phone.launch()
        val asked = askedBy(R.id.camera)
        @Suppress("DEPRECATION")
        val uri = asked.intent.getParcelableExtra<Uri>(MediaStore.EXTRA_OUTPUT)!!
        phone.app.contentResolver.openOutputStream(uri)!!.use { it.write(jpeg(16, 24)) }
        shadowOf(phone.activity).receiveResult(asked.intent, Activity.RESULT_OK, null)
        phone.await()
        assertEquals("", phone.problem())
        assertEquals("classify BINARIZED 1 16x24", phone.engine.asked.last())
        assertNotEquals(uri, CaptureProvider.next(phone.app))
    }

    @Test
    fun aPhotoStaysIfTheNextIsCancelled() {
        takesAPhoto()
        val asked = askedBy(R.id.camera)
        shadowOf(phone.activity).receiveResult(asked.intent, Activity.RESULT_CANCELED, null)
        val photo = phone.state.picture!!.load(phone.app)
        assertEquals(listOf(16, 24), listOf(photo.width, photo.height))
    }

    @Test
    fun aCameraAppThatWritesNothingIsNoPhoto() {
        takesAPhoto()
        val asked = askedBy(R.id.camera)
        shadowOf(phone.activity).receiveResult(asked.intent, Activity.RESULT_OK, null)
        phone.await()
        assertTrue(phone.problem(), phone.problem().startsWith("This picture cannot be read."))
        assertEquals("not the last one again", 1, phone.engine.asked.size)
    }

    @Test
    fun withoutAPickerOrACameraApp() {
        shadowOf(phone.app).grantPermissions(Manifest.permission.CAMERA)
        phone.launch()
        shadowOf(phone.app).checkActivities(true)
        phone.click(R.id.photos)
        assertTrue(phone.problem(), phone.problem().startsWith("This device has no app that picks photos."))
        phone.click(R.id.camera)
        assertTrue(phone.problem(), phone.problem().startsWith("No camera answers."))
    }

    @Test
    fun theProviderHasOneFile() {
        val uri = Uri.parse("content://org.lqfda.demo.capture/../../databases/secret")
        phone.app.contentResolver.openOutputStream(uri, "wt")!!.use { it.write(1) }
        assertEquals(listOf("capture.jpg.unfinished"), phone.app.cacheDir.list()!!.filter { "capture" in it })
        CaptureProvider.keep(phone.app)
        assertEquals(1, phone.app.contentResolver.openInputStream(uri)!!.use { it.readBytes() }.size)
    }

    @Test
    fun previewsAreUpright() {
        for (orientation in Orientation.entries) {
            val stored = Bitmap.createBitmap(IntArray(6) { Color.rgb(40 * it, 0, 0) }, 3, 2, Bitmap.Config.ARGB_8888)
            val photo = Photo(stored, orientation)
            val image = preview(photo)
            assertEquals(listOf(photo.width, photo.height), listOf(image.width, image.height))
            // Which corner is which, by the tables of EXIF.
            val first = mapOf(1 to 0, 2 to 2, 3 to 5, 4 to 3, 5 to 0, 6 to 3, 7 to 5, 8 to 2).getValue(orientation.exif)
            assertEquals("$orientation", 40 * first, Color.red(image.getPixel(0, 0)))
        }
    }

    @Test
    fun previewsAreNoLargerThanAScreen() {
        val image = preview(Photo(Bitmap.createBitmap(3000, 1, Bitmap.Config.ARGB_8888), Orientation.ROTATE_90))
        assertEquals(listOf(1, 1080), listOf(image.width, image.height))
    }

    /** What a touch asks another app for. */
    private fun askedBy(id: Int): ShadowActivity.IntentForResult {
        phone.click(id)
        return shadowOf(phone.activity).nextStartedActivityForResult
    }

    private fun answer(result: Int) =
        phone.activity.onRequestPermissionsResult(
            shadowOf(phone.activity).lastRequestedPermission.requestCode,
            arrayOf(Manifest.permission.CAMERA),
            intArrayOf(result),
        )

    private fun jpeg(width: Int, height: Int): ByteArray {
        val file = ByteArrayOutputStream()
        Bitmap.createBitmap(width, height, Bitmap.Config.ARGB_8888).compress(Bitmap.CompressFormat.JPEG, 90, file)
        return file.toByteArray()
    }
}
