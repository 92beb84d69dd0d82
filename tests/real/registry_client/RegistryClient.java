import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.avro.AvroSchema;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.CachedSchemaRegistryClient;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.SchemaRegistryClient;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.rest.entities.Config;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.rest.entities.Metadata;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.rest.entities.SchemaReference;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.rest.exceptions.RestClientException;

/**
 * Asks a registry through Confluent's Java client: URL, then settings NAME=VALUE. A line each step: what the client
 * made of the answer.
 */
public class RegistryClient {
  interface Step {
    Object take() throws Exception;
  }

  static void step(String name, Step step) throws Exception {
    Object said;
    try {
      said = step.take();
    } catch (RestClientException refused) {
      said = refused.getStatus() + " " + refused.getErrorCode();
    }
    System.out.println(name + ": " + said);
  }

  static final String FIRST = record("{\"name\":\"id\",\"type\":\"long\"}");
  static final String SECOND =
      record("{\"name\":\"id\",\"type\":\"long\"},{\"name\":\"city\",\"type\":\"string\",\"default\":\"?\"}");
  static final String WRONG = record("{\"name\":\"id\",\"type\":\"string\"}");

  static String record(String fields) {
    return "{\"type\":\"record\",\"name\":\"Order\",\"fields\":[" + fields + "]}";
  }

  /** A new client each time, so that nothing comes from its cache. */
  static SchemaRegistryClient client(String[] words) {
    Map<String, String> settings = new java.util.HashMap<>();
    for (int i = 1; i < words.length; i++) {
      settings.put(words[i].split("=", 2)[0], words[i].split("=", 2)[1]);
    }
    return new CachedSchemaRegistryClient(words[0], 100, settings);
  }

  public static void main(String[] words) throws Exception {
    SchemaRegistryClient client = client(words);
    step("register", () -> client.register("orders-value", new AvroSchema(FIRST)));
    step("again", () -> client(words).register("orders-value", new AvroSchema(FIRST)));
    step("second", () -> client.register("orders-value", new AvroSchema(SECOND), true));
    step("wrong", () -> client.register("orders-value", new AvroSchema(WRONG)));
    step("compatible", () -> client.testCompatibility("orders-value", new AvroSchema(FIRST)));
    step("verbose", () -> client.testCompatibilityVerbose("orders-value", new AvroSchema(WRONG)).size() > 0);
    step("by id", () -> client(words).getSchemaById(2).canonicalString().equals(SECOND));
    step("of subject", () -> client(words).getSchemaBySubjectAndId("orders-value", 1).canonicalString().equals(FIRST));
    step("unknown id", () -> client(words).getSchemaById(4711));
    step("latest", () -> client(words).getLatestSchemaMetadata("orders-value").getVersion());
    step("version", () -> client(words).getVersion("orders-value", new AvroSchema(FIRST)));
    step("id", () -> client(words).getId("orders-value", new AvroSchema(SECOND)));
    step("versions", () -> client.getAllVersions("orders-value"));
    step("subjects by id", () -> client.getAllSubjectsById(1));
    step("versions by id", () -> client.getAllVersionsById(2).iterator().next().getVersion());
    step("subjects", () -> new TreeSet<>(client.getAllSubjectsByPrefix("orders")));
    step("no subject", () -> client(words).getLatestSchemaMetadata("nothing"));
    List<SchemaReference> references = List.of(new SchemaReference("Order", "orders-value", 1));
    String line = "{\"type\":\"record\",\"name\":\"Line\",\"fields\":[{\"name\":\"of\",\"type\":\"Order\"}]}";
    Metadata metadata = new Metadata(Map.of(), Map.of("team", "sales"), null);
    AvroSchema whole = new AvroSchema(line, references, Map.of("Order", FIRST), metadata, null, null, true);
    step("reference", () -> client.register("lines-value", whole));
    step("its references", () -> client(words).getSchemaById(3).references().equals(references));
    Map<String, String> team = Map.of("team", "sales");
    step("with metadata", () -> client(words).getLatestWithMetadata("lines-value", team, false).getId());
    step("in use", () -> client.deleteSchemaVersion(Map.of(), "orders-value", "1"));
    step("config", () -> client.updateConfig("orders-value", new Config("NONE")).getCompatibilityLevel());
    step("its config", () -> client.getConfig("orders-value").getCompatibilityLevel());
    step("forced", () -> client.register("orders-value", new AvroSchema(WRONG)));
    step("mode", () -> client.setMode("READONLY", "orders-value"));
    step("read only", () -> client(words).register("orders-value", new AvroSchema("\"long\"")));
    step("its mode", () -> client.getMode("orders-value"));
    step("mode back", () -> client.setMode("READWRITE", "orders-value"));
    step("delete version", () -> client.deleteSchemaVersion("orders-value", "3"));
    step("delete lines", () -> client.deleteSubject("lines-value"));
    step("for good", () -> client.deleteSubject("lines-value", true));
    step("delete", () -> new ArrayList<>(client.deleteSubject("orders-value")));
    step("with deleted", () -> client.getAllSubjects(true));
  }
}
