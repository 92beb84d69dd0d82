// What a client of the Java driver (java-driver-core) is answered, line by line, for a comparison of two servers:
// JavaDriver.java HOST PORT VERSION COMPRESSION KEYSPACE VALUES. With javax.net.ssl.trustStore and keyStore it speaks TLS.

import com.datastax.oss.driver.api.core.CqlSession;
import com.datastax.oss.driver.api.core.CqlSessionBuilder;
import com.datastax.oss.driver.api.core.DefaultConsistencyLevel;
import com.datastax.oss.driver.api.core.config.DefaultDriverOption;
import com.datastax.oss.driver.api.core.config.DriverConfigLoader;
import com.datastax.oss.driver.api.core.config.ProgrammaticDriverConfigLoaderBuilder;
import com.datastax.oss.driver.api.core.cql.AsyncResultSet;
import com.datastax.oss.driver.api.core.cql.BatchStatement;
import com.datastax.oss.driver.api.core.cql.BatchType;
import com.datastax.oss.driver.api.core.cql.BatchableStatement;
import com.datastax.oss.driver.api.core.cql.BoundStatementBuilder;
import com.datastax.oss.driver.api.core.cql.DefaultBatchType;
import com.datastax.oss.driver.api.core.cql.PreparedStatement;
import com.datastax.oss.driver.api.core.cql.ResultSet;
import com.datastax.oss.driver.api.core.cql.Row;
import com.datastax.oss.driver.api.core.cql.SimpleStatement;
import com.datastax.oss.driver.api.core.cql.Statement;
import com.datastax.oss.driver.api.core.metadata.schema.SchemaChangeListenerBase;
import com.datastax.oss.driver.api.core.metadata.schema.TableMetadata;
import com.datastax.oss.driver.api.core.type.codec.TypeCodec;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

public class JavaDriver {
  static final PrintStreamUtf8 out = new PrintStreamUtf8();
  static String host, version, compression, keyspace;
  static int port;
  static CqlSession session;
  static List<String[]> values = new ArrayList<>();

  static class PrintStreamUtf8 {
    void println(Object line) {
      byte[] bytes = (line + "\n").getBytes(java.nio.charset.StandardCharsets.UTF_8);
      System.out.write(bytes, 0, bytes.length);
      System.out.flush();
    }
  }

  static CqlSession connect(SchemaChangeListenerBase listener) {
    ProgrammaticDriverConfigLoaderBuilder options = DriverConfigLoader.programmaticBuilder()
        .withString(DefaultDriverOption.PROTOCOL_VERSION, "V" + version)
        .withDuration(DefaultDriverOption.REQUEST_TIMEOUT, Duration.ofSeconds(120))
        .withDuration(DefaultDriverOption.CONNECTION_INIT_QUERY_TIMEOUT, Duration.ofSeconds(60))
        .withDuration(DefaultDriverOption.CONTROL_CONNECTION_TIMEOUT, Duration.ofSeconds(60))
        .withDuration(DefaultDriverOption.METADATA_SCHEMA_REQUEST_TIMEOUT, Duration.ofSeconds(60))
        .withDuration(DefaultDriverOption.METADATA_SCHEMA_WINDOW, Duration.ofMillis(1));
    if (!compression.equals("none")) options.withString(DefaultDriverOption.PROTOCOL_COMPRESSION, compression);
    CqlSessionBuilder builder = CqlSession.builder().addContactPoint(new InetSocketAddress(host, port))
        .withLocalDatacenter("datacenter1");
    if (System.getProperty("javax.net.ssl.trustStore") != null)
      options.withString(DefaultDriverOption.SSL_ENGINE_FACTORY_CLASS, "DefaultSslEngineFactory")
          .withBoolean(DefaultDriverOption.SSL_HOSTNAME_VALIDATION, false);
    builder.withConfigLoader(options.build());
    if (listener != null) builder.addSchemaChangeListener(listener);
    return builder.build();
  }

  static void run(String statement) { session.execute(statement.replace("$", keyspace)); }
  static ResultSet ask(String statement) { return session.execute(statement.replace("$", keyspace)); }
  static PreparedStatement prepare(String statement) { return session.prepare(statement.replace("$", keyspace)); }
  static void rows(ResultSet found) {
    List<String> lines = new ArrayList<>();
    for (Row row : found) lines.add(row.getFormattedContents());
    lines.sort(null);
    out.println(lines);
  }

  static void refused(String what, Statement<?> statement) {
    try {
      out.println(what + " was answered: " + session.execute(statement).all().size());
    } catch (Exception error) {
      out.println(what + " " + error.getClass().getSimpleName() + " " + error.getMessage());
    }
  }

