plugins {
    alias(libs.plugins.android.application)
}

/** 1.2.3 becomes 10203. */
fun versionCodeOf(name: String): Int = name.split(".").fold(0) { code, part -> code * 100 + part.toInt() }

android {
    namespace = "org.lqfda.demo"
    compileSdk = libs.versions.compileSdk.get().toInt()

    defaultConfig {
        applicationId = "org.lqfda.demo"
        minSdk = libs.versions.minSdk.get().toInt()
        targetSdk = libs.versions.targetSdk.get().toInt()
        versionName = libs.versions.lq.fda.get()
        versionCode = versionCodeOf(libs.versions.lq.fda.get())
        testInstrumentationRunner = "androidx.test.runner.AndroidJUnitRunner"
        ndk {
            abiFilters += libs.versions.abis.get().split(",")
        }
    }

    signingConfigs {
        // A key comes from outside; the names are those that tools/build.py reads.
        System.getenv("LQ_FDA_KEYSTORE")?.let { file ->
            create("release") {
                storeFile = rootProject.file(file)
                storePassword = System.getenv("LQ_FDA_KEYSTORE_PASSWORD")
                keyAlias = System.getenv("LQ_FDA_KEY_ALIAS")
                keyPassword = System.getenv("LQ_FDA_KEY_PASSWORD") ?: System.getenv("LQ_FDA_KEYSTORE_PASSWORD")
            }
        }
    }

    buildTypes {
        release {
            isMinifyEnabled = true
            proguardFiles("proguard-rules.pro")
            signingConfig = signingConfigs.findByName("release") ?: signingConfigs.getByName("debug")
        }
    }

    compileOptions {
        sourceCompatibility = JavaVersion.toVersion(libs.versions.jdk.get())
        targetCompatibility = JavaVersion.toVersion(libs.versions.jdk.get())
    }

    packaging {
        jniLibs {
            useLegacyPackaging = false // The system maps the libraries from the APK.
        }
    }

    testOptions {
        unitTests.isIncludeAndroidResources = true
        unitTests.all {
            it.jvmArgs("--add-opens=java.base/java.io=ALL-UNNAMED")
        }
    }
}

dependencies {
    implementation(project(":runtime"))
    testImplementation(libs.junit)
    testImplementation(libs.robolectric)
    testImplementation(libs.androidx.test.monitor)
    androidTestImplementation(libs.junit)
    androidTestImplementation(libs.androidx.test.runner)
}
