package org.lqfda.runtime

import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.lqfda.runtime.TestBundle.Companion.bundle
import org.robolectric.RobolectricTestRunner
import org.tensorflow.lite.Interpreter

/** What an interpreter may do to a session. */
@RunWith(RobolectricTestRunner::class)
class SessionTest {
    @get:Rule val host = Host()

    @get:Rule val folder = TemporaryFolder()

    @Test
    fun withoutTheInterpretersNativeLibrary() {
        var used: Interpreter.Options? = null
        val error =
            assertThrows(LibraryException::class.java) {
                Session(host.bundle, Model.BINARIZED, 1) { _, options ->
                    used = options
                    throw UnsatisfiedLinkError("no tensorflowlite_jni")
                }
            }
        assertTrue(error.message, "tensorflow-lite AAR" in error.message!! && "no tensorflowlite_jni" in error.message!!)
        val delegate = used!!.delegates.single() as LqFdaDelegate
        assertThrows("it is closed", IllegalStateException::class.java) { delegate.report() }
    }

    @Test
    fun anInterpreterThatTheDelegateDoesNotKnow() {
        val said = "Failed to apply delegate: lq_fda: this interpreter is laid out in a way that the delegate does not know: its nodes"
        val error =
            assertThrows(LibraryException::class.java) {
                Session(host.bundle, Model.BINARIZED, 1) { _, _ -> throw IllegalArgumentException(said) }
            }
        assertTrue(error.message, said in error.message!! && "update the library" in error.message!!)
    }

    @Test
    fun aRunThatFails() {
        lateinit var interpreter: Interpreter
        Session(host.bundle, Model.FLOAT, 1) { content, options -> Interpreter(content, options).also { interpreter = it } }.use {
            interpreter.close()
            val error = assertThrows(ModelException::class.java) { it.run() }
            assertTrue(error.message, "failed as it ran" in error.message!! && "float.tflite" in error.message!!)
        }
    }

    @Test
    fun valuesThatAreNoImages() {
        // 1 x 2 x 2 x 3 to 1 x 2, both uint8: made by TensorFlow 2.21 from `tf.reshape(x, [1, 12])[:, :2]`.
        val uint8 = javaClass.getResourceAsStream("/uint8.tflite")!!.use { it.readBytes() }
        val bundle = folder.bundle { files["model.tflite"] = uint8 }
        assertEquals(2, bundle.preprocessing.height)
        val error = assertThrows(ModelException::class.java) { Session(bundle, Model.BINARIZED, 1) }
        assertTrue(error.message, "UINT8" in error.message!! && "float32 or int8" in error.message!!)
    }
}
