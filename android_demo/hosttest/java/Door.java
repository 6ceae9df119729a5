import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.lqfda.runtime.NativeLibrary;

/**
 * Whatever goes through JNI's door comes back as a value or as the exception that NativeLibrary promises:
 * {@code Door SECONDS SEED}. Fixed cases first, then random ones on two threads. Ends with how many calls there were.
 */
public final class Door {
    private static final String[] NONE = {};
    private static final AtomicLong CALLS = new AtomicLong();

    private interface Call {
        Object run();
    }

    public static void main(String[] arguments) throws Exception {
        System.loadLibrary("lq_fda_delegate");
        fixed();
        long seed = Long.parseLong(arguments[1]);
        long end = System.nanoTime() + (long) (Double.parseDouble(arguments[0]) * 1e9);
        List<Throwable> failures = new ArrayList<>();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < 2; ++i) {
            Random random = new Random(seed + i);
            Thread thread =
                    new Thread(
                            () -> {
                                while (System.nanoTime() < end) fuzz(random);
                            });
            thread.setUncaughtExceptionHandler((where, failure) -> failures.add(failure));
            threads.add(thread);
            thread.start();
        }
        for (Thread thread : threads) thread.join();
        for (Throwable failure : failures) failure.printStackTrace();
        if (!failures.isEmpty()) System.exit(1);
        System.out.printf("%d calls, nothing found%n", CALLS.get());
    }

    private static void fixed() {
        refuses("null", () -> NativeLibrary.create(null, NONE));
        refuses("null", () -> NativeLibrary.create(NONE, null));
        refuses("null", () -> NativeLibrary.create(new String[1], new String[1]));
        refuses("null", () -> NativeLibrary.create(new String[] {"isa"}, new String[1]));
        refuses("not as many values", () -> NativeLibrary.create(new String[] {"isa"}, NONE));
        refuses("more than 64", () -> NativeLibrary.create(new String[65], new String[65]));
        refuses("longer than 1024", () -> option("isa", "x".repeat(1025)));
        refuses("Expected num_threads=a number from 0", () -> option("num_threads", "-1"));
        refuses("Received: sse9.", () -> option("isa", "sse9"));
        refuses("Received: colour.", () -> option("colour", "red"));
        // A character 0 does not end a text, and no message holds anything but ASCII.
        refuses("Received: true??false.", () -> option("fuse", "true\0false"));
        refuses("Received: ??.", () -> option("\u00e9", "true"));
        refuses("Received: ??????.", () -> option("\ud83d\ude00", "true"));
        refuses("Received: ???.", () -> option("\ud83d", "true"));
        for (long handle : new long[] {0, 1, -1, Long.MIN_VALUE, Long.MAX_VALUE}) gone(handle);

        long first = NativeLibrary.create(NONE, NONE);
        long second = option("num_threads", "2");
        check(first != 0 && second != 0 && first != second, "two delegates");
        check(NativeLibrary.report(first).startsWith("{\"version\": \""), "report");
        check(NativeLibrary.isas().endsWith("\"portable\"]"), "instruction sets");
        NativeLibrary.destroy(first);
        gone(first);
        check(NativeLibrary.report(second).endsWith("}"), "the other delegate's report");
        NativeLibrary.destroy(second);
        gone(second);
    }

    private static long option(String key, String value) {
        return NativeLibrary.create(new String[] {key}, new String[] {value});
    }

    private static void gone(long handle) {
        throwsWith(IllegalStateException.class, "no such delegate", () -> NativeLibrary.report(handle));
        throwsWith(
                IllegalStateException.class,
                "no such delegate",
                () -> {
                    NativeLibrary.destroy(handle);
                    return null;
                });
    }

    private static void refuses(String message, Call call) {
        throwsWith(IllegalArgumentException.class, message, call);
    }

    private static void throwsWith(Class<? extends RuntimeException> type, String message, Call call) {
        try {
            Object result = call.run();
            throw new AssertionError("expected " + message + ", received " + result);
        } catch (RuntimeException found) {
            check(found.getClass() == type, "expected " + type + ", received " + found);
            check(found.getMessage().contains(message), "expected " + message + ", received " + found.getMessage());
            check(found.getMessage().chars().allMatch(c -> c >= 0x20 && c <= 0x7e), "ASCII: " + found.getMessage());
        }
    }

    private static void check(boolean holds, String what) {
        CALLS.incrementAndGet();
        if (!holds) throw new AssertionError(what);
    }

    private static void fuzz(Random random) {
        long handle = 0;
        try {
            handle = NativeLibrary.create(texts(random), texts(random));
            check(handle != 0, "a delegate without a handle");
            check(NativeLibrary.report(handle).startsWith("{"), "report");
        } catch (IllegalArgumentException refused) {
            check(refused.getMessage().startsWith("lq_fda: "), refused.toString());
        } finally {
            if (handle != 0) NativeLibrary.destroy(handle);
        }
        gone(random.nextLong());
    }

    private static String[] texts(Random random) {
        if (random.nextInt(20) == 0) return null;
        String[] known = {"num_threads", "isa", "fuse", "profile", "verbose", "auto", "portable", "true", "false", "1"};
        String[] texts = new String[random.nextInt(random.nextInt(10) == 0 ? 70 : 3)];
        for (int i = 0; i < texts.length; ++i) {
            int kind = random.nextInt(12);
            if (kind < 10) {
                texts[i] = known[kind];
            } else if (kind == 10) {
                StringBuilder text = new StringBuilder();
                int length = random.nextInt(random.nextInt(10) == 0 ? 2000 : 20);
                for (int at = 0; at < length; ++at) text.append((char) random.nextInt(0x10000));
                texts[i] = text.toString();
            }
        }
        return texts;
    }
}
