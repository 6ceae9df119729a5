import org.lqfda.runtime.NativeLibrary;

/** Makes a delegate and its report where memory may be short, and says how that ended: a word each. */
public final class Scarce {
    public static void main(String[] arguments) {
        System.loadLibrary("lq_fda_delegate");
        try {
            long handle = NativeLibrary.create(new String[] {"isa"}, new String[] {"auto"});
            System.out.println("made");
            try {
                System.out.println(NativeLibrary.report(handle).startsWith("{") ? "reported" : "odd");
            } finally {
                NativeLibrary.destroy(handle);
            }
        } catch (OutOfMemoryError error) {
            System.out.println(error.getMessage());
        }
    }
}
