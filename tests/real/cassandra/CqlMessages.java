// CqlMessages SEED ROUNDS FILE: messages of the native protocol as Cassandra's own codec writes them, for
// src/cql_protocol, a line each; fields are between tabs, bytes are hexadecimal:
//
//   message VERSION OPCODE BODY SHOWN   what the codec wrote, or read, and what it holds (see show…)
//   segment plain|lz4 CONTAINED PAYLOAD SEGMENT
//   body lz4|snappy BODY COMPRESSED
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.PrintStream;
import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.*;
import java.util.stream.Collectors;
import org.apache.cassandra.config.DatabaseDescriptor;
import org.apache.cassandra.cql3.*;
import org.apache.cassandra.db.ConsistencyLevel;
import org.apache.cassandra.db.marshal.*;
import org.apache.cassandra.net.FrameEncoder;
import org.apache.cassandra.net.FrameEncoderCrc;
import org.apache.cassandra.net.FrameEncoderLZ4;
import org.apache.cassandra.transport.*;
import org.apache.cassandra.transport.messages.*;
import org.apache.cassandra.utils.ByteBufferUtil;
import org.apache.cassandra.utils.MD5Digest;

public class CqlMessages {
    static Random random;
    static PrintStream out;
    static final ProtocolVersion[] VERSIONS = {ProtocolVersion.V3, ProtocolVersion.V4, ProtocolVersion.V5};
    static final ConsistencyLevel[] LEVELS = {ConsistencyLevel.ANY, ConsistencyLevel.ONE, ConsistencyLevel.TWO, ConsistencyLevel.THREE,
        ConsistencyLevel.QUORUM, ConsistencyLevel.ALL, ConsistencyLevel.LOCAL_QUORUM, ConsistencyLevel.EACH_QUORUM,
        ConsistencyLevel.SERIAL, ConsistencyLevel.LOCAL_SERIAL, ConsistencyLevel.LOCAL_ONE};
    static final AbstractType<?>[] TYPES = {Int32Type.instance, UTF8Type.instance, AsciiType.instance, BytesType.instance, LongType.instance,
        UUIDType.instance, TimeUUIDType.instance, BooleanType.instance, DoubleType.instance, FloatType.instance, InetAddressType.instance,
        IntegerType.instance, DecimalType.instance, TimestampType.instance, SimpleDateType.instance, TimeType.instance, ShortType.instance,
        ByteType.instance, DurationType.instance, CounterColumnType.instance, ListType.getInstance(Int32Type.instance, true),
        SetType.getInstance(UTF8Type.instance, true), MapType.getInstance(UTF8Type.instance, ListType.getInstance(LongType.instance, false), true),
        new TupleType(List.of(Int32Type.instance, UTF8Type.instance)), VectorType.getInstance(FloatType.instance, 3)};

    static int below(int n) { return random.nextInt(n); }
    static boolean one(int n) { return below(n) == 0; }
    static byte[] bytes(int n) { byte[] b = new byte[n]; random.nextBytes(b); return b; }
    static String hex(byte[] b) { return ByteBufferUtil.bytesToHex(ByteBuffer.wrap(b)); }
    static String hex(String s) { return hex(s.getBytes(StandardCharsets.UTF_8)); }
    static void line(Object... fields) {
        out.print(Arrays.stream(fields).map(String::valueOf).collect(Collectors.joining("\t")) + "\n");
    }
    static String text(int most) {
        StringBuilder b = new StringBuilder();
        for (int n = below(most + 1); n > 0; --n) b.appendCodePoint(one(8) ? 0xC0 + below(0x2000) : one(30) ? 0x1F600 + below(40) : 32 + below(95));
        return b.toString();
    }
    static String name() {
        StringBuilder b = new StringBuilder();
        for (int n = 1 + below(12); n > 0; --n) b.append((char) ('a' + below(26)));
        return b.toString();
    }
    static byte[] taken(ByteBuf b) { byte[] all = new byte[b.readableBytes()]; b.readBytes(all); return all; }

    // What a codec wrote, in the room it asked for.
    static <M extends Message> byte[] encoded(Message.Codec<M> codec, M message, ProtocolVersion version) {
        ByteBuf body = Unpooled.buffer(codec.encodedSize(message, version));
        codec.encode(message, body, version);
        return taken(body);
    }
    static void message(ProtocolVersion version, Message.Type type, byte[] body, String shown) {
        line("message", version.asInt(), type.opcode, hex(body), shown);
    }

    // Requests.

