// CqlSchema STATEMENTS ANSWERS: what a Cassandra of its own, started in this process on an empty folder, answers to each
// line of a file in turn. An answer is one line: "void"; "use KEYSPACE"; the event of a schema change; "rows" and the
// names of the columns, then a line each row, of CQL literals with tabs between; or an error's code, what it says beside
// its message, and the message. Warnings follow. Materialised views and masks are enabled, all else is as by default.
// Line ends, tabs and backslashes are escaped, in the statements as in the answers.
import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import java.io.PrintStream;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.cassandra.cql3.ColumnSpecification;
import org.apache.cassandra.cql3.QueryProcessor;
import org.apache.cassandra.db.ConsistencyLevel;
import org.apache.cassandra.exceptions.AlreadyExistsException;
import org.apache.cassandra.exceptions.CassandraException;
import org.apache.cassandra.service.CassandraDaemon;
import org.apache.cassandra.service.ClientState;
import org.apache.cassandra.service.ClientWarn;
import org.apache.cassandra.service.QueryState;
import org.apache.cassandra.transport.Dispatcher;
import org.apache.cassandra.transport.Event;
import org.apache.cassandra.transport.messages.ResultMessage;
import org.slf4j.LoggerFactory;

public class CqlSchema {
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

  static String rows(ResultMessage.Rows answer) {
    StringBuilder made = new StringBuilder("rows");
    List<ColumnSpecification> columns = answer.result.metadata.names;
    for (ColumnSpecification column : columns) made.append(' ').append(column.name);
    for (List<ByteBuffer> row : answer.result.rows) {
      made.append('\n');
      for (int i = 0; i < columns.size(); i++) {
        ByteBuffer value = row.get(i);
        made.append(i == 0 ? "" : "\t");
        made.append(value == null ? "null" : columns.get(i).type.asCQL3Type().toCQLLiteral(value));
      }
    }
    return made.toString();
  }

  static String told(ResultMessage answer) {
    if (answer instanceof ResultMessage.Rows) return rows((ResultMessage.Rows) answer);
    if (answer instanceof ResultMessage.SetKeyspace) return "use " + ((ResultMessage.SetKeyspace) answer).keyspace;
    if (answer instanceof ResultMessage.Void) return "void";
    Event.SchemaChange change = ((ResultMessage.SchemaChange) answer).change;
    return change.change + " " + change.target + " " + change.keyspace + (change.name == null ? "" : " " + change.name);
  }

  static String ask(QueryState state, String statement) {
    ClientWarn.instance.captureWarnings();
    String made;
    try {
      made = told(QueryProcessor.process(statement, ConsistencyLevel.ONE, state,
                                         Dispatcher.RequestTime.forImmediateExecution()));
    } catch (AlreadyExistsException error) {
      made = String.format("%04X [%s.%s] %s", error.code().value, error.ksName, error.cfName, error.getMessage());
    } catch (CassandraException error) {
      made = String.format("%04X %s", error.code().value, error.getMessage());
    } catch (RuntimeException | Error error) {
      made = "0000 " + error;
    }
    List<String> warnings = ClientWarn.instance.getWarnings();
    for (String warning : warnings == null ? new ArrayList<String>() : warnings) made += "\nwarning " + warning;
    return made;
  }

  /** As small as it starts with. */
  static Path configuration(Path folder) throws Exception {
    int port;
    try (ServerSocket free = new ServerSocket(0)) {
      port = free.getLocalPort();
    }
    Path file = folder.resolve("cassandra.yaml");
    Files.writeString(file, "cluster_name: Test Cluster\nnum_tokens: 1\ncommitlog_sync: periodic\n"
        + "commitlog_sync_period: 10000ms\npartitioner: org.apache.cassandra.dht.Murmur3Partitioner\n"
        + "endpoint_snitch: SimpleSnitch\nlisten_address: 127.0.0.1\nrpc_address: 127.0.0.1\nauto_snapshot: false\n"
        + "materialized_views_enabled: true\ndynamic_data_masking_enabled: true\nstorage_port: " + port + "\nseed_provider: [{class_name: "
        + "org.apache.cassandra.locator.SimpleSeedProvider, parameters: [{seeds: '127.0.0.1:" + port + "'}]}]\n");
    return file;
  }

  public static void main(String[] words) throws Exception {
    ((Logger) LoggerFactory.getLogger(Logger.ROOT_LOGGER_NAME)).setLevel(Level.WARN);
    Path folder = Files.createTempDirectory(Path.of(words[1]).toAbsolutePath().getParent(), "cassandra");
    System.setProperty("cassandra.config", configuration(folder).toUri().toString());
    System.setProperty("cassandra.storagedir", folder.toString());
    System.setProperty("cassandra.start_native_transport", "false");
    System.setProperty("cassandra.skip_wait_for_gossip_to_settle", "0");
    System.setProperty("cassandra.ring_delay_ms", "0");
    System.setProperty("cassandra.foreground", "yes");
    System.setProperty("cassandra-foreground", "yes");
    System.setProperty("cassandra.unsafesystem", "true");
    new CassandraDaemon(true).activate();
    QueryState state = new QueryState(ClientState.forExternalCalls(new InetSocketAddress("127.0.0.1", 1)));
    try (PrintStream out = new PrintStream(words[1], StandardCharsets.UTF_8)) {
      for (String line : Files.readAllLines(Path.of(words[0]), StandardCharsets.UTF_8)) {
        out.print(escaped(ask(state, unescaped(line))) + "\n");
        out.flush();
      }
    }
    Runtime.getRuntime().halt(0);
  }
}
