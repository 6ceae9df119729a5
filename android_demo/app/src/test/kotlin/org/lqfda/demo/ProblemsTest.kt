package org.lqfda.demo

import android.net.Uri
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.runner.RunWith
import org.lqfda.runtime.BundleException
import org.lqfda.runtime.ImageException
import org.lqfda.runtime.LibraryException
import org.lqfda.runtime.LqFdaException
import org.lqfda.runtime.ModelException
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import java.io.File
import java.io.FileNotFoundException
import java.io.IOException
import kotlin.reflect.KClass

/** Whatever goes wrong becomes a sentence on the screen, and the next try may succeed. */
@RunWith(RobolectricTestRunner::class)
class ProblemsTest {
    @get:Rule val phone = Phone()

    private val sentences =
        mapOf(
            made(BundleException::class) to "This bundle cannot be used.",
            made(LibraryException::class) to "The native library does not load on this device.",
            made(ModelException::class) to "The network cannot be run.",
            made(ImageException::class) to "This picture cannot be read. Choose another one.",
            IOException("gone") to "This picture cannot be read. Choose another one.",
            SecurityException("not yours") to "This picture cannot be read. Choose another one.",
            OutOfMemoryError() to "There is not enough memory. Choose a smaller picture, or close other apps.",
            IllegalStateException("odd") to "Something unexpected went wrong. Please report it.",
            LinkageError("a class") to "Something unexpected went wrong. Please report it.",
            StackOverflowError() to "Something unexpected went wrong. Please report it.",
            NullPointerException() to "Something unexpected went wrong. Please report it.",
        )

    @Test
    fun whileTheBundleIsOpened() {
        for ((error, sentence) in sentences) {
            phone.app.openEngine = { throw error }
            phone.launch()
            assertEquals("No bundle", phone.text(R.id.bundle))
            assertTrue(phone.problem(), phone.problem().startsWith(sentence))
            assertTrue(phone.problem(), (error.message ?: error.javaClass.name) in phone.problem())
            phone.main.pause().stop().destroy()
        }
    }

    @Test
    fun whileItWorks() {
        phone.launch()
        for ((error, sentence) in sentences) {
            for (id in listOf(R.id.benchmark, R.id.self_test)) {
                phone.engine.error = error
                phone.click(id)
                assertTrue(phone.problem(), phone.problem().startsWith(sentence))
            }
            phone.activity.controller.classify(Picture.Sample.all(phone.app)[0])
            phone.await()
            assertTrue(phone.problem(), phone.problem().startsWith(sentence))
            phone.engine.error = null
            phone.click(R.id.self_test)
            assertEquals("", phone.problem())
        }
    }

    @Test
    fun aBundleThatIsOpenedLaterIsShown() {
        phone.app.openEngine = { throw IOException("not yet") }
        phone.launch()
        phone.app.openEngine = { phone.engine }
        phone.click(R.id.self_test)
        assertEquals("", phone.problem())
        assertTrue("resnet20" in phone.text(R.id.bundle))
    }

    @Test
    fun picturesThatAreGoneOrNone() {
        phone.launch()
        val text = File(phone.app.cacheDir, "text.jpg").apply { writeText("no image") }
        val resolver = shadowOf(phone.app.contentResolver)
        resolver.registerInputStreamSupplier(Uri.parse("content://media/gone")) { throw FileNotFoundException("gone") }
        resolver.registerInputStreamSupplier(Uri.parse("content://media/private")) { throw SecurityException("no permission") }
        for (uri in listOf("content://media/gone", "content://media/private", "file://${text.path}", "file:///absent.jpg")) {
            phone.activity.controller.classify(Picture.Chosen(Uri.parse(uri)))
            phone.await()
            assertTrue("$uri: ${phone.problem()}", phone.problem().startsWith("This picture cannot be read."))
            assertNull(phone.state.image)
        }
        phone.activity.controller.classify(Picture.Sample("absent.png"))
        phone.await()
        assertTrue(phone.problem(), "absent.png" in phone.problem())
    }

    @Test
    @Config(qualifiers = "+zh-rCN")
    fun inChinese() {
        phone.app.openEngine = { throw made(LibraryException::class) }
        phone.launch()
        assertTrue(phone.problem(), phone.problem().startsWith("本设备无法加载原生库。"))
    }

    private fun <E : LqFdaException> made(type: KClass<E>): E =
        type.java.getDeclaredConstructor(String::class.java, Throwable::class.java).newInstance("what the runtime says", null)
}