    static String shown(QueryOptions options) {
        StringBuilder b = new StringBuilder();
        b.append(options.getConsistency().code).append(' ').append(options.skipMetadata() ? "skip" : "all");
        b.append(' ').append(options.getPageSize()).append(' ').append(options.getSerialConsistency().code);
        b.append(" (");
        for (ByteBuffer value : options.getValues())
            b.append(value == null ? "null " : value == ByteBufferUtil.UNSET_BYTE_BUFFER ? "unset " : "x" + ByteBufferUtil.bytesToHex(value) + " ");
        return b.append(")").toString();
    }
    static List<ByteBuffer> values() {
        List<ByteBuffer> values = new ArrayList<>();
        for (int n = one(3) ? 0 : below(6); n > 0; --n) values.add(one(5) ? null : ByteBuffer.wrap(bytes(below(20))));
        return values;
    }
    static QueryOptions options(ProtocolVersion version) {
        ConsistencyLevel serial = one(2) ? ConsistencyLevel.SERIAL : ConsistencyLevel.LOCAL_SERIAL;
        long timestamp = one(2) ? Long.MIN_VALUE : random.nextLong() >> below(40);
        String keyspace = version.isGreaterOrEqualTo(ProtocolVersion.V5) && one(3) ? name() : null;
        int page = one(2) ? -1 : 1 + below(100000);
        return QueryOptions.create(LEVELS[below(LEVELS.length)], values(), one(2), page, null, serial, version, keyspace, timestamp,
            one(2) ? Long.MIN_VALUE : below(Integer.MAX_VALUE));
    }
    // What the codec reads of its own bytes, with what it has no sight of shown by the message's fields.
    static void requests(ProtocolVersion version) {
        String text = text(60), keyspace = one(2) ? null : name();
        QueryOptions options = options(version);
        byte[] body = encoded(QueryMessage.codec, new QueryMessage(text, options), version);
        QueryMessage query = QueryMessage.codec.decode(Unpooled.wrappedBuffer(body), version);
        message(version, Message.Type.QUERY, body, hex(query.query) + " " + shown(query.options));

        byte[] prepare = encoded(PrepareMessage.codec, new PrepareMessage(text, keyspace), version);
        boolean told = keyspace != null && version.isGreaterOrEqualTo(ProtocolVersion.V5);
        message(version, Message.Type.PREPARE, prepare, hex(text) + " " + (told ? hex(keyspace) : "null"));

        MD5Digest id = MD5Digest.wrap(bytes(16)), metadata = MD5Digest.wrap(bytes(16));
        body = encoded(ExecuteMessage.codec, new ExecuteMessage(id, metadata, options(version)), version);
        ExecuteMessage execute = ExecuteMessage.codec.decode(Unpooled.wrappedBuffer(body), version);
        message(version, Message.Type.EXECUTE, body, hex(execute.statementId.bytes) + " " +
            (execute.resultMetadataId == null ? "" : hex(execute.resultMetadataId.bytes)) + " " + shown(execute.options));

        List<Object> parts = new ArrayList<>();
        List<List<ByteBuffer>> all = new ArrayList<>();
        for (int n = below(5); n > 0; --n) {
            parts.add(one(2) ? text(40) : MD5Digest.wrap(bytes(16)));
            all.add(values());
        }
        var kind = org.apache.cassandra.cql3.statements.BatchStatement.Type.values()[below(3)];
        QueryOptions of = QueryOptions.create(LEVELS[below(LEVELS.length)], List.of(), false, -1, null, ConsistencyLevel.SERIAL, version,
            null, one(2) ? Long.MIN_VALUE : random.nextLong(), Long.MIN_VALUE);
        body = encoded(BatchMessage.codec, new BatchMessage(kind, parts, all, of), version);
        BatchMessage batch = BatchMessage.codec.decode(Unpooled.wrappedBuffer(body), version);
        StringBuilder b = new StringBuilder(batch.batchType.ordinal() + " ");
        for (int i = 0; i < batch.queryOrIdList.size(); ++i) {
            Object part = batch.queryOrIdList.get(i);
            b.append(part instanceof String ? "text " + hex((String) part) : "id " + hex(((MD5Digest) part).bytes)).append(" (");
            for (ByteBuffer value : batch.values.get(i)) b.append(value == null ? "null " : "x" + ByteBufferUtil.bytesToHex(value) + " ");
            b.append(") ");
        }
        message(version, Message.Type.BATCH, body, b + shown(batch.options));

        Map<String, String> startup = new TreeMap<>(Map.of("CQL_VERSION", "3.0.0", "DRIVER_NAME", text(20)));
        message(version, Message.Type.STARTUP, encoded(StartupMessage.codec, new StartupMessage(startup), version),
            startup.entrySet().stream().map(e -> e.getKey() + "=" + hex(e.getValue())).collect(Collectors.joining(" ")));
        byte[] token = bytes(below(30));
        message(version, Message.Type.AUTH_RESPONSE, encoded(AuthResponse.codec, new AuthResponse(token), version), "x" + hex(token));
    }

