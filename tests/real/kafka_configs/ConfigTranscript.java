// A conversation about configs with a broker, printed line by line so that two brokers can be compared:
// `java -cp 'KAFKA_LIB/*' ConfigTranscript.java HOST:PORT`. README.md says how.
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.AlterConfigOp.OpType;
import org.apache.kafka.clients.admin.AlterConfigsOptions;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.CreateTopicsOptions;
import org.apache.kafka.clients.admin.DescribeConfigsOptions;
import org.apache.kafka.clients.admin.ListConfigResourcesOptions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.ConfigResource.Type;

public class ConfigTranscript {
    static Admin admin;
    static String node;

    static String failure(Exception e) {
        Throwable cause = e instanceof ExecutionException ? e.getCause() : e;
        return cause.getClass().getSimpleName() + ": " + cause.getMessage();
    }

    static void say(String text) {
        System.out.println(text);
    }

    static String shown(ConfigEntry entry) {
        String text = entry.name() + "=" + entry.value() + " " + entry.source() + " " + entry.type()
                + (entry.isSensitive() ? " sensitive" : "") + (entry.isReadOnly() ? " readonly" : "");
        for (var synonym : entry.synonyms()) {
            text += " <" + synonym.source() + " " + synonym.name() + "=" + synonym.value() + ">";
        }
        return text;
    }

    static void describe(Type type, String name, boolean all) throws Exception {
        ConfigResource resource = new ConfigResource(type, name);
        say("describe " + type + " '" + name + "'");
        try {
            Config config = admin.describeConfigs(List.of(resource), new DescribeConfigsOptions().includeSynonyms(true))
                    .all().get().get(resource);
            Map<String, String> lines = new TreeMap<>();
            for (ConfigEntry entry : config.entries()) {
                if (all || !entry.isDefault()) lines.put(entry.name(), shown(entry));
            }
            lines.values().forEach(line -> say("  " + line));
        } catch (Exception e) {
            say("  " + failure(e));
        }
    }

    static AlterConfigOp op(OpType type, String name, String value) {
        return new AlterConfigOp(new ConfigEntry(name, value), type);
    }

    static void alter(Type type, String name, boolean validate, AlterConfigOp... ops) throws Exception {
        ConfigResource resource = new ConfigResource(type, name);
        String what = type + " '" + name + "'" + (validate ? " validate" : "");
        for (AlterConfigOp op : ops) {
            what += " " + op.opType() + " " + op.configEntry().name() + "=" + op.configEntry().value();
        }
        try {
            admin.incrementalAlterConfigs(Map.of(resource, List.of(ops)),
                    new AlterConfigsOptions().validateOnly(validate)).all().get();
            say(what + " -> ok");
        } catch (Exception e) {
            say(what + " -> " + failure(e));
        }
    }

    static void set(String topic, String name, String value) throws Exception {
        alter(Type.TOPIC, topic, false, op(OpType.SET, name, value));
    }

    static void create(String name, Map<String, String> configs, boolean validate) throws Exception {
        String what = "create " + name + " " + new TreeMap<>(configs) + (validate ? " validate" : "");
        try {
            var result = admin.createTopics(List.of(new NewTopic(name, 1, (short) 1).configs(configs)),
                    new CreateTopicsOptions().validateOnly(validate));
            Config config = result.config(name).get();
            say(what + " -> ok");
            new TreeMap<>(config.entries().stream().filter(e -> configs.isEmpty() || !e.isDefault())
                    .collect(Collectors.toMap(ConfigEntry::name, e -> shown(e))))
                    .values().forEach(line -> say("  " + line));
        } catch (ExecutionException e) {
            say(what + " -> " + failure(e));
        }
    }

