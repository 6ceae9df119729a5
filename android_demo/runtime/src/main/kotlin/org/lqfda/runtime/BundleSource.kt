package org.lqfda.runtime

import android.content.res.AssetManager
import java.io.File
import java.io.InputStream

/** Where a bundle's files lie. */
internal interface BundleSource {
    /** How errors call a file. */
    fun place(name: String): String

    /** @throws java.io.IOException there is no such file. */
    fun open(name: String): InputStream
}

internal class AssetSource(
    private val assets: AssetManager,
    private val folder: String,
) : BundleSource {
    override fun place(name: String) = "assets/$folder/$name"

    override fun open(name: String): InputStream = assets.open("$folder/$name", AssetManager.ACCESS_STREAMING)
}

internal class FolderSource(
    private val folder: File,
) : BundleSource {
    override fun place(name: String) = File(folder, name).path

    override fun open(name: String): InputStream = File(folder, name).inputStream()
}
