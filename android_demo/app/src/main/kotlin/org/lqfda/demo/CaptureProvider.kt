package org.lqfda.demo

import android.content.ContentProvider
import android.content.ContentValues
import android.content.Context
import android.database.Cursor
import android.net.Uri
import android.os.ParcelFileDescriptor
import java.io.File

/** One photo, which this app reads, and beside it the next one, which the system's camera app may write. */
class CaptureProvider : ContentProvider() {
    override fun onCreate() = true

    override fun getType(uri: Uri) = "image/jpeg"

    override fun openFile(uri: Uri, mode: String): ParcelFileDescriptor =
        ParcelFileDescriptor.open(
            if (mode == "r") kept(context!!) else unfinished(context!!),
            ParcelFileDescriptor.parseMode(mode),
        )

    override fun query(
        uri: Uri,
        projection: Array<String>?,
        selection: String?,
        arguments: Array<String>?,
        order: String?,
    ): Cursor? = null

    override fun insert(uri: Uri, values: ContentValues?): Uri? = null

    override fun delete(uri: Uri, selection: String?, arguments: Array<String>?) = 0

    override fun update(uri: Uri, values: ContentValues?, selection: String?, arguments: Array<String>?) = 0

    companion object {
        private const val AUTHORITY = "org.lqfda.demo.capture"

        /** A new address for the next photo, so that nothing takes it for the last one. */
        fun next(context: Context): Uri {
            unfinished(context).delete()
            return Uri.parse("content://$AUTHORITY/${System.currentTimeMillis()}.jpg")
        }

        /** The next photo takes the place of the last one: it was taken, not cancelled. */
        fun keep(context: Context) {
            // A camera app that wrote nothing leaves nothing: the last photo must not pass for the next.
            if (!unfinished(context).renameTo(kept(context))) kept(context).delete()
        }

        private fun kept(context: Context) = File(context.cacheDir, "capture.jpg")

        private fun unfinished(context: Context) = File(context.cacheDir, "capture.jpg.unfinished")
    }
}