    // What servers send.

    static String shown(List<ColumnSpecification> columns) {
        return columns.stream().map(c -> c.ksName + "." + c.cfName + "." + hex(c.name.toString()))
            .collect(Collectors.joining(" "));
    }
    static List<ColumnSpecification> columns(int least) {
        List<ColumnSpecification> columns = new ArrayList<>();
        boolean same = !one(4);
        String keyspace = name(), table = name();
        for (int n = least + below(8); n > 0; --n)
            columns.add(new ColumnSpecification(same ? keyspace : name(), same ? table : name(), new ColumnIdentifier(text(10) + "c", true),
                TYPES[below(TYPES.length)]));
        return columns;
    }
    static void results(ProtocolVersion version) {
        message(version, Message.Type.RESULT, encoded(ResultMessage.codec, new ResultMessage.Void(), version), "void");
        String keyspace = name();
        message(version, Message.Type.RESULT, encoded(ResultMessage.codec, new ResultMessage.SetKeyspace(keyspace), version), "keyspace " + keyspace);

        List<ColumnSpecification> columns = columns(1);
        ResultSet set = new ResultSet(new ResultSet.ResultMetadata(new ArrayList<>(columns)));
        for (int rows = below(5); rows > 0; --rows) {
            List<ByteBuffer> row = new ArrayList<>();
            for (int i = 0; i < columns.size(); ++i) row.add(one(6) ? null : ByteBuffer.wrap(bytes(below(30))));
            set.addRow(row);
        }
        boolean changed = version.isGreaterOrEqualTo(ProtocolVersion.V5) && one(3), skipped = !changed && one(3);
        if (changed) set.metadata.setMetadataChanged();
        if (skipped) set.metadata.setSkipMetadata();
        message(version, Message.Type.RESULT, encoded(ResultMessage.codec, new ResultMessage.Rows(set), version),
            "rows " + set.size() + " " + (skipped ? "skipped" : shown(columns)));

        List<ColumnSpecification> markers = columns(0), results = one(3) ? List.of() : columns(1);
        short[] key = one(2) ? null : new short[] {(short) below(9), (short) below(9)};
        ResultSet.PreparedMetadata bound = new ResultSet.PreparedMetadata(markers, key);
        ResultSet.ResultMetadata of = results.isEmpty() ? ResultSet.ResultMetadata.EMPTY : new ResultSet.ResultMetadata(new ArrayList<>(results));
        MD5Digest id = MD5Digest.wrap(bytes(16));
        message(version, Message.Type.RESULT, encoded(ResultMessage.codec, new ResultMessage.Prepared(id, of.getResultMetadataId(), bound, of), version),
            "prepared " + hex(id.bytes) + " " + shown(markers) + " -> " + shown(results));

        var changes = Event.SchemaChange.Change.values();
        var targets = Event.SchemaChange.Target.values();
        var target = targets[below(targets.length)];
        boolean arguments = target == Event.SchemaChange.Target.FUNCTION || target == Event.SchemaChange.Target.AGGREGATE;
        if (arguments && version == ProtocolVersion.V3) target = Event.SchemaChange.Target.TYPE;
        arguments &= version != ProtocolVersion.V3;
        var change = changes[below(changes.length)];
        String table = target == Event.SchemaChange.Target.KEYSPACE ? null : name();
        List<String> types = arguments ? List.of("int", name()) : null;
        Event.SchemaChange event = new Event.SchemaChange(change, target, keyspace, table, types);
        String shown = change + " " + target + " " + keyspace + " " + (table == null ? "" : table) + " " + (types == null ? "" : String.join(",", types));
        message(version, Message.Type.RESULT, encoded(ResultMessage.codec, new ResultMessage.SchemaChange(event), version), "change " + shown);
        message(version, Message.Type.EVENT, encoded(EventMessage.codec, new EventMessage(event), version), "change " + shown);
    }

