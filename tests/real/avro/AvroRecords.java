// Reads the lines of `avro_cases records`, resolves each record by Avro's own classes and writes it by the reader's
// schema. Standard error: each line that differs from what was given, then counts. Standard output: the same lines
// with the record written by Java, in blocks with their sizes, for `avro_cases read`.
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.apache.avro.Schema;
import org.apache.avro.SchemaCompatibility;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;

public class AvroRecords {
  static byte[] unhex(String text) {
    byte[] bytes = new byte[text.length() / 2];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) Integer.parseInt(text.substring(2 * i, 2 * i + 2), 16);
    }
    return bytes;
  }

  static String hex(byte[] bytes) {
    StringBuilder text = new StringBuilder();
    for (byte one : bytes) {
      text.append(String.format("%02x", one & 0xff));
    }
    return text.toString();
  }

  static final GenericData RAW = new GenericData();

  static Object read(Schema writer, Schema reader, byte[] bytes) throws Exception {
    return new GenericDatumReader<Object>(writer, reader, RAW).read(null, DecoderFactory.get().binaryDecoder(bytes, null));
  }

  static String write(Schema schema, Object datum, boolean blocks) throws Exception {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    BinaryEncoder encoder = blocks ? new EncoderFactory().configureBlockSize(64).blockingBinaryEncoder(out, null)
        : EncoderFactory.get().binaryEncoder(out, null);
    new GenericDatumWriter<Object>(schema, RAW).write(datum, encoder);
    encoder.flush();
    return hex(out.toByteArray());
  }

  static boolean incompatible(Schema reader, Schema writer) {
    return SchemaCompatibility.checkReaderWriterCompatibility(reader, writer).getType()
        == SchemaCompatibility.SchemaCompatibilityType.INCOMPATIBLE;
  }

  public static void main(String[] args) throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    PrintStream out = new PrintStream(System.out, true, "UTF-8");
    int same = 0, different = 0, unreadable = 0, apart = 0;
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      String[] given = line.split("\t", -1);
      Schema writer = new Schema.Parser().parse(given[0]);
      Schema reader = new Schema.Parser().parse(given[1]);
      byte[] record = unhex(given[2]);
      String said;
      String why = "";
      try {
        said = write(reader, read(writer, reader, record), false);
      } catch (RuntimeException e) {
        said = "unreadable";
        why = e.toString();
        unreadable++;
      }
      if (given[3].equals("no text")) {
        apart++;  // Java replaces what is not UTF-8; a column of text cannot hold it
      } else if (why.contains("Invalid default")) {
        apart++;  // Java checks the writer's defaults again after it has renamed fields by the reader's aliases
      } else if (said.equals(given[3])) {
        same++;
      } else if ((given[3].equals("incompatible") || given[3].equals("unreadable")) && (why.contains("missing required") || incompatible(reader, writer))) {
        same++;  // Java finds out when a value comes
      } else {
        different++;
        if (different <= 20) {
          System.err.println(line + "\njava\t" + said + "\t" + why);
        }
      }
      out.println(given[0] + "\t" + given[1] + "\t" + write(writer, read(writer, writer, record), true) + "\t" + given[3]);
    }
    System.err.println("same " + same + " different " + different + " unreadable " + unreadable + " apart " + apart);
  }
}
