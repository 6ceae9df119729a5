package org.lqfda.demo

import android.content.ContentProvider
import android.content.ContentValues
import android.content.Context
import android.database.Cursor
import android.net.Uri
import android.os.ParcelFileDescriptor
import java.io.File

/** One file, which the system's camera app may write and this app reads. */
class CaptureProvider : ContentProvider() {
    override fun onCreate() = true

    override fun getType(uri: Uri) = "image/jpeg"

    override fun openFile(uri: Uri, mode: String): ParcelFileDescriptor =
        ParcelFileDescriptor.open(file(context!!), ParcelFileDescriptor.parseMode(mode))

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
            file(context).delete()
            return Uri.parse("content://$AUTHORITY/${System.currentTimeMillis()}.jpg")
        }

        private fun file(context: Context) = File(context.cacheDir, "capture.jpg")
    }
}
