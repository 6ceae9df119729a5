plugins {
    alias(libs.plugins.android.application) apply false
    alias(libs.plugins.android.library) apply false
    // Never applied: Android's plugin compiles Kotlin by itself, with the compiler that stands here.
    alias(libs.plugins.kotlin.android) apply false
}
