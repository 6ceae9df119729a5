package org.lqfda.runtime

import java.io.IOException
import kotlin.math.abs

/**
 * How an image becomes a network's input; the same arithmetic, to the last bit, as in `lq_fda` and `lq_fda_runtime`.
 *
 * @property height rows of the input.
 * @property width columns of the input.
 * @property crop share of the largest central rectangle that is used, above 0 and at most 1.
 * @param scale factor of each channel, red first.
 * @param offset summand of each channel, red first.
 */
class Preprocessing(
    val height: Int,
    val width: Int,
    val crop: Double,
    scale: FloatArray,
    offset: FloatArray,
) {
    internal val scales = scale.copyOf()
    internal val offsets = offset.copyOf()

    /** Factor of each channel, red first: a copy. */
    val scale: FloatArray get() = scales.copyOf()

    /** Summand of each channel, red first: a copy. */
    val offset: FloatArray get() = offsets.copyOf()
}

/** What a file has to be: its size in bytes, and its sha256 in hexadecimal. */
internal class FileEntry(
    val sha256: String,
    val bytes: Int,
)

/** What a device needs of a bundle's table of contents, read with suspicion: a bundle may come from anywhere. */
internal class Manifest private constructor(
    val name: String,
    val classes: Int,
    val preprocessing: Preprocessing,
    val files: Map<String, FileEntry>,
    val accuracy: Map<String, Double>,
) {
    /** A field that is missing or odd; the message names it. */
    private class Damaged(message: String) : Exception(message)

    companion object {
        const val FILE = "manifest.json"
        const val LARGEST = 1 shl 24
        private const val FORMAT = 1L
        private const val LARGEST_SIDE = 4096L
        private const val LARGEST_CLASSES = 1L shl 20
        private const val MOST_FILES = 64

        // 255 times such a number and one more are finite in float32, as preprocessing computes.
        private const val LARGEST_NUMBER = 6.646139978924579E35
        private val PLAIN_NAME = Regex("[A-Za-z0-9_][A-Za-z0-9_.-]*")
        private val SHA256 = Regex("[0-9a-f]{64}")

        /**
         * Fields that a device does not need are passed over. Those of the preprocessing and of the files are not: one
         * more there would change what they mean.
         *
         * @throws BundleException it is of a newer format, or damaged.
         */
        fun parse(content: ByteArray, place: String): Manifest {
            try {
                val fields = table(Json.parse(content.decodeToString(throwOnInvalidSequence = true)), "the manifest")
                val format = fields["format"]
                if (format is Long && format > FORMAT) {
                    throw BundleException(
                        "The bundle is newer than this app's library. Expected format $FORMAT. " +
                            "Received: format=$format in $place. Update the library, or convert the run with an older lq-fda.",
                    )
                }
                if (format != FORMAT) throw Damaged("format=${shown(format)} is not $FORMAT")
                if ((fields["output"] ?: "logits") != "logits") throw Damaged("output=${shown(fields["output"])} is not logits")
                return Manifest(
                    text(fields, "name"),
                    whole(fields, "classes", 2, LARGEST_CLASSES).toInt(),
                    preprocessing(table(fields["preprocessing"], "preprocessing")),
                    files(table(fields["files"], "files")),
                    accuracy(table(fields["accuracy"] ?: emptyMap<String, Any>(), "accuracy")),
                )
            } catch (error: Damaged) {
                throw damaged(place, error)
            } catch (error: IOException) {
                throw damaged(place, error)
            }
        }

        private fun damaged(place: String, error: Exception) =
            BundleException(
                "The bundle's manifest is damaged: ${error.message}. Received: $place. " +
                    "Copy the bundle again, or convert the run again.",
                error,
            )

        private fun preprocessing(fields: Map<String, Any?>): Preprocessing {
            only(fields, "preprocessing", setOf("height", "width", "crop", "scale", "offset"))
            val crop = number(fields["crop"] ?: 1.0, "preprocessing.crop")
            if (!(crop > 0 && crop <= 1)) throw Damaged("preprocessing.crop=$crop is not in (0, 1]")
            return Preprocessing(
                whole(fields, "height", 1, LARGEST_SIDE).toInt(),
                whole(fields, "width", 1, LARGEST_SIDE).toInt(),
                crop,
                triple(fields, "scale"),
                triple(fields, "offset"),
            )
        }

        private fun files(fields: Map<String, Any?>): Map<String, FileEntry> {
            if (fields.size > MOST_FILES) throw Damaged("files has ${fields.size} entries, more than $MOST_FILES")
            return fields.mapValues { (name, value) ->
                if (!PLAIN_NAME.matches(name)) throw Damaged("files holds ${shown(name)}, which is no plain file name")
                val entry = table(value, "files.$name")
                only(entry, "files.$name", setOf("sha256", "bytes"))
                val digest = text(entry, "sha256")
                if (!SHA256.matches(digest)) throw Damaged("files.$name.sha256=${shown(digest)} is no sha256")
                FileEntry(digest, whole(entry, "bytes", 0, Int.MAX_VALUE.toLong()).toInt())
            }
        }

        private fun accuracy(fields: Map<String, Any?>): Map<String, Double> =
            fields.filterValues { it is Map<*, *> }.mapValues { (name, entry) ->
                number((entry as Map<*, *>)["top1"], "accuracy.$name.top1")
            }

        private fun only(fields: Map<String, Any?>, where: String, names: Set<String>) {
            val unknown = fields.keys - names
            if (unknown.isNotEmpty()) throw Damaged("$where has unknown fields ${shown(unknown.sorted())}")
        }

        private fun table(value: Any?, name: String): Map<String, Any?> {
            @Suppress("UNCHECKED_CAST") // JSON has no other keys.
            return value as? Map<String, Any?> ?: throw Damaged("$name is no table")
        }

        private fun text(fields: Map<String, Any?>, name: String): String =
            fields[name] as? String ?: throw Damaged("$name is no text")

        private fun whole(fields: Map<String, Any?>, name: String, least: Long, most: Long): Long {
            val value = fields[name]
            if (value !is Long || value !in least..most) {
                throw Damaged("$name=${shown(value)} is no whole number from $least to $most")
            }
            return value
        }

        private fun number(value: Any?, name: String): Double {
            val number = (value as? Number)?.toDouble() ?: Double.NaN
            if (!(abs(number) <= LARGEST_NUMBER)) throw Damaged("$name=${shown(value)} is no number from -2^119 to 2^119")
            return number
        }

        private fun triple(fields: Map<String, Any?>, name: String): FloatArray {
            val values = fields[name] as? List<*>
            if (values == null || values.size != 3) throw Damaged("$name does not hold 3 numbers")
            return FloatArray(3) { number(values[it], name).toFloat() }
        }

        private fun shown(value: Any?): String = value.toString().take(60)
    }
}
