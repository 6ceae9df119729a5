package org.lqfda.runtime

import android.os.Looper

/** @throws IllegalStateException this is the main thread, which would stop drawing meanwhile. */
internal fun requireBackground(what: String) {
    check(Looper.myLooper() == null || Looper.myLooper() != Looper.getMainLooper()) {
        "$what takes seconds. Expected a background thread. Received: the main thread. Call it from an executor."
    }
}

/** @throws InterruptedException somebody wants this thread to stop. */
internal fun stopIfInterrupted() {
    if (Thread.interrupted()) throw InterruptedException("cancelled")
}
