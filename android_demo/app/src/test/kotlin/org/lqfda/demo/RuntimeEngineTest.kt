package org.lqfda.demo

import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import java.io.File

/** The engine that runs networks, as far as it comes without the native libraries; the shrunk app's test goes on. */
@RunWith(RobolectricTestRunner::class)
class RuntimeEngineTest {
    @get:Rule val phone = Phone()
    private val pushed by lazy { File(phone.app.getExternalFilesDir(null), "pushed").apply { mkdir() } }

    @Test
    fun opensTheBundleAmongTheAssets() {
        val info = RuntimeEngine.open(phone.app, "bundle").info
        assertEquals(3, info.models.size)
        assertTrue(info.accuracy.getValue("binarized") > 0.5)
    }

    @Test
    fun aPushedBundleGoesFirst() {
        for (name in phone.app.assets.list("bundle")!!) {
            File(pushed, name).outputStream().use { phone.app.assets.open("bundle/$name").copyTo(it) }
        }
        val manifest = File(pushed, "manifest.json")
        manifest.writeText(manifest.readText().replaceFirst(Regex("\"name\": \"[^\"]*\""), "\"name\": \"pushed\""))
        assertEquals("pushed", RuntimeEngine.open(phone.app, "pushed").info.name)
    }

    @Test
    fun bundlesThatAreNoneBecomeSentences() {
        phone.app.openEngine = { RuntimeEngine.open(phone.app, "absent") }
        phone.launch()
        assertTrue(phone.problem(), phone.problem().startsWith("This bundle cannot be used. This is no bundle."))
        pushed.resolve("manifest.json").writeText("{")
        phone.app.openEngine = { RuntimeEngine.open(phone.app, "pushed") }
        phone.launch()
        assertTrue(phone.problem(), "damaged" in phone.problem())
        pushed.resolve("manifest.json").writeText(
            """{"format": 1, "name": "empty", "classes": 2, "files": {}, "preprocessing":
               {"height": 1, "width": 1, "scale": [1, 1, 1], "offset": [0, 0, 0]}}""",
        )
        phone.launch()
        assertTrue(phone.problem(), "holds no network" in phone.problem())
    }
}
