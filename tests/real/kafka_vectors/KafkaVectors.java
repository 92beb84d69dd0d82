// Writes what Kafka's classes make of every message in every version: README.md has the files.
import java.io.IOException;
import java.io.PrintStream;
import java.lang.reflect.Field;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.Map;
import java.util.Set;
import java.util.StringJoiner;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.kafka.common.errors.UnsupportedVersionException;
import org.apache.kafka.common.message.ApiMessageType;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.MessageUtil;
import org.apache.kafka.common.protocol.types.RawTaggedField;

public final class KafkaVectors {
    private static final Set<String> LEFT_OUT = Set.of("GetTelemetrySubscriptions", "PushTelemetry");
    private static final String[] PLAIN = {"RequestHeaderData", "ResponseHeaderData", "ConsumerProtocolSubscription",
        "ConsumerProtocolAssignment", "EndTxnMarker", "ControlRecordTypeSchema"};

    /** Message classes by the names of their specs; the type of a coordinator's record, else -1. */
    private static final Map<String, Class<?>> messages = new TreeMap<>();
    private static final Map<String, Integer> recordTypes = new TreeMap<>();

    public static void main(String[] arguments) throws Exception {
        Path out = Path.of(arguments[0]);
        Files.createDirectories(out);
        try (PrintStream file = open(out.resolve("apis.txt"))) {
            for (ApiKeys api : ApiKeys.apisForListener(ApiMessageType.ListenerType.BROKER)) writeApi(file, api);
        }
        for (String name : PLAIN) add(Class.forName("org.apache.kafka.common.message." + name));
        for (String topic : new String[] {"group", "transaction", "share"}) addRecords(topic);
        try (PrintStream file = open(out.resolve("fields.txt"))) {
            for (String name : messages.keySet()) writeMessage(file, name);
        }
        try (PrintStream file = open(out.resolve("vectors.txt"))) {
            for (String name : messages.keySet()) {
                for (int version : new Shape(messages.get(name)).versions()) writeVectors(file, name, version);
            }
        }
    }

    private static PrintStream open(Path path) throws IOException {
        return new PrintStream(Files.newOutputStream(path), false, StandardCharsets.UTF_8);
    }

    private static String add(Class<?> message) {
        String name = message.getSimpleName().replaceAll("Data$", "");
        messages.put(name, message);
        return name;
    }

    private static void addRecords(String topic) throws ReflectiveOperationException {
        Class<?> types = Class.forName("org.apache.kafka.coordinator." + topic + ".generated.CoordinatorRecordType");
        for (Object type : types.getEnumConstants()) {
            for (String part : new String[] {"newRecordKey", "newRecordValue"}) {
                String name = add(types.getMethod(part).invoke(type).getClass());
                recordTypes.put(name, ((Number) types.getMethod("id").invoke(type)).intValue());
            }
        }
    }

    private static void writeApi(PrintStream out, ApiKeys api) {
        ApiMessageType type = api.messageType;
        if (LEFT_OUT.contains(api.name)) return;
        add(type.newRequest().getClass());
        add(type.newResponse().getClass());
        int offered = api.toApiVersionForApiResponse(false, ApiMessageType.ListenerType.BROKER).get().minVersion();
        StringJoiner headers = new StringJoiner(" ");
        for (short v = type.lowestSupportedVersion(); v <= type.highestSupportedVersion(true); v++) {
            headers.add(type.requestHeaderVersion(v) + "/" + type.responseHeaderVersion(v));
        }
        out.println(type.apiKey() + " " + type.name + " " + type.lowestSupportedVersion() + " "
            + type.highestSupportedVersion(false) + " " + offered + " " + headers);
    }

    private static void writeMessage(PrintStream out, String name) throws ReflectiveOperationException {
        Shape shape = new Shape(messages.get(name));
        out.println(name + " " + range(shape.versions()) + " flexible " + range(shape.flexible()));
        writeStruct(out, name + "/" + name, shape, new TreeSet<>());
    }

    private static void writeStruct(PrintStream out, String path, Shape shape, Set<String> seen)
        throws ReflectiveOperationException {
        shape.checkOrder();
        for (Field field : shape.fields) {
            TreeSet<Integer> versions = new TreeSet<>();
            TreeSet<Integer> nullable = new TreeSet<>();
            Shape.Wire last = null;
            for (int v : shape.versions()) {
                Shape.Wire wire = shape.wire(field, v);
                if (wire == null) continue;
                versions.add(v);
                if (wire.type().isNullable()) nullable.add(v);
                last = wire;
            }
            if (last == null) continue;
            out.println(path + " " + field.getName() + " " + Shape.typeName(field, last) + " " + range(versions) + " null "
                + range(nullable) + " tag " + last.tag() + " default " + defaultText(shape, field) + " "
                + whenMissing(shape, field, last, versions));
        }
        for (Field field : shape.fields) {
            Class<?> inner = Shape.elementClass(field);
            if (Shape.isStruct(inner) && seen.add(inner.getSimpleName())) {
                writeStruct(out, path.split("/")[0] + "/" + inner.getSimpleName(), new Shape(inner), seen);
            }
        }
    }

