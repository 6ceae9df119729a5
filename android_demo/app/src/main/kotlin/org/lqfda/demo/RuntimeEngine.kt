package org.lqfda.demo

import android.content.Context
import org.lqfda.runtime.Benchmark
import org.lqfda.runtime.Bundle
import org.lqfda.runtime.ImageClassifier
import org.lqfda.runtime.Model
import org.lqfda.runtime.Photo
import org.lqfda.runtime.Protocol
import org.lqfda.runtime.SelfTest
import java.io.File

/** The engine that runs networks. */
class RuntimeEngine private constructor(
    private val context: Context,
    private val bundle: Bundle,
) : Engine {
    private var classifier: ImageClassifier? = null

    override val info = BundleInfo(bundle.name, bundle.classes, bundle.models, bundle.accuracy)

    override fun classify(photo: Photo, model: Model, threads: Int): Answer {
        val classifier = classifier(model, threads)
        val result = classifier.classify(photo)
        return Answer(
            List(minOf(TOP, result.labels.size)) { Guess(result.label(it), result.probability(it)) },
            result.preprocessingMillis,
            result.modelMillis,
            classifier.report?.let { it.taken to it.nodes.size },
        )
    }

    private fun classifier(model: Model, threads: Int): ImageClassifier {
        classifier?.let { if (it.model == model && it.threads == threads) return it }
        close()
        return ImageClassifier(bundle, model, threads).also { classifier = it }
    }

    override fun benchmark(rounds: Int, command: String, progress: (Int, Int) -> Unit): List<Timing> =
        Benchmark(context, Protocol(rounds)).run(bundle, command = command, progress = progress).map { record ->
            val model = Model.entries.first { it.file == record.file }
            Timing(model, record.threads, record.medianMillis, record.p90Millis, record.toJson())
        }

    override fun selfTest(): List<Check> =
        SelfTest.run(bundle).map { Check(it.model, it.images, it.sameTop1, it.difference, it.tolerance, it.passed) }

    override fun close() {
        classifier?.close()
        classifier = null
    }

    companion object {
        private const val TOP = 3

        /**
         * Opens a bundle.
         *
         * @param name a folder among those that adb can write; if there is none, one of the app's assets.
         * @throws org.lqfda.runtime.BundleException it is damaged, or holds no network.
         */
        fun open(context: Context, name: String): Engine {
            val folder = File(context.getExternalFilesDir(null), name)
            val bundle = if (folder.isDirectory) Bundle.fromFolder(folder) else Bundle.fromAssets(context.assets, name)
            bundle.requireModels()
            return RuntimeEngine(context, bundle)
        }
    }
}
