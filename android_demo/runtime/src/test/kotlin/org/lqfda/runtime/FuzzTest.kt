package org.lqfda.runtime

import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import java.util.Random

/** Damages the files that a stranger may have made: each is read, or refused with a [BundleException]. */
@RunWith(RobolectricTestRunner::class)
class FuzzTest {
    @get:Rule val folder = TemporaryFolder()
    private val random = Random(20241124)

    @Test
    fun manifests() {
        val whole = TestBundle().apply { describeFiles() }.manifest.toString().toByteArray()
        val place = folder.newFolder()
        repeat(3000) { attempt { TestBundle.open(place, damaged(whole)) } }
    }

    @Test
    fun goldenArrays() {
        val whole = TestBundle().files.getValue("golden.npz")
        val place = folder.newFolder()
        repeat(1000) {
            val bundle = TestBundle().apply { files["golden.npz"] = damaged(whole) }.write(place)
            attempt { bundle.golden() }
        }
    }

    @Test
    fun labels() {
        val place = folder.newFolder()
        repeat(500) {
            val bundle = TestBundle().apply { files["labels.txt"] = damaged("cat\nd\u00f6g\n".toByteArray()) }.write(place)
            attempt { bundle.labels() }
        }
    }

    private fun attempt(action: () -> Unit) {
        try {
            action()
        } catch (_: BundleException) {
            // As it should be.
        }
    }

    /** Bytes changed, taken out, put in or repeated; often those that have a meaning in JSON. */
    private fun damaged(whole: ByteArray): ByteArray {
        var content = whole
        repeat(1 + random.nextInt(4)) {
            val at = random.nextInt(content.size + 1)
            val end = minOf(content.size, at + 1 + random.nextInt(20))
            content =
                when (random.nextInt(4)) {
                    0 -> content.copyOf(at) + piece() + content.copyOfRange(at, content.size)
                    1 -> content.copyOf(at) + content.copyOfRange(end, content.size)
                    2 -> content.copyOf(at) + piece() + content.copyOfRange(end, content.size)
                    else -> content.copyOf(end) + content.copyOfRange(at, content.size)
                }
        }
        return content
    }

    private fun piece(): ByteArray =
        if (random.nextBoolean()) {
            ByteArray(1 + random.nextInt(3)) { random.nextInt().toByte() }
        } else {
            PIECES[random.nextInt(PIECES.size)].toByteArray()
        }

    private companion object {
        val PIECES = "{ } [ ] \" , : \\ \\u12 - 1e400 99999999999999999999 null ../ \u0000".split(' ')
    }
}
