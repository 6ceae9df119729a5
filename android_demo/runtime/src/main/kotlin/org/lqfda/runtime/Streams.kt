package org.lqfda.runtime

import java.io.ByteArrayOutputStream
import java.io.IOException
import java.io.InputStream

/** @throws IOException there is more. */
internal fun InputStream.readAtMost(most: Int): ByteArray {
    val content = ByteArrayOutputStream()
    val buffer = ByteArray(1 shl 16)
    while (true) {
        val count = read(buffer)
        if (count < 0) return content.toByteArray()
        if (count > most - content.size()) throw IOException("more than $most bytes")
        content.write(buffer, 0, count)
    }
}
