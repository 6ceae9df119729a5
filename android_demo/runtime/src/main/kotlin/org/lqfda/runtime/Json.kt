package org.lqfda.runtime

import android.util.JsonReader
import android.util.JsonToken
import java.io.IOException
import java.io.StringReader

/** JSON as maps, lists, strings, booleans, nulls, [Long]s and [Double]s. */
internal object Json {
    // Deeper than any file of ours; the stack of a thread on Android is small.
    private const val DEEPEST = 32

    /** @throws IOException this is no JSON, or it is nested too deeply. */
    fun parse(text: String): Any? =
        try {
            JsonReader(StringReader(text)).use { reader ->
                val value = read(reader, 0)
                if (reader.peek() != JsonToken.END_DOCUMENT) throw IOException("something follows the JSON")
                value
            }
        } catch (error: IllegalStateException) {
            throw IOException(error.message, error)
        } catch (error: NumberFormatException) {
            throw IOException(error.message, error)
        }

    private fun read(reader: JsonReader, depth: Int): Any? {
        if (depth > DEEPEST) throw IOException("nested more than $DEEPEST deep")
        return when (reader.peek()) {
            JsonToken.BEGIN_OBJECT -> readObject(reader, depth)
            JsonToken.BEGIN_ARRAY -> {
                val values = mutableListOf<Any?>()
                reader.beginArray()
                while (reader.hasNext()) values += read(reader, depth + 1)
                reader.endArray()
                values
            }
            JsonToken.STRING -> reader.nextString()
            JsonToken.BOOLEAN -> reader.nextBoolean()
            JsonToken.NUMBER -> reader.nextString().let { it.toLongOrNull() ?: it.toDouble() }
            else -> {
                reader.nextNull()
                null
            }
        }
    }

    private fun readObject(reader: JsonReader, depth: Int): Map<String, Any?> {
        val fields = mutableMapOf<String, Any?>()
        reader.beginObject()
        while (reader.hasNext()) {
            val name = reader.nextName()
            if (name in fields) throw IOException("the field $name is there twice")
            fields[name] = read(reader, depth + 1)
        }
        reader.endObject()
        return fields
    }
}
