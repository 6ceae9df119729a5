import java.io.File;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.lqfda.runtime.NativeLibrary;
import org.tensorflow.lite.Interpreter;

/** Destroys a delegate that an interpreter still uses, and goes on with that: {@code CloseFirst MODEL}. */
public final class CloseFirst {
    public static void main(String[] arguments) {
        System.loadLibrary("lq_fda_delegate");
        long handle = NativeLibrary.create(new String[] {"num_threads"}, new String[] {"2"});
        try (Interpreter interpreter =
                new Interpreter(new File(arguments[0]), new Interpreter.Options().addDelegate(() -> handle))) {
            NativeLibrary.destroy(handle);
            int bytes = interpreter.getInputTensor(0).numBytes();
            ByteBuffer input = ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
            bytes = interpreter.getOutputTensor(0).numBytes();
            ByteBuffer output = ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
            interpreter.run(input, output);
        }
        System.out.println("closed");
    }
}