    static void list(Set<Type> types) throws Exception {
        String what = "list " + new java.util.TreeSet<>(types);
        try {
            var found = admin.listConfigResources(types, new ListConfigResourcesOptions()).all().get();
            say(what + " -> " + found.stream().map(r -> r.type() + ":" + r.name()).sorted()
                    .collect(Collectors.joining(" ")));
        } catch (ExecutionException e) {
            say(what + " -> " + failure(e));
        }
    }

    static void badValues() throws Exception {
        String[][] tries = {
            {"retention.ms", "abc"}, {"retention.ms", "-2"}, {"retention.ms", "1.5"}, {"retention.ms", ""},
            {"retention.ms", " 500 "}, {"retention.ms", "+600"}, {"retention.ms", "9223372036854775808"},
            {"retention.bytes", "-5"}, {"segment.bytes", "1024"}, {"segment.bytes", "2147483648"},
            {"segment.bytes", "1048576"}, {"segment.ms", "0"}, {"cleanup.policy", "shrink"},
            {"cleanup.policy", "compact,delete"}, {"cleanup.policy", "delete,delete"}, {"cleanup.policy", ""},
            {"cleanup.policy", " compact , delete "}, {"cleanup.policy", "compact,,delete"},
            {"compression.type", "none"}, {"compression.type", "ZSTD"}, {"compression.type", "zstd"},
            {"compression.gzip.level", "0"}, {"compression.gzip.level", "10"}, {"compression.gzip.level", "-2"},
            {"compression.lz4.level", "0"}, {"compression.zstd.level", "23"}, {"compression.zstd.level", "-7"},
            {"message.timestamp.type", "createtime"}, {"message.timestamp.type", "LogAppendTime"},
            {"min.cleanable.dirty.ratio", "1.5"}, {"min.cleanable.dirty.ratio", "x"},
            {"min.cleanable.dirty.ratio", "0.25"}, {"min.cleanable.dirty.ratio", "1"},
            {"min.cleanable.dirty.ratio", "1e-5"}, {"min.cleanable.dirty.ratio", ".5"},
            {"min.insync.replicas", "0"}, {"min.insync.replicas", "2"}, {"max.message.bytes", "-1"},
            {"max.message.bytes", "0"}, {"max.message.bytes", "2147483647"}, {"preallocate", "yes"},
            {"preallocate", "TRUE"}, {"flush.messages", "0"}, {"flush.messages", "1"}, {"flush.ms", "-1"},
            {"index.interval.bytes", "-1"}, {"segment.index.bytes", "3"}, {"segment.jitter.ms", "-1"},
            {"segment.jitter.ms", "604800001"}, {"file.delete.delay.ms", "-1"}, {"delete.retention.ms", "-1"},
            {"max.compaction.lag.ms", "0"}, {"min.compaction.lag.ms", "-1"},
            {"unclean.leader.election.enable", "true"}, {"remote.storage.enable", "true"},
            {"remote.log.copy.disable", "true"}, {"remote.log.delete.on.disable", "true"},
            {"local.retention.ms", "-3"}, {"local.retention.ms", "99999999999"}, {"local.retention.bytes", "5"},
            {"leader.replication.throttled.replicas", "*"}, {"leader.replication.throttled.replicas", "0:1,1:1"},
            {"leader.replication.throttled.replicas", "zero"},
            {"follower.replication.throttled.replicas", "none"}, {"follower.replication.throttled.replicas", ""},
            {"internal.segment.bytes", "4096"}, {"message.format.version", "3.0"},
            {"message.downconversion.enable", "true"}, {"no.such.config", "1"}, {"retention.m", "1"}, {"", "1"},
            {"message.timestamp.after.max.ms", "-1"}, {"message.timestamp.before.max.ms", "1000"},
            {"partitions", "4"}, {"extra", "x"}, {"format", "json"},
        };
        create("values", Map.of(), false);
        for (String[] one : tries) set("values", one[0], one[1]);
        describe(Type.TOPIC, "values", true);
        int i = 0;
        for (String[] one : tries) create("create-" + i++, Map.of(one[0], one[1]), true);
    }

