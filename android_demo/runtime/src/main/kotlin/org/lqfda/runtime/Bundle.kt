package org.lqfda.runtime

import android.content.res.AssetManager
import java.io.File
import java.io.IOException
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.security.MessageDigest

/**
 * A folder with everything a device needs to run a network, and proof that it is intact, as `lq-fda convert` makes it.
 *
 * Opening one reads its manifest and nothing else; every file is compared with its sha256 whenever it is read. The
 * functions read storage: call them off the main thread. They may be called from several threads at once.
 *
 * ```
 * val bundle = Bundle.fromAssets(context.assets, "bundle")
 * val label = ImageClassifier(bundle).use { it.classify(Photo(bitmap)).label(0) }
 * ```
 */
class Bundle internal constructor(
    private val source: BundleSource,
) {
    internal val manifest: Manifest =
        Manifest.parse(
            readBytes(Manifest.FILE, Manifest.LARGEST) { noBundle(source.place(Manifest.FILE), it) },
            source.place(Manifest.FILE),
        )

    /** Of the network and its data set. */
    val name: String get() = manifest.name

    /** Number of classes. */
    val classes: Int get() = manifest.classes

    /** How an image becomes the input. */
    val preprocessing: Preprocessing get() = manifest.preprocessing

    /** Top-1 accuracy on the test images by network, `binarized` and `float`, as fractions. */
    val accuracy: Map<String, Double> get() = manifest.accuracy

    /** The networks that it holds, the 1-bit one first. */
    val models: List<Model> get() = Model.entries.filter { it.file in manifest.files }

    /**
     * The same, and at least one of them.
     *
     * @throws BundleException it holds none.
     */
    fun requireModels(): List<Model> =
        models.ifEmpty {
            throw BundleException(
                "The bundle holds no network. Expected one of ${Model.entries.joinToString { it.file }}. " +
                    "Received: ${source.place(Manifest.FILE)}. Convert the run again.",
            )
        }

    /**
     * The names of the classes, in their order.
     *
     * @throws BundleException the file is missing or damaged, or does not hold one label a class.
     */
    fun labels(): List<String> {
        val bytes = manifest.files[LABELS]?.bytes ?: 0
        if (bytes > LARGEST_LABELS) throw damaged(LABELS, "$bytes bytes")
        return made(LABELS) { content ->
            val text =
                try {
                    content.decodeToString(throwOnInvalidSequence = true)
                } catch (error: CharacterCodingException) {
                    throw IOException("not UTF-8", error)
                }
            // One a line, as files have lines: other separators may be part of a name.
            val labels = text.replace("\r\n", "\n").replace('\r', '\n').removeSuffix("\n").split('\n')
            if (labels.size != classes) throw IOException("${labels.size} labels for $classes classes")
            labels
        }
    }

    /**
     * Compares every file with the manifest.
     *
     * @throws BundleException a file is missing, or is another one.
     */
    fun check() {
        for (name in manifest.files.keys) read(name)
    }

    /** A model's content, in the memory that an interpreter wants. */
    internal fun model(model: Model): ByteBuffer =
        made(model.file) { content ->
            val buffer = ByteBuffer.allocateDirect(content.size).order(ByteOrder.nativeOrder())
            buffer.put(content).rewind()
            buffer
        }

    /** Inputs, and what each file gave for them where the bundle was made. */
    internal fun golden(): Golden = made(GOLDEN) { Golden.read(it, this) }

    /** What `make` makes of a file's content. What does not fit in memory is most likely another file than it should be. */
    internal inline fun <Result> made(name: String, make: (ByteArray) -> Result): Result =
        try {
            make(read(name))
        } catch (error: IOException) {
            throw damaged(name, error.message, error)
        } catch (error: OutOfMemoryError) {
            throw damaged(name, "not enough memory for it", error)
        }

    internal fun sha256(model: Model): String = manifest.files.getValue(model.file).sha256

    internal fun bytes(model: Model): Int = manifest.files.getValue(model.file).bytes

    /** The content of a file, compared with the manifest. */
    internal fun read(name: String): ByteArray {
        val entry = manifest.files[name] ?: throw damaged(name, "not in the manifest")
        val content = readBytes(name, entry.bytes) { damaged(name, it.message, it) }
        val digest = MessageDigest.getInstance("SHA-256").digest(content).joinToString("") { "%02x".format(it) }
        if (digest != entry.sha256) throw damaged(name, "sha256 $digest")
        return content
    }

    /** At most `most` bytes: a longer file is another one, and may be one that does not fit in memory. */
    private fun readBytes(name: String, most: Int, problem: (IOException) -> BundleException): ByteArray =
        try {
            source.open(name).use { it.readAtMost(most) }
        } catch (error: IOException) {
            throw problem(error)
        } catch (error: OutOfMemoryError) {
            throw problem(IOException("not enough memory for it", error))
        }

    internal fun damaged(name: String, received: String?, error: Throwable? = null) =
        BundleException(
            "The bundle is damaged: $name is missing or is not the file that the manifest describes. " +
                "Received: ${source.place(name)} ($received). Copy the bundle again, or convert the run again.",
            error,
        )

    companion object {
        private const val LABELS = "labels.txt"
        private const val LARGEST_LABELS = 1 shl 24
        private const val GOLDEN = "golden.npz"

        /**
         * Opens a bundle among an app's assets.
         *
         * @param assets of any of the app's contexts.
         * @param folder such as `"bundle"` for `src/main/assets/bundle`.
         * @throws BundleException no bundle there, a newer format, or a damaged manifest.
         */
        @JvmStatic
        fun fromAssets(assets: AssetManager, folder: String): Bundle = Bundle(AssetSource(assets, folder))

        /**
         * Opens a bundle in a folder.
         *
         * @param folder the one with manifest.json.
         * @throws BundleException no bundle there, a newer format, or a damaged manifest.
         */
        @JvmStatic
        fun fromFolder(folder: File): Bundle = Bundle(FolderSource(folder))

        private fun noBundle(place: String, error: IOException) =
            BundleException(
                "This is no bundle. Expected a folder with ${Manifest.FILE}. Received: $place (${error.message}). " +
                    "Make one with `lq-fda convert RUN --output BUNDLE`, and copy the whole folder.",
                error,
            )
    }
}

/**
 * A network of a bundle.
 *
 * @property file its name in the bundle.
 */
enum class Model(
    val file: String,
) {
    /** 1-bit weights and activations; runs with [LqFdaDelegate]. */
    BINARIZED("model.tflite"),

    /** Its 8-bit twin; runs on XNNPACK. */
    INT8("int8.tflite"),

    /** Its float twin; runs on XNNPACK. */
    FLOAT("float.tflite"),
}
