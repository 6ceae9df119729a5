package org.lqfda.runtime

import org.json.JSONObject
import org.junit.Assume.assumeTrue
import org.junit.rules.ExternalResource
import java.io.File
import java.util.concurrent.Callable
import java.util.concurrent.ExecutionException
import java.util.concurrent.Executors

/**
 * The real thing on the host: Android's TFLite and our library, for x86-64, over stand-ins for Android's C library; and a
 * bundle. tools/build.py brings them; tests are skipped without.
 */
class Host : ExternalResource() {
    private val worker = Executors.newSingleThreadExecutor()
    private val folder = File(System.getProperty("org.lqfda.bundle") ?: "absent")

    /** Where results go that other tests look at. */
    val out = File(System.getProperty("org.lqfda.out") ?: "build")

    val bundle by lazy { Bundle.fromFolder(folder) }

    val samples: List<File> get() = File(folder.parentFile, "samples").listFiles().orEmpty().sorted()

    override fun before() {
        val libraries = System.getProperty("java.library.path").orEmpty().split(File.pathSeparator)
        assumeTrue("the libraries are there", libraries.any { File(it, "liblq_fda_delegate.so").isFile })
        assumeTrue("a bundle is there", File(folder, "manifest.json").isFile)
    }

    override fun after() {
        worker.shutdownNow()
    }

    /** Off the main thread, which the test's is. */
    fun <Result> background(action: () -> Result): Result =
        try {
            worker.submit(Callable(action)).get()
        } catch (error: ExecutionException) {
            throw error.cause!!
        }

    /** A copy of the bundle, changed. */
    internal fun changed(place: File, change: TestBundle.() -> Unit): Bundle {
        val copy = TestBundle()
        copy.files.clear()
        copy.files += folder.listFiles()!!.filter { it.name != Manifest.FILE }.associate { it.name to it.readBytes() }
        val manifest = JSONObject(File(folder, Manifest.FILE).readText())
        for (name in manifest.keys()) copy.manifest.put(name, manifest[name])
        return copy.apply(change).write(place)
    }
}