    static void together() throws Exception {
        create("both", Map.of("min.compaction.lag.ms", "10", "max.compaction.lag.ms", "5"), true);
        create("made", Map.of("cleanup.policy", "compact,delete", "retention.ms", "1000", "segment.bytes", "2000000",
                "compression.type", "lz4", "min.insync.replicas", "1"), true);
        create("made", Map.of("cleanup.policy", "compact,delete", "retention.ms", "1000", "segment.bytes", "2000000",
                "compression.type", "lz4"), false);
        describe(Type.TOPIC, "made", false);
        alter(Type.TOPIC, "made", false, op(OpType.SET, "min.compaction.lag.ms", "10"),
                op(OpType.SET, "max.compaction.lag.ms", "5"));
        alter(Type.TOPIC, "made", false, op(OpType.SET, "retention.ms", "1"), op(OpType.SET, "no.such", "1"));
        alter(Type.TOPIC, "made", true, op(OpType.SET, "retention.ms", "77"));
        alter(Type.TOPIC, "made", true, op(OpType.SET, "retention.ms", "x"));
        alter(Type.TOPIC, "made", false, op(OpType.SET, "retention.ms", "1"), op(OpType.SET, "retention.ms", "2"));
        alter(Type.TOPIC, "made", false, op(OpType.SET, "retention.ms", "1"), op(OpType.DELETE, "retention.ms", ""));
        alter(Type.TOPIC, "made", false, op(OpType.APPEND, "cleanup.policy", "delete"));
        alter(Type.TOPIC, "made", false, op(OpType.SUBTRACT, "cleanup.policy", "compact"));
        describe(Type.TOPIC, "made", false);
        alter(Type.TOPIC, "made", false, op(OpType.APPEND, "cleanup.policy", "compact"));
        alter(Type.TOPIC, "made", false, op(OpType.APPEND, "cleanup.policy", "nothing"));
        alter(Type.TOPIC, "made", false, op(OpType.SUBTRACT, "cleanup.policy", "nothing"));
        alter(Type.TOPIC, "made", false, op(OpType.APPEND, "retention.ms", "1"));
        alter(Type.TOPIC, "made", false, op(OpType.SUBTRACT, "retention.ms", "1"));
        alter(Type.TOPIC, "made", false, op(OpType.APPEND, "leader.replication.throttled.replicas", "0:1"));
        alter(Type.TOPIC, "made", false, op(OpType.APPEND, "leader.replication.throttled.replicas", "1:1,2:1"));
        alter(Type.TOPIC, "made", false, op(OpType.SUBTRACT, "leader.replication.throttled.replicas", "1:1"));
        alter(Type.TOPIC, "made", false, op(OpType.APPEND, "no.such", "1"));
        alter(Type.TOPIC, "made", false, op(OpType.DELETE, "no.such", ""));
        alter(Type.TOPIC, "made", false, op(OpType.DELETE, "segment.bytes", ""));
        alter(Type.TOPIC, "made", false, op(OpType.DELETE, "flush.ms", ""));
        alter(Type.TOPIC, "made", false, op(OpType.SET, "segment.bytes", null));
        alter(Type.TOPIC, "made", false);
        describe(Type.TOPIC, "made", false);
        alter(Type.TOPIC, "missing", false, op(OpType.SET, "retention.ms", "1"));
        describe(Type.TOPIC, "missing", true);
        describe(Type.TOPIC, "bad name", true);
        describe(Type.TOPIC, "", true);
        alter(Type.TOPIC, "bad name", false, op(OpType.SET, "retention.ms", "1"));
        alter(Type.TOPIC, "", false, op(OpType.SET, "retention.ms", "1"));
    }

    static void brokerTry(String of, String name, String value) throws Exception {
        alter(Type.BROKER, of, false, op(OpType.SET, name, value));
    }

