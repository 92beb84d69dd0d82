// What KafkaShareConsumer and Admin see of share groups, a line for each outcome: the same lines are
// expected of every broker. Run: java -cp 'JARS/*' ShareLife.java HOST:PORT
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ListShareGroupOffsetsSpec;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.AcknowledgeType;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

public class ShareLife {
    static String address;
    static Admin admin;

    interface Attempt {
        void run() throws Exception;
    }

    static void say(String what) {
        System.out.println("> " + what);
    }

    static String tried(Attempt attempt) {
        try {
            attempt.run();
            return "done";
        } catch (ExecutionException e) {
            return e.getCause().getClass().getSimpleName() + ": " + e.getCause().getMessage();
        } catch (Exception e) {
            return e.getClass().getSimpleName() + ": " + e.getMessage();
        }
    }

    static Properties properties() {
        Properties out = new Properties();
        out.put("bootstrap.servers", address);
        return out;
    }

    static KafkaShareConsumer<String, String> consumer(String group, String topic, boolean explicit) {
        Properties settings = properties();
        settings.put("group.id", group);
        settings.put("share.acknowledgement.mode", explicit ? "explicit" : "implicit");
        var out = new KafkaShareConsumer<>(settings, new StringDeserializer(), new StringDeserializer());
        out.subscribe(List.of(topic));
        return out;
    }

    static void produce(String topic, String prefix, int count) {
        try (var producer = new KafkaProducer<>(properties(), new StringSerializer(), new StringSerializer())) {
            for (int i = 0; i < count; i++) producer.send(new ProducerRecord<>(topic, prefix + i));
        }
    }

    static void configure(String group, String name, String value) throws Exception {
        var resource = new ConfigResource(ConfigResource.Type.GROUP, group);
        var op = new AlterConfigOp(new ConfigEntry(name, value), AlterConfigOp.OpType.SET);
        Map<ConfigResource, Collection<AlterConfigOp>> ops = Map.of(resource, List.of(op));
        admin.incrementalAlterConfigs(ops).all().get();
    }

    static void prepare(String topic, int partitions, String group) throws Exception {
        admin.createTopics(List.of(new NewTopic(topic, partitions, (short) 1))).all().get();
        configure(group, "share.auto.offset.reset", "earliest");
    }

    static List<ConsumerRecord<String, String>> some(KafkaShareConsumer<String, String> from, int seconds) {
        List<ConsumerRecord<String, String>> out = new ArrayList<>();
        long end = System.currentTimeMillis() + seconds * 1000L;
        while (out.isEmpty() && System.currentTimeMillis() < end) {
            from.poll(Duration.ofMillis(500)).forEach(out::add);
        }
        return out;
    }

    static void fates() throws Exception {
        prepare("fates", 1, "judges");
        produce("fates", "r", 8);
        Map<String, List<Short>> deliveries = new TreeMap<>();
        AcknowledgeType[] types = {AcknowledgeType.ACCEPT, AcknowledgeType.RELEASE, AcknowledgeType.REJECT,
            AcknowledgeType.ACCEPT};
        try (var judge = consumer("judges", "fates", true)) {
            for (var records = some(judge, 20); !records.isEmpty(); records = some(judge, 3)) {
                for (var record : records) {
                    deliveries.computeIfAbsent(record.value(), k -> new ArrayList<>()).add(record.deliveryCount().get());
                    judge.acknowledge(record, types[(int) record.offset() % 4]);
                }
                judge.commitSync().values().forEach(error -> error.ifPresent(e -> say("fates: " + e)));
            }
            say("lock of " + judge.acquisitionLockTimeoutMs().get());
        }
        say("deliveries " + deliveries);
    }

    static void locks() throws Exception {
        prepare("locks", 1, "slow");
        produce("locks", "r", 4);
        configure("slow", "share.record.lock.duration.ms", "3000");
        try (var silent = consumer("slow", "locks", true)) {
            var had = some(silent, 20);
            say("silent got " + had.size());
            try (var other = consumer("slow", "locks", true)) {
                var again = some(other, 30);
                for (var record : again) {
                    say("other got " + record.value() + " at delivery " + record.deliveryCount().get());
                    other.acknowledge(record);
                }
                other.commitSync();
                for (var record : had) silent.acknowledge(record);
                silent.commitSync().values().forEach(error -> say("too late: " + error.isPresent()));
            }
        }
    }