    static void others(ProtocolVersion version) {
        message(version, Message.Type.AUTHENTICATE, encoded(AuthenticateMessage.codec, new AuthenticateMessage("a.b.C"), version), "a.b.C");
        byte[] token = bytes(below(30));
        message(version, Message.Type.AUTH_CHALLENGE, encoded(AuthChallenge.codec, new AuthChallenge(token), version), "x" + hex(token));
        message(version, Message.Type.AUTH_SUCCESS, encoded(AuthSuccess.codec, new AuthSuccess(null), version), "null");
        Map<String, List<String>> supported = new TreeMap<>(Map.of("A", List.of(text(9), "b"), "B", List.of()));
        message(version, Message.Type.SUPPORTED, encoded(SupportedMessage.codec, new SupportedMessage(supported), version),
            supported.entrySet().stream().map(e -> e.getKey() + "=" + e.getValue().stream().map(v -> hex(v)).collect(Collectors.joining(","))).collect(Collectors.joining(" ")));
        String text = text(50);
        String[][] failures = {{"invalid"}, {"syntax"}, {"exists", name(), one(2) ? "" : name()}, {"unprepared", hex(bytes(16))}};
        for (String[] failure : failures) {
            Throwable thrown = switch (failure[0]) {
                case "invalid" -> new org.apache.cassandra.exceptions.InvalidRequestException(text);
                case "syntax" -> new org.apache.cassandra.exceptions.SyntaxException(text);
                case "exists" -> failure[2].isEmpty() ? new org.apache.cassandra.exceptions.AlreadyExistsException(failure[1])
                    : new org.apache.cassandra.exceptions.AlreadyExistsException(failure[1], failure[2]);
                default -> new org.apache.cassandra.exceptions.PreparedQueryNotFoundException(MD5Digest.wrap(ByteBufferUtil.getArray(ByteBufferUtil.hexToBytes(failure[1]))));
            };
            ErrorMessage error = ErrorMessage.fromTransportException((org.apache.cassandra.exceptions.TransportException) thrown);
            message(version, Message.Type.ERROR, encoded(ErrorMessage.codec, error, version),
                error.error.code().value + " " + hex(thrown.getMessage()) + " " + String.join(" ", Arrays.copyOfRange(failure, 1, failure.length)));
        }
        ConsistencyLevel level = LEVELS[below(LEVELS.length)];
        Throwable[] replicas = {org.apache.cassandra.exceptions.UnavailableException.create(level, 3, 1),
            new org.apache.cassandra.exceptions.WriteTimeoutException(org.apache.cassandra.db.WriteType.BATCH, level, 1, 2),
            new org.apache.cassandra.exceptions.ReadTimeoutException(level, 1, 2, one(2)),
            new org.apache.cassandra.exceptions.WriteFailureException(level, 1, 2, org.apache.cassandra.db.WriteType.SIMPLE, Map.of()),
            new org.apache.cassandra.exceptions.ReadFailureException(level, 1, 2, one(2), Map.of())};
        for (Throwable thrown : replicas) {
            if (version == ProtocolVersion.V3 && thrown instanceof org.apache.cassandra.exceptions.RequestFailureException) continue;
            ErrorMessage error = ErrorMessage.fromTransportException((org.apache.cassandra.exceptions.TransportException) thrown);
            message(version, Message.Type.ERROR, encoded(ErrorMessage.codec, error, version), error.error.code().value + " " + hex(thrown.getMessage()) + " ");
        }
    }

    static void segments() throws Exception {
        byte[] payload = bytes(below(one(4) ? 5000 : 300));
        if (one(2)) Arrays.fill(payload, payload.length / 3, payload.length, (byte) below(256));
        boolean contained = one(2);
        for (String kind : List.of("plain", "lz4")) {
            FrameEncoder encoder = kind.equals("plain") ? FrameEncoderCrc.instance : FrameEncoderLZ4.fastInstance;
            FrameEncoder.Payload made = encoder.allocator().allocate(contained, payload.length);
            made.buffer.put(payload);
            made.finish();
            Method encode = encoder.getClass().getDeclaredMethod("encode", boolean.class, ByteBuffer.class);
            encode.setAccessible(true);
            line("segment", kind, contained ? 1 : 0, hex(payload), hex(taken((ByteBuf) encode.invoke(encoder, contained, made.buffer))));
        }
    }
    static void bodies() throws Exception {
        byte[] body = bytes(below(one(4) ? 5000 : 300));
        if (one(2)) Arrays.fill(body, body.length / 3, body.length, (byte) below(256));
        Envelope.Header header = Envelope.Header.dummy(1, Message.Type.QUERY);
        line("body", "lz4", hex(body), hex(taken(Compressor.LZ4Compressor.instance.compress(new Envelope(header, Unpooled.wrappedBuffer(body))).body)));
        line("body", "snappy", hex(body), hex(taken(Compressor.SnappyCompressor.instance.compress(new Envelope(header, Unpooled.wrappedBuffer(body))).body)));
    }

    public static void main(String[] words) throws Exception {
        random = new Random(Long.parseLong(words[0]));
        DatabaseDescriptor.clientInitialization(false);
        try (PrintStream to = new PrintStream(words[2], StandardCharsets.UTF_8)) {
            out = to;
            for (int round = Integer.parseInt(words[1]); round > 0; --round) {
                for (ProtocolVersion version : VERSIONS) { requests(version); results(version); others(version); }
                segments();
                bodies();
            }
        }
        System.exit(0);
    }
}
