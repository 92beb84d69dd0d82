// Writes what Kafka's own definitions say of every topic, broker and group setting as JSON: name, type, default,
// range or valid values, how a broker setting may change while it runs, and which broker settings a topic's or
// group's setting falls back to. `java -cp 'KAFKA_LIB/*' DumpConfigs.java OUT_DIR`; README.md says when.
import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.ConfigKey;
import org.apache.kafka.coordinator.group.GroupConfig;
import org.apache.kafka.server.config.AbstractKafkaConfig;
import org.apache.kafka.server.config.ConfigSynonym;
import org.apache.kafka.server.config.DynamicBrokerConfig;
import org.apache.kafka.server.config.QuotaConfig;
import org.apache.kafka.server.config.ServerTopicConfigSynonyms;
import org.apache.kafka.storage.internals.log.LogConfig;

public class DumpConfigs {
    static String quoted(String text) {
        return "\"" + text.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n") + "\"";
    }

    static Object field(Object of, String name) throws Exception {
        Field field = of.getClass().getDeclaredField(name);
        field.setAccessible(true);
        return field.get(of);
    }

    static String list(Iterable<?> values) {
        List<String> texts = new ArrayList<>();
        for (Object value : values) texts.add(quoted(value.toString()));
        return "[" + String.join(", ", texts) + "]";
    }

    /** The rule of a value, as JSON members; what is no range and no list of words is named by its class. */
    static void rule(ConfigDef.Validator validator, List<String> members) throws Exception {
        if (validator == null) return;
        String kind = validator.getClass().getSimpleName();
        switch (kind) {
            case "Range" -> {
                Object min = field(validator, "min");
                Object max = field(validator, "max");
                if (min != null) members.add("\"min\": " + min);
                if (max != null) members.add("\"max\": " + max);
            }
            case "LambdaValidator" -> members.add("\"rule\": \"GzipLevel\"");  // no other setting has one
            case "ValidString" -> members.add("\"valid\": " + list((List<?>) field(validator, "validStrings")));
            case "CaseInsensitiveValidString" -> {
                members.add("\"valid\": " + list(new java.util.TreeSet<>((java.util.Collection<?>)
                        field(validator, "validStrings"))));
                members.add("\"anyCase\": true");
            }
            case "ValidList" -> {
                List<?> words = (List<?>) field(field(validator, "validString"), "validStrings");
                if (!words.isEmpty()) members.add("\"valid\": " + list(words));
                members.add("\"emptyAllowed\": " + field(validator, "isEmptyAllowed"));
            }
            case "Validator" -> members.add("\"rule\": \"OffsetReset\"");  // of ShareGroupAutoOffsetResetStrategy
            default -> members.add("\"rule\": " + quoted(kind.replace("Validator", "")));
        }
    }

    static List<String> members(ConfigKey key) throws Exception {
        List<String> members = new ArrayList<>();
        members.add("\"name\": " + quoted(key.name));
        members.add("\"type\": " + quoted(key.type.name().toLowerCase()));
        if (key.hasDefault()) {
            String text = ConfigDef.convertToString(key.defaultValue, key.type);
            members.add("\"default\": " + (text == null ? "null" : quoted(text)));
        }
        rule(key.validator, members);
        if (key.internalConfig) members.add("\"internal\": true");
        return members;
    }

    static String synonyms(String name) {
        List<String> found = new ArrayList<>();
        for (ConfigSynonym synonym : ServerTopicConfigSynonyms.ALL_TOPIC_CONFIG_SYNONYMS.getOrDefault(name, List.of())) {
            long times = Long.parseLong(synonym.converter().apply("1"));
            found.add("{ \"name\": " + quoted(synonym.name()) + (times == 1 ? "" : ", \"times\": " + times) + " }");
        }
        return "[" + String.join(", ", found) + "]";
    }

    static void write(Path path, String what, List<String> entries) throws Exception {
        Files.writeString(path, "{\n  \"of\": " + quoted(what) + ",\n  \"kafka\": \"4.3.1\",\n  \"configs\": [\n"
                + String.join(",\n", entries) + "\n  ]\n}\n");
    }

    static String entry(List<String> members) {
        return "    { " + String.join(", ", members) + " }";
    }

    public static void main(String[] arguments) throws Exception {
        Path out = Path.of(arguments[0]);
        List<String> topic = new ArrayList<>();
        for (ConfigKey key : new TreeMap<>(LogConfig.configKeys()).values()) {
            List<String> members = members(key);
            members.add("\"broker\": " + synonyms(key.name));
            topic.add(entry(members));
        }
        write(out.resolve("topic.json"), "topic", topic);

        Map<String, String> modes = DynamicBrokerConfig.dynamicConfigUpdateModes();
        List<String> broker = new ArrayList<>();
        for (ConfigKey key : new TreeMap<>(AbstractKafkaConfig.CONFIG_DEF.configKeys()).values()) {
            List<String> members = members(key);
            if (modes.containsKey(key.name)) members.add("\"update\": " + quoted(modes.get(key.name)));
            broker.add(entry(members));
        }
        for (ConfigKey key : new TreeMap<>(QuotaConfig.brokerQuotaConfigs().configKeys()).values()) {
            List<String> members = members(key);
            members.add("\"update\": " + quoted(modes.get(key.name)) + ", \"onlyDynamic\": true");
            broker.add(entry(members));
        }
        write(out.resolve("broker.json"), "broker", broker);
        List<String> group = new ArrayList<>();
        for (ConfigKey key : new TreeMap<>(GroupConfig.CONFIG_DEF.configKeys()).values()) {
            List<String> members = members(key);
            Optional<String> synonym = GroupConfig.brokerSynonym(key.name);
            if (synonym.isPresent()) members.add("\"broker\": [{ \"name\": " + quoted(synonym.get()) + " }]");
            group.add(entry(members));
        }
        write(out.resolve("group.json"), "group", group);
    }
}
