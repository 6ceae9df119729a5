package org.lqfda.demo

import android.app.Application

/** Holds what tests replace. */
class DemoApplication : Application() {
    /** Opens a bundle; on a background thread, and reading storage. */
    var openEngine: (bundle: String) -> Engine = { RuntimeEngine.open(this, it) }
}
