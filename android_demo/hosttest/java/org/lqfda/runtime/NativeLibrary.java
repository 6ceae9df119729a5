package org.lqfda.runtime;

/** Kotlin's class of this name, for tests that need no Kotlin. */
public final class NativeLibrary {
    private NativeLibrary() {}

    public static native long create(String[] keys, String[] values);

    public static native void destroy(long handle);

    public static native String report(long handle);

    public static native String isas();
}