    static void broker() throws Exception {
        describe(Type.BROKER, "", true);
        describe(Type.BROKER, "99", true);
        describe(Type.BROKER, "x", true);
        String[][] tries = {
            {"num.partitions", "3"}, {"no.such", "1"}, {"log.retention.ms", "5000"}, {"log.retention.ms", "abc"},
            {"log.retention.hours", "5"}, {"log.cleaner.threads", "2"}, 
            {"num.network.threads", "4"}, {"num.io.threads", "0"},
            {"message.max.bytes", "2000000"}, {"message.max.bytes", "-1"}, {"max.connections", "500"},
            {"max.connections.per.ip", "1"}, {"compression.type", "gzip"}, {"compression.type", "none"},
            {"log.cleanup.policy", "compact"}, {"log.segment.bytes", "1"}, {"listeners", "PLAINTEXT://:1"},
            {"node.id", "4"}, {"ssl.keystore.password", "secret"}, {"background.threads", "9"},
            {"metric.reporters", "no.such.Class"}, {"min.insync.replicas", "2"}, {"auto.create.topics.enable", "x"},
            {"unclean.leader.election.enable", "true"}, {"leader.replication.throttled.rate", "1000"},
            {"leader.replication.throttled.rate", "x"}, {"log.message.timestamp.type", "LogAppendTime"},
            {"group.consumer.session.timeout.ms", "50000"}, {"transaction.partition.verification.enable", "false"},
            {"log.flush.interval.ms", "10"}, {"log.roll.ms", "20"}, {"producer.id.expiration.ms", "999"},
        };
        for (String[] one : tries) brokerTry(node, one[0], one[1]);
        for (String[] one : tries) brokerTry("", one[0], one[1]);
        brokerTry("99", "log.retention.ms", "1");
        brokerTry("x", "log.retention.ms", "1");
        describe(Type.BROKER, "", true);
        settled(Type.BROKER, node);
        create("under", Map.of("retention.bytes", "77"), false);
        alter(Type.BROKER, node, false, op(OpType.DELETE, "message.max.bytes", ""));
        alter(Type.BROKER, node, false, op(OpType.DELETE, "no.such", ""));
        alter(Type.BROKER, node, false, op(OpType.APPEND, "log.cleanup.policy", "delete"));
        alter(Type.BROKER, node, false, op(OpType.APPEND, "log.retention.ms", "1"));
        settled(Type.BROKER, node);
        settled(Type.TOPIC, "under");
        for (String of : List.of(node, "")) {
            var current = admin.describeConfigs(List.of(new ConfigResource(Type.BROKER, of))).all().get();
            Collection<AlterConfigOp> ops = new ArrayList<>();
            for (Config config : current.values()) {
                for (ConfigEntry entry : config.entries()) {
                    ConfigEntry.ConfigSource at = of.isEmpty() ? ConfigEntry.ConfigSource.DYNAMIC_DEFAULT_BROKER_CONFIG
                            : ConfigEntry.ConfigSource.DYNAMIC_BROKER_CONFIG;
                    if (entry.source() == at) ops.add(op(OpType.DELETE, entry.name(), ""));
                }
            }
            alter(Type.BROKER, of, false, ops.stream().sorted(Comparator.comparing(o -> o.configEntry().name()))
                    .toArray(AlterConfigOp[]::new));
        }
        settled(Type.BROKER, "");
        settled(Type.BROKER, node);
    }

    /** What is told twice the same: a broker may apply a change a moment after it answered. */
    static void settled(Type type, String name) throws Exception {
        ConfigResource resource = new ConfigResource(type, name);
        var options = new DescribeConfigsOptions().includeSynonyms(true);
        Config before = null;
        for (int same = 0; same < 4; ) {
            Config now = admin.describeConfigs(List.of(resource), options).all().get().get(resource);
            same = now.equals(before) ? same + 1 : 0;
            before = now;
            Thread.sleep(50);
        }
        describe(type, name, type != Type.BROKER);
    }