    private static String defaultText(Shape shape, Field field) throws ReflectiveOperationException {
        Object value = field.get(shape.struct.getDeclaredConstructor().newInstance());
        if (value == null) return "null";
        if (value instanceof String) return "'" + value + "'";
        if (value instanceof Number || value instanceof Boolean) return value.toString();
        if (value instanceof byte[] bytes && bytes.length == 0) return "empty";
        if (value instanceof ByteBuffer bytes && bytes.remaining() == 0) return "empty";
        if (value instanceof java.util.Collection<?> list && list.isEmpty()) return "empty";
        if (value.equals(org.apache.kafka.common.Uuid.ZERO_UUID)) return "zero";
        if (value.equals(Filler.fresh(value.getClass(), shape.versions().last()))) return "struct";
        throw new IllegalStateException(shape.struct + "." + field.getName() + " = " + value);
    }

    /** What versions without the field do when it is set: "ignored", "refused", or "-" when there are none. */
    private static String whenMissing(Shape shape, Field field, Shape.Wire wire, Set<Integer> versions)
        throws ReflectiveOperationException {
        String found = "-";
        for (int v : shape.versions()) {
            if (versions.contains(v)) continue;
            Object object = Filler.fresh(shape.struct, v);
            field.set(object, new Filler().other(field, wire, field.get(object), ((TreeSet<Integer>) versions).last()));
            String now = "ignored";
            try {
                MessageUtil.toByteBufferAccessor((Message) object, (short) v);
            } catch (UnsupportedVersionException refused) {
                now = "refused";
            }
            if (!found.equals("-") && !found.equals(now)) throw new IllegalStateException(shape.struct + "." + field.getName());
            found = now;
        }
        return found;
    }

    private static String range(TreeSet<Integer> versions) {
        if (versions.isEmpty()) return "none";
        if (versions.size() != versions.last() - versions.first() + 1) throw new IllegalStateException("gaps: " + versions);
        return versions.first() + "-" + versions.last();
    }

    private static void writeVectors(PrintStream out, String name, int version) throws ReflectiveOperationException {
        Class<?> type = messages.get(name);
        Message plain = (Message) type.getDeclaredConstructor().newInstance();
        boolean writable = plain.equals(Filler.fresh(type, version));
        if (writable) write(out, name, version, "default", plain);
        Message full = (Message) new Filler().full(type, version);
        write(out, name, version, "full", full);
        Message nulls = (Message) Filler.nulls(type, version);
        if (!nulls.equals(plain)) write(out, name, version, "nulls", nulls);
        if (recordTypes.containsKey(name)) writeRecord(out, name, version, full);
        if (writable && new Shape(type).flexible().contains(version)) {
            plain.unknownTaggedFields().add(new RawTaggedField(10000, new byte[] {1, 2, 3}));
            write(out, name, version, "unknown", plain);
        }
    }

    private static void write(PrintStream out, String name, int version, String variant, Message message)
        throws ReflectiveOperationException {
        ByteBuffer bytes = MessageUtil.toByteBufferAccessor(message, (short) version).buffer();
        out.println(name + " " + version + " " + variant + " " + hex(bytes));
        Message again = message.getClass().getDeclaredConstructor().newInstance();
        again.read(new ByteBufferAccessor(bytes), (short) version);
        if (!again.equals(message) || bytes.hasRemaining()) throw new IllegalStateException(name + " v" + version);
    }

    private static void writeRecord(PrintStream out, String name, int version, Message message) {
        byte[] bytes = name.endsWith("Key") ? MessageUtil.toCoordinatorTypePrefixedBytes((ApiMessage) message)
            : MessageUtil.toVersionPrefixedBytes((short) version, message);
        out.println(name + " " + version + " record " + HexFormat.of().formatHex(bytes));
    }

    private static String hex(ByteBuffer buffer) {
        byte[] bytes = new byte[buffer.limit()];
        buffer.duplicate().rewind().get(bytes);
        return HexFormat.of().formatHex(bytes);
    }
}
