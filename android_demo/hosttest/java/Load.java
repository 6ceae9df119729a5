/** Loads the library, whatever classes there are. */
public final class Load {
    public static void main(String[] arguments) {
        try {
            System.loadLibrary("lq_fda_delegate");
            System.out.println("loaded");
        } catch (LinkageError error) {
            System.out.println(error);
        }
    }
}
