package org.lqfda.demo

import android.content.Context
import android.net.Uri
import org.lqfda.runtime.Photo
import java.io.FileNotFoundException
import java.io.InputStream

/** Where an image comes from. */
sealed interface Picture {
    /** Names it in a saved state. */
    val key: String

    /** One of the app's own. */
    data class Sample(
        val name: String,
    ) : Picture {
        override val key get() = "$PREFIX$name"

        companion object {
            const val PREFIX = "sample:"
            private const val FOLDER = "samples"

            fun all(context: Context): List<Sample> = context.assets.list(FOLDER).orEmpty().sorted().map(::Sample)
        }

        override fun open(context: Context): InputStream = context.assets.open("$FOLDER/$name")
    }

    /** One that the user chose or took. */
    data class Chosen(
        val uri: Uri,
    ) : Picture {
        override val key get() = uri.toString()

        override fun open(context: Context): InputStream =
            context.contentResolver.openInputStream(uri) ?: throw FileNotFoundException(uri.toString())
    }

    /** @throws java.io.IOException it is gone; SecurityException if the permission is. */
    fun open(context: Context): InputStream

    companion object {
        fun ofKey(key: String): Picture =
            if (key.startsWith(Sample.PREFIX)) Sample(key.removePrefix(Sample.PREFIX)) else Chosen(Uri.parse(key))
    }
}

/** Reads it; on a background thread. */
fun Picture.load(context: Context): Photo = open(context).use { Photo.decode(it, key) }