    static void renewals() throws Exception {
        prepare("renewals", 1, "steady");
        produce("renewals", "r", 2);
        configure("steady", "share.record.lock.duration.ms", "10000");
        try (var steady = consumer("steady", "renewals", true)) {
            var had = some(steady, 20);
            try (var other = consumer("steady", "renewals", true)) {
                for (int i = 0; i < 12; i++) {  // longer than the lock
                    for (var record : had) steady.acknowledge(record, AcknowledgeType.RENEW);
                    steady.commitSync();
                    other.poll(Duration.ofMillis(1000)).forEach(record -> say("taken away: " + record.value()));
                    had = some(steady, 9);  // those that were renewed
                }
                for (var record : had) steady.acknowledge(record, AcknowledgeType.ACCEPT);
                steady.commitSync().values().forEach(error -> say("renewed and accepted: " + error.isEmpty()));
                say("left for others: " + some(other, 5).size());
            }
        }
    }

    static void closing() throws Exception {
        prepare("closing", 1, "leavers");
        produce("closing", "r", 3);
        try (var first = consumer("leavers", "closing", true)) {
            for (var record : some(first, 20)) {
                if (record.offset() == 0) first.acknowledge(record);
            }
            say("commit in part: " + tried(first::commitSync));
        }
        try (var second = consumer("leavers", "closing", true)) {
            for (var record : some(second, 20)) {
                say("after a close " + record.value() + " at delivery " + record.deliveryCount().get());
                second.acknowledge(record);
            }
        }
    }

    static void transactions() throws Exception {
        prepare("ledger", 1, "auditors");
        configure("auditors", "share.isolation.level", "read_committed");
        Properties settings = properties();
        settings.put("transactional.id", "writer");
        try (var writer = new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer())) {
            writer.initTransactions();
            for (int i = 0; i < 6; i++) {
                writer.beginTransaction();
                writer.send(new ProducerRecord<>("ledger", "t" + i));
                writer.flush();
                if (i % 2 == 0) writer.commitTransaction();
                else writer.abortTransaction();
            }
        }
        Set<String> seen = new TreeSet<>();
        for (String group : List.of("auditors", "readers")) {
            configure(group, "share.auto.offset.reset", "earliest");
            seen.clear();
            try (var reader = consumer(group, "ledger", false)) {
                for (var got = some(reader, 20); !got.isEmpty(); got = some(reader, 3)) {
                    got.forEach(record -> seen.add(record.value()));
                }
            }
            say(group + " saw " + seen);
        }
    }

    static void crowd() throws Exception {
        prepare("work", 3, "crowd");
        produce("work", "w", 5000);
        Set<String> seen = ConcurrentHashMap.newKeySet();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            threads.add(new Thread(() -> {
                try (var one = consumer("crowd", "work", false)) {
                    while (seen.size() < 5000) {
                        one.poll(Duration.ofMillis(500)).forEach(record -> seen.add(record.value()));
                    }
                }
            }));
        }
        for (var thread : threads) thread.start();
        for (var thread : threads) thread.join();
        say("crowd saw " + seen.size());
    }

    static String offsets(String group) throws Exception {
        var found = admin.listShareGroupOffsets(Map.of(group, new ListShareGroupOffsetsSpec()))
            .partitionsToOffsetInfo(group).get();
        Map<String, String> out = new TreeMap<>();
        found.forEach((place, info) ->
            out.put(place.toString(), info == null ? "none" : info.startOffset() + " lag " + info.lag().orElse(-1L)));
        return out.toString();
    }

    static void administration() throws Exception {
        var place = new TopicPartition("fates", 0);
        say("judges " + admin.describeShareGroups(List.of("judges")).all().get().get("judges").groupState());
        say("judges at " + offsets("judges"));
        say("moved " + tried(() -> admin.alterShareGroupOffsets("judges", Map.of(place, 6L)).all().get()));
        say("judges at " + offsets("judges"));
        try (var judge = consumer("judges", "fates", true)) {
            for (var record : some(judge, 20)) {
                say("again " + record.value() + " at delivery " + record.deliveryCount().get());
                judge.acknowledge(record);
            }
            say("not empty " + tried(() -> admin.alterShareGroupOffsets("judges", Map.of(place, 0L)).all().get()));
            say("not empty " + tried(() -> admin.deleteShareGroups(List.of("judges")).all().get()));
        }
        say("forgot " + tried(() -> admin.deleteShareGroupOffsets("judges", Set.of("fates")).all().get()));
        say("judges at " + offsets("judges"));
        say("deleted " + tried(() -> admin.deleteShareGroups(List.of("judges")).all().get()));
        say("deleted " + tried(() -> admin.deleteShareGroups(List.of("judges")).all().get()));
        Map<String, String> left = new HashMap<>();
        admin.listGroups().all().get().forEach(group ->
            left.put(group.groupId(), group.type().get() + " " + group.groupState().get()));
        say("left " + new TreeMap<>(left));
    }

    public static void main(String[] words) throws Exception {
        address = words[0];
        admin = Admin.create(properties());
        fates();
        locks();
        renewals();
        closing();
        transactions();
        crowd();
        administration();
        admin.close();
    }
}