  static void types() {
    run("CREATE TYPE $.point (x int, y double, labels frozen<set<text>>)");
    StringBuilder columns = new StringBuilder(), names = new StringBuilder(), texts = new StringBuilder(), marks =
        new StringBuilder();
    for (int at = 0; at < values.size(); ++at) {
      columns.append(", c" + at + " " + values.get(at)[0].replace("point", "$.point"));
      names.append(", c" + at);
      texts.append(", " + values.get(at)[1]);
      marks.append(", ?");
    }
    run("CREATE TABLE $.types (k int PRIMARY KEY" + columns + ")");
    ask("INSERT INTO $.types (k" + names + ") VALUES (1" + texts + ")");
    Row row = session.execute(prepare("SELECT k" + names + " FROM $.types WHERE k = ?").bind(1)).one();
    for (int at = 0; at <= values.size(); ++at)
      out.println(row.getType(at).asCql(true, false) + " " + row.getObject(at).getClass().getSimpleName());
    out.println(row.getFormattedContents());
    PreparedStatement write = prepare("INSERT INTO $.types (k" + names + ") VALUES (?" + marks + ")");
    BoundStatementBuilder bound = write.boundStatementBuilder(2), nulls = write.boundStatementBuilder(3);
    for (int at = 1; at <= values.size(); ++at) {
      TypeCodec<Object> codec = session.getContext().getCodecRegistry().codecFor(row.getType(at));
      bound = bound.set(at, row.get(at, codec), codec);
      nulls = nulls.setToNull(at);
    }
    session.execute(bound.build());
    session.execute(nulls.build());
    refused("unset", write.bind(2));
    rows(ask("SELECT JSON * FROM $.types"));
    session.execute(prepare("UPDATE $.types SET c0 = :text, c12 = :number WHERE k = :k").boundStatementBuilder()
        .setInt("k", 4).setString("text", "named").setInt("number", 7).build());
    session.execute(SimpleStatement.newInstance("INSERT INTO " + keyspace + ".types (k, c0) VALUES (?, ?)", 5, "five"));
    session.execute(SimpleStatement.newInstance("INSERT INTO " + keyspace + ".types (k, c14) VALUES (:k, :v)",
        java.util.Map.of("k", 6, "v", "ü")));
    rows(ask("SELECT k, c0, c12, c14 FROM $.types WHERE k IN (4, 5, 6)"));
  }

  static void pages() throws Exception {
    run("CREATE TABLE $.pages (p int, c int, v text, PRIMARY KEY (p, c)) WITH CLUSTERING ORDER BY (c DESC)");
    PreparedStatement write = prepare("INSERT INTO $.pages (p, c, v) VALUES (?, ?, ?)");
    List<CompletionStage<AsyncResultSet>> all = new ArrayList<>();
    for (int k = 0; k < 1000; ++k) all.add(session.executeAsync(write.bind(k % 2, k, "row " + k)));
    for (CompletionStage<AsyncResultSet> one : all) one.toCompletableFuture().get();
    for (String where : List.of("", " WHERE p = 1", " WHERE p = 0 AND c > 100 AND c < 300 ORDER BY c ASC",
        " WHERE p IN (0, 1)", " WHERE token(p) > 0 ALLOW FILTERING")) {
      AsyncResultSet page = session.executeAsync(SimpleStatement.newInstance(
          "SELECT c FROM " + keyspace + ".pages" + where).setPageSize(7)).toCompletableFuture().get();
      List<Integer> cells = new ArrayList<>();
      TreeSet<Integer> sizes = new TreeSet<>();
      int count = 0;
      while (true) {
        sizes.add(page.remaining());
        ++count;
        for (Row row : page.currentPage()) cells.add(row.getInt(0));
        if (!page.hasMorePages()) break;
        page = page.fetchNextPage().toCompletableFuture().get();
      }
      out.println(where + " " + count + " " + sizes + " " + cells.hashCode());
    }
  }

  static BatchStatement batch(BatchType type, BatchableStatement<?>... parts) {
    return BatchStatement.newInstance(type, parts);
  }

  static void batches() {
    run("CREATE TABLE $.hits (k text PRIMARY KEY, n counter)");
    run("CREATE TABLE $.batches (p int, c int, s int STATIC, v text, PRIMARY KEY (p, c))");
    PreparedStatement write = prepare("INSERT INTO $.batches (p, c, v) VALUES (?, ?, ?)");
    PreparedStatement hit = prepare("UPDATE $.hits SET n = n + ? WHERE k = ?");
    for (DefaultBatchType type : List.of(DefaultBatchType.LOGGED, DefaultBatchType.UNLOGGED)) {
      int p = type.ordinal();
      session.execute(batch(type, write.bind(p, 1, "prepared"), SimpleStatement.newInstance(
          "INSERT INTO " + keyspace + ".batches (p, c, v) VALUES (?, 2, 'bound')", p), SimpleStatement.newInstance(
          "UPDATE " + keyspace + ".batches SET s = 5 WHERE p = " + p)));
    }
    session.execute(batch(DefaultBatchType.COUNTER, hit.bind(1L, "a"), hit.bind(2L, "a"), hit.bind(-3L, "b")));
    rows(ask("SELECT * FROM $.batches"));
    rows(ask("SELECT * FROM $.hits"));
    refused("counters", batch(DefaultBatchType.LOGGED, hit.bind(1L, "a"), write.bind(1, 1, "x")));
  }

