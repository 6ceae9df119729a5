import java.io.File;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import org.lqfda.runtime.NativeLibrary;
import org.tensorflow.lite.Delegate;
import org.tensorflow.lite.Interpreter;

/**
 * Runs a model on float inputs by TFLite's Java classes, with or without the delegate:
 * {@code RunModel MODEL INPUTS OUTPUTS THREADS ISA|-}. The files of inputs and outputs are those of run_model.c.
 */
public final class RunModel {
    public static void main(String[] arguments) throws Exception {
        byte[] inputs = Files.readAllBytes(Path.of(arguments[1]));
        String threads = arguments[3];
        String isa = arguments[4];
        Interpreter.Options options = new Interpreter.Options().setNumThreads(Integer.parseInt(threads));
        long handle = 0;
        if (!isa.equals("-")) {
            System.loadLibrary("lq_fda_delegate");
            handle =
                    NativeLibrary.create(
                            new String[] {"num_threads", "isa", "profile"}, new String[] {threads, isa, "true"});
            final long made = handle;
            options.addDelegate(
                    new Delegate() {
                        @Override
                        public long getNativeHandle() {
                            return made;
                        }
                    });
        }
        try (Interpreter interpreter = new Interpreter(new File(arguments[0]), options)) {
            int inputBytes = interpreter.getInputTensor(0).numBytes();
            int outputBytes = interpreter.getOutputTensor(0).numBytes();
            int count = inputs.length / inputBytes;
            ByteBuffer input = ByteBuffer.allocateDirect(inputBytes).order(ByteOrder.nativeOrder());
            ByteBuffer output = ByteBuffer.allocateDirect(outputBytes).order(ByteOrder.nativeOrder());
            byte[] outputs = new byte[count * outputBytes];
            for (int i = 0; i < count; ++i) {
                input.clear();
                input.put(inputs, i * inputBytes, inputBytes).rewind();
                output.clear();
                interpreter.run(input, output);
                output.rewind();
                output.get(outputs, i * outputBytes, outputBytes);
            }
            Files.write(Path.of(arguments[2]), outputs);
            if (handle != 0) {
                System.out.printf(
                        "{\"isas\": %s, \"report\": %s}%n", NativeLibrary.isas(), NativeLibrary.report(handle));
            }
        }
        if (handle != 0) NativeLibrary.destroy(handle);
    }
}
