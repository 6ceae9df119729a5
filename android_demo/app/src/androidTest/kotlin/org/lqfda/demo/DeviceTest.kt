package org.lqfda.demo

import android.content.Intent
import android.graphics.Bitmap
import android.os.Build
import androidx.test.platform.app.InstrumentationRegistry
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test
import org.lqfda.runtime.Benchmark
import org.lqfda.runtime.Bundle
import org.lqfda.runtime.ImageClassifier
import org.lqfda.runtime.Isa
import org.lqfda.runtime.LqFdaDelegate
import org.lqfda.runtime.Photo
import org.lqfda.runtime.Protocol
import org.lqfda.runtime.SelfTest

/**
 * What only a phone can tell. Connect one and run
 *
 * ```
 * python android_demo/tools/assets.py --bundle runs/demo/bundle
 * cd android_demo && gradle :app:connectedAndroidTest
 * ```
 *
 * It has not been run where it was written: there was no phone.
 */
class DeviceTest {
    private val context = InstrumentationRegistry.getInstrumentation().targetContext
    private val bundle = Bundle.fromAssets(context.assets, Door.BUNDLE)

    @Test
    fun thePhoneComputesWhatTheConvertingMachineDid() {
        for (result in SelfTest.run(bundle)) assertTrue("${result.model}: ${result.difference}", result.passed)
    }

    @Test
    fun theLibraryHasKernelsForThePhone() {
        val isas = LqFdaDelegate.availableIsas()
        assertTrue("$isas", isas.last() == Isa.PORTABLE)
        // Every 64-bit ARM processor has NEON, and of the 32-bit ones all but the oldest.
        if (Build.SUPPORTED_ABIS.first().startsWith("arm")) assertTrue("$isas", Isa.NEON in isas)
    }

    @Test
    fun theScreenOpens() {
        val instrumentation = InstrumentationRegistry.getInstrumentation()
        val start = Intent(context, MainActivity::class.java).addFlags(Intent.FLAG_ACTIVITY_NEW_TASK)
        val activity = instrumentation.startActivitySync(start) as MainActivity
        val sample = Picture.Sample.all(context).first()
        instrumentation.runOnMainSync { activity.controller.classify(sample) }
        val end = System.nanoTime() + 30_000_000_000
        while (activity.controller.state.answer == null && System.nanoTime() < end) Thread.sleep(50)
        assertNull(activity.controller.state.problem)
        assertNotNull(activity.controller.state.answer)
        activity.finish()
    }

    @Test
    fun aBenchmarkGivesTimes() {
        val records = Benchmark(context, Protocol(rounds = 20)).run(bundle, command = "DeviceTest")
        for (record in records) {
            assertTrue(record.toJson(), record.minMillis > 0 && record.medianMillis <= record.p90Millis)
            println(record.toJson()) // In logcat.
        }
    }

    @Test
    fun photosOfAnySizeAreTaken() {
        val bitmap = Bitmap.createBitmap(4000, 3000, Bitmap.Config.ARGB_8888)
        ImageClassifier(bundle).use { assertTrue(it.classify(Photo(bitmap)).probability(0) > 0) }
    }
}