    static void groups() throws Exception {
        describe(Type.GROUP, "g", true);
        describe(Type.GROUP, "", true);
        String[][] tries = {
            {"consumer.session.timeout.ms", "50000"}, {"consumer.session.timeout.ms", "1"},
            {"consumer.session.timeout.ms", "600000"}, {"consumer.session.timeout.ms", "x"},
            {"consumer.heartbeat.interval.ms", "6000"}, {"consumer.heartbeat.interval.ms", "60000"},
            {"share.auto.offset.reset", "earliest"}, {"share.auto.offset.reset", "by_duration:PT1H"},
            {"share.auto.offset.reset", "by_duration:1h"}, {"share.auto.offset.reset", "never"},
            {"share.isolation.level", "read_committed"}, {"share.isolation.level", "READ_COMMITTED"},
            {"share.record.lock.duration.ms", "20000"}, {"share.record.lock.duration.ms", "100"},
            {"share.record.lock.duration.ms", "999999"}, {"share.delivery.count.limit", "20"},
            {"streams.num.standby.replicas", "1"}, {"streams.num.standby.replicas", "9"}, {"no.such", "1"},
            {"share.partition.max.record.locks", "50"}, {"consumer.assignment.interval.ms", "-1"},
        };
        for (String[] one : tries) alter(Type.GROUP, "g", false, op(OpType.SET, one[0], one[1]));
        alter(Type.GROUP, "", false, op(OpType.SET, "streams.num.standby.replicas", "1"));
        alter(Type.GROUP, "g", false, op(OpType.APPEND, "share.isolation.level", "x"));
        settled(Type.GROUP, "g");
        alter(Type.GROUP, "g", false, op(OpType.DELETE, "share.isolation.level", ""));
        settled(Type.GROUP, "g");
    }

    static void metricsAndLoggers() throws Exception {
        describe(Type.CLIENT_METRICS, "m", true);
        describe(Type.CLIENT_METRICS, "", true);
        String[][] tries = {
            {"interval.ms", "1000"}, {"interval.ms", "1"}, {"metrics", "a.b,c"}, {"match", "client_id=x"},
            {"match", "what=x"}, {"no.such", "1"},
        };
        for (String[] one : tries) alter(Type.CLIENT_METRICS, "m", false, op(OpType.SET, one[0], one[1]));
        alter(Type.CLIENT_METRICS, "", false, op(OpType.SET, "interval.ms", "1000"));
        settled(Type.CLIENT_METRICS, "m");
        describe(Type.BROKER_LOGGER, "99", false);
        describe(Type.BROKER_LOGGER, "", false);
        alter(Type.BROKER_LOGGER, node, false, op(OpType.SET, "no.such.logger", "INFO"));
        alter(Type.BROKER_LOGGER, node, false, op(OpType.SET, "root", "LOUD"));
        alter(Type.BROKER_LOGGER, node, false, op(OpType.SET, "root", "WARN"));
        alter(Type.BROKER_LOGGER, node, false, op(OpType.DELETE, "root", ""));
        alter(Type.BROKER_LOGGER, node, false, op(OpType.APPEND, "root", "INFO"));
        alter(Type.BROKER_LOGGER, "99", false, op(OpType.SET, "root", "INFO"));
    }

    public static void main(String[] arguments) throws Exception {
        Map<String, Object> settings = new LinkedHashMap<>();
        settings.put("bootstrap.servers", arguments[0]);
        admin = Admin.create(settings);
        node = admin.describeCluster().nodes().get().iterator().next().idString();
        describe(Type.BROKER, node, true);
        badValues();
        together();
        groups();
        metricsAndLoggers();
        broker();
        list(Set.of(Type.TOPIC));
        list(Set.of(Type.GROUP));
        list(Set.of(Type.CLIENT_METRICS));
        list(Set.of(Type.BROKER));
        list(Set.of(Type.BROKER_LOGGER));
        list(Set.of());
        admin.close();
    }
}
