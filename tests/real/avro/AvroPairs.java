// Reads the lines of `avro_cases pairs`, says the same of each pair by Avro's own classes, and prints every line that
// differs, then a line of counts: same, different, compatible, incompatible, refused, apart.
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.stream.Collectors;
import org.apache.avro.AvroRuntimeException;
import org.apache.avro.NameValidator;
import org.apache.avro.Schema;
import org.apache.avro.SchemaCompatibility;
import org.apache.avro.SchemaNormalization;

public class AvroPairs {
  static Schema parse(String text) {
    try {
      Schema.Parser parser = new Schema.Parser(NameValidator.STRICT_VALIDATOR);
      parser.setValidateDefaults(true);
      return parser.parse(text);
    } catch (RuntimeException e) {
      why = e.toString();
      return null;
    }
  }

  static String why = "";

  static String differences(Schema reader, Schema writer) {
    try {
      return SchemaCompatibility.checkReaderWriterCompatibility(reader, writer).getResult().getIncompatibilities()
          .stream().map(one -> one.getType() + " " + one.getLocation() + " " + one.getMessage())
          .collect(Collectors.joining("; "));
    } catch (AvroRuntimeException e) {
      return "ambiguous";
    }
  }

  public static void main(String[] args) throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    PrintStream out = new PrintStream(System.out, true, "UTF-8");
    int same = 0, different = 0, compatible = 0, incompatible = 0, refused = 0, apart = 0;
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      String[] given = line.split("\t", -1);
      why = "";
      Schema reader = parse(given[0]);
      Schema writer = parse(given[1]);
      String form = reader == null ? "" : SchemaNormalization.toParsingForm(reader);
      String said = (reader == null ? "refused" : reader.toString()) + "\t" + form + "\t"
          + (reader == null ? "" : String.format("%016x", SchemaNormalization.parsingFingerprint64(reader))) + "\t"
          + (writer == null ? "refused" : reader == null ? "" : differences(reader, writer));
      String ours = given[2] + "\t" + given[3] + "\t" + given[4] + "\t" + given[5];
      if (why.contains("Schema fields not set yet")) {
        apart++;  // Java asks for the fields of a record that it is still copying, when a default may be of that record
      } else if (said.equals(ours)) {
        same++;
      } else {
        different++;
        if (different <= 20) {
          out.println("given " + given[0] + "\t" + given[1] + "\nours  " + ours + "\njava  " + said + "\n" + why);
        }
      }
      if (reader == null || writer == null) {
        refused++;
      } else if (said.endsWith("\t")) {
        compatible++;
      } else {
        incompatible++;
      }
    }
    out.println("same " + same + " different " + different + " compatible " + compatible + " incompatible "
        + incompatible + " refused " + refused + " apart " + apart);
  }
}