  static void transactions() {
    run("CREATE TABLE $.locks (k int PRIMARY KEY, v text)");
    for (String statement : List.of("INSERT INTO $.locks (k, v) VALUES (1, 'a') IF NOT EXISTS",
        "INSERT INTO $.locks (k, v) VALUES (1, 'b') IF NOT EXISTS", "UPDATE $.locks SET v = 'c' WHERE k = 1 IF v = 'x'",
        "UPDATE $.locks SET v = 'c' WHERE k = 1 IF v = 'a'", "DELETE FROM $.locks WHERE k = 2 IF EXISTS")) {
      ResultSet found = session.execute(SimpleStatement.newInstance(statement.replace("$", keyspace))
          .setSerialConsistencyLevel(DefaultConsistencyLevel.LOCAL_SERIAL));
      out.println(found.wasApplied());
      rows(found);
    }
  }

  static void changes() {
    run("CREATE TABLE $.changing (k int PRIMARY KEY, v text)");
    PreparedStatement read = prepare("SELECT * FROM $.changing WHERE k = ?");
    PreparedStatement write = prepare("INSERT INTO $.changing (k, v) VALUES (?, ?)");
    session.execute(write.bind(1, "a"));
    rows(session.execute(read.bind(1)));
    run("ALTER TABLE $.changing ADD a int");
    session.execute(write.bind(2, "b"));
    run("UPDATE $.changing SET a = 4 WHERE k = 2");
    // In versions 3 and 4 nobody tells a client that a prepared statement's columns are other ones.
    if (version.equals("5")) rows(session.execute(read.bind(2)));
    run("DROP TABLE $.changing");
    refused("dropped", read.bind(1));
    run("CREATE TABLE $.changing (k int PRIMARY KEY, v text)");
    session.execute(write.bind(3, "c"));
    rows(ask("SELECT * FROM $.changing"));
  }

  static void refusals() {
    for (String statement : List.of("SELEC", "SELECT * FROM $.absent", "CREATE TABLE $.types (k int PRIMARY KEY)",
        "SELECT * FROM $.pages WHERE v = 'x'", "SELECT nothing FROM $.pages", "CREATE KEYSPACE $ WITH replication = "
            + "{'class': 'SimpleStrategy', 'replication_factor': 1}", "INSERT INTO $.pages (p, c) VALUES ('x', 1)"))
      refused(statement, SimpleStatement.newInstance(statement.replace("$", keyspace)));
    refused("tracing", SimpleStatement.newInstance("SELECT c FROM " + keyspace + ".pages WHERE p = 1 LIMIT 1"));
  }

  static void metadata() {
    out.println(session.refreshSchema().getKeyspace(keyspace).get().describeWithChildren(true));
    out.println(session.checkSchemaAgreement());
    out.println(session.getMetadata().getTokenMap().get().getPartitionerName() + " "
        + session.getMetadata().getTokenMap().get().getTokenRanges().size() + " "
        + session.getMetadata().getNodes().size());
  }

  static void events() throws Exception {
    CountDownLatch made = new CountDownLatch(1), gone = new CountDownLatch(1);
    CqlSession other = connect(new SchemaChangeListenerBase() {
      @Override
      public void onTableCreated(TableMetadata table) {
        if (table.getName().asInternal().equals("seen")) made.countDown();
      }
      @Override
      public void onTableDropped(TableMetadata table) {
        if (table.getName().asInternal().equals("seen")) gone.countDown();
      }
    });
    run("CREATE TABLE $.seen (k int PRIMARY KEY)");
    out.println("made: " + made.await(60, TimeUnit.SECONDS));
    run("DROP TABLE $.seen");
    out.println("gone: " + gone.await(60, TimeUnit.SECONDS));
    other.close();
  }

  public static void main(String[] words) throws Exception {
    host = words[0];
    port = Integer.parseInt(words[1]);
    version = words[2];
    compression = words[3];
    keyspace = words[4];
    for (String line : Files.readAllLines(Path.of(words[5]))) values.add(line.split("\t"));
    session = connect(null);
    out.println(session.getContext().getProtocolVersion());
    run("CREATE KEYSPACE $ WITH replication = {'class': 'NetworkTopologyStrategy', 'datacenter1': 1}");
    types();
    pages();
    batches();
    transactions();
    changes();
    refusals();
    metadata();
    events();
    run("DROP KEYSPACE $");
    out.println(session.getMetadata().getKeyspace(keyspace).isPresent());
    session.close();
    System.exit(0);
  }
}
