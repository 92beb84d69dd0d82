// CqlVerdicts STATEMENTS ANSWERS: what Cassandra's own parser says about each line of a file, line by line: "ok", or the
// sentence of its error; "crash …" where it ends in an exception of Java. Line ends, tabs and backslashes are escaped.
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.antlr.runtime.RecognitionException;
import org.apache.cassandra.config.DatabaseDescriptor;
import org.apache.cassandra.cql3.CQLFragmentParser;
import org.apache.cassandra.cql3.CqlParser;
import org.apache.cassandra.exceptions.CassandraException;

public class CqlVerdicts {
  static String escaped(String text) {
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r");
  }

  static String unescaped(String text) {
    StringBuilder made = new StringBuilder();
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '\\' && i + 1 < text.length()) {
        c = text.charAt(++i);
        c = c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
      }
      made.append(c);
    }
    return made.toString();
  }

  static String verdict(String statement) {
    try {
      CQLFragmentParser.parseAnyUnhandled(CqlParser::query, statement);
      return "ok";
    } catch (CassandraException error) {
      return String.valueOf(error.getMessage());
    } catch (RecognitionException | RuntimeException | Error error) {
      return "crash " + error;
    }
  }

  public static void main(String[] words) throws Exception {
    DatabaseDescriptor.clientInitialization(false);
    try (PrintStream out = new PrintStream(words[1], StandardCharsets.UTF_8)) {
      for (String line : Files.readAllLines(Path.of(words[0]), StandardCharsets.UTF_8)) {
        out.print(escaped(verdict(unescaped(line))) + "\n");
      }
    }
  }
}
