// Writes what Cassandra's own types answer to random values, a line a question, for src/cql_types:
// `CqlVectors SEED ROUNDS FILE`. Fields are between tabs; \t, \n, \r and \\ are escaped, bytes are
// hexadecimal, and an answer that is an error begins with '!'.
import java.io.IOException;
import java.io.PrintStream;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.*;
import org.apache.cassandra.config.DatabaseDescriptor;
import org.apache.cassandra.cql3.*;
import org.apache.cassandra.cql3.functions.*;
import org.apache.cassandra.db.marshal.*;
import org.apache.cassandra.dht.Murmur3Partitioner;
import org.apache.cassandra.schema.*;
import org.apache.cassandra.serializers.*;
import org.apache.cassandra.transport.ProtocolVersion;
import org.apache.cassandra.utils.ByteBufferUtil;
import org.apache.cassandra.utils.JsonUtils;
import org.apache.cassandra.utils.TimeUUID;

public class CqlVectors {
    static Random random;
    static Types types;
    static PrintStream out;
    static final String[] NATIVE = {"ascii", "bigint", "blob", "boolean", "date", "decimal", "double", "duration", "float",
        "inet", "int", "smallint", "text", "time", "timestamp", "timeuuid", "tinyint", "uuid", "varint"};
    static final String[] NESTED = {"frozen<list<int>>", "frozen<set<text>>", "frozen<map<text, int>>",
        "frozen<map<int, frozen<list<text>>>>", "frozen<tuple<int, text, timeuuid>>", "frozen<address>", "vector<float, 3>",
        "vector<text, 2>", "frozen<set<timeuuid>>", "frozen<list<decimal>>", "frozen<tuple<decimal, frozen<tuple<int, int>>>>",
        "frozen<map<uuid, boolean>>", "vector<smallint, 2>", "vector<vector<int, 2>, 2>", "frozen<list<varint>>",
        "frozen<map<frozen<tuple<int, text>>, double>>", "frozen<set<inet>>", "frozen<list<frozen<address>>>"};

    static AbstractType<?> type(String text) {
        CQL3Type.Raw raw = CQLFragmentParser.parseAny(CqlParser::comparatorType, text, "CQL type");
        return raw.prepare("ks", types).getType();
    }
    static int below(int n) { return random.nextInt(n); }
    static boolean one(int n) { return below(n) == 0; }
    static String hex(ByteBuffer b) { return b == null ? "null" : ByteBufferUtil.bytesToHex(b); }
    static ByteBuffer bytes(int n) { byte[] b = new byte[n]; random.nextBytes(b); return ByteBuffer.wrap(b); }
    static String escaped(String s) {
        return s.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r");
    }
    static void line(String... fields) {
        StringBuilder b = new StringBuilder();
        for (String f : fields) { if (b.length() > 0) b.append('\t'); b.append(escaped(f)); }
        out.println(b);
    }
    interface Answer { String get() throws Exception; }
    static String answer(Answer a) {
        try { return a.get(); }
        catch (MarshalException | org.apache.cassandra.exceptions.RequestValidationException e) { return "!" + e.getMessage().replaceFirst("^Failed parsing CQL type: .* reason: SyntaxException ", ""); }
        catch (Throwable e) { return null; }
    }
    static void ask(Answer a, String... fields) {
        String got = answer(a);
        if (got == null) return;
        String[] all = Arrays.copyOf(fields, fields.length + 1);
        all[fields.length] = got;
        line(all);
    }

    static BigInteger big() { return one(3) ? BigInteger.valueOf(below(600) - 300) : new BigInteger(1 + below(one(8) ? 900 : 90), random).multiply(BigInteger.valueOf(one(2) ? 1 : -1)); }
    static long time() { return one(4) ? random.nextLong() : one(3) ? below(100000) - 50000 : (long) (random.nextGaussian() * 2e12); }
    static String text(boolean ascii) {
        StringBuilder b = new StringBuilder();
        for (int n = one(6) ? 0 : below(10); n > 0; --n) {
            int c = one(6) ? below(32) : ascii || one(2) ? 32 + below(95) : one(3) ? "'\"\\:@\u007f\u00e9\u20ac".charAt(below(8)) : 0x80 + below(0x500);
            if (ascii && c > 127) c = 'x';
            b.appendCodePoint(!ascii && one(15) ? 0x1F600 + below(40) : c);
        }
        return b.toString();
    }
    // Java's text of it is the shortest that reads back, which it is not always before JDK 19.
    static boolean shortest(double d, boolean single) {
        if (Double.isNaN(d) || Double.isInfinite(d) || d == 0) return true;
        String text = single ? Float.toString((float) d) : Double.toString(d);
        int digits = new BigDecimal(text).stripTrailingZeros().precision();
        for (int n = 1; n < digits; ++n) {
            String less = new BigDecimal(d).round(new java.math.MathContext(n)).toString();
            if (single ? Float.parseFloat(less) == (float) d : Double.parseDouble(less) == d) return false;
        }
        BigDecimal nearest = new BigDecimal(d).round(new java.math.MathContext(digits));
        return nearest.compareTo(new BigDecimal(text)) == 0;
    }
    static boolean shortestWithin(Object json) {
        if (json instanceof Double) return shortest((Double) json, false);
        if (json instanceof Map) json = new ArrayList<Object>(((Map<?, ?>) json).values());
        return !(json instanceof List) || ((List<?>) json).stream().allMatch(CqlVectors::shortestWithin);
    }
    static double real() {
        switch (below(8)) {
            case 0: return Double.longBitsToDouble(random.nextLong());
            case 1: return below(2000) - 1000;
            case 2: return (below(200000) - 100000) / 1000.0;
            case 3: return new double[] {0.0, -0.0, Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, 1e7, 1e-3, 9999999.5, Double.MAX_VALUE}[below(9)];
            default: return random.nextGaussian() * Math.pow(10, below(30) - 15);
        }
    }
    static ByteBuffer value(AbstractType<?> t) {
        if (t.allowsEmpty() && !t.isCollection() && !(t instanceof TupleType) && one(25)) return ByteBufferUtil.EMPTY_BYTE_BUFFER;
        if (t instanceof AsciiType) return ByteBufferUtil.bytes(text(true));
        if (t instanceof UTF8Type) return ByteBufferUtil.bytes(text(false));
        if (t instanceof LongType) return ByteBufferUtil.bytes(time());
        if (t instanceof TimestampType) return ByteBufferUtil.bytes(one(9) ? time() : (long) (random.nextGaussian() * 3e13));
        if (t instanceof BytesType) return bytes(below(9));
        if (t instanceof BooleanType) return ByteBuffer.wrap(new byte[] {(byte) below(3)});
        if (t instanceof SimpleDateType) return ByteBufferUtil.bytes(one(3) ? random.nextInt() : Integer.MIN_VALUE + below(60000) - 20000);
        if (t instanceof DecimalType) return one(9) ? DecimalType.instance.decompose(new BigDecimal(big(), random.nextInt()))
            : DecimalType.instance.decompose(new BigDecimal(big(), below(60) - 30));
        if (t instanceof DoubleType) { double d; do d = real(); while (!shortest(d, false)); return ByteBufferUtil.bytes(d); }
        if (t instanceof FloatType) { float f; do f = one(3) ? Float.intBitsToFloat(random.nextInt()) : (float) real(); while (!shortest(f, true)); return ByteBufferUtil.bytes(f); }
        if (t instanceof DurationType) { int s = one(2) ? 1 : -1; return DurationType.instance.decompose(Duration.newInstance(s * below(one(2) ? 40 : 1 << 30), s * below(one(2) ? 40 : 1 << 30), s * (one(2) ? below(1 << 30) : random.nextLong() >>> 1))); }
        if (t instanceof InetAddressType) return one(5) ? ByteBufferUtil.hexToBytes("00000000000000000000ffff0a000001") : bytes(one(2) ? 4 : 16);
        if (t instanceof Int32Type) return ByteBufferUtil.bytes(one(2) ? random.nextInt() : below(20) - 10);
        if (t instanceof ShortType) return bytes(2);
        if (t instanceof ByteType) return bytes(1);
        if (t instanceof TimeType) return ByteBufferUtil.bytes((long) (random.nextDouble() * 86400e9));
        if (t instanceof TimeUUIDType) { ByteBuffer b = bytes(16); if (one(3)) b.putInt(0, below(3)); b.put(6, (byte) (0x10 | below(one(2) ? 1 : 16))); return b; }
        if (t instanceof UUIDType) { ByteBuffer b = bytes(16); b.put(6, (byte) ((one(3) ? 0x10 : one(2) ? 0x40 : below(256) & 0xf0) | below(16))); return b; }
        if (t instanceof IntegerType) { ByteBuffer b = IntegerType.instance.decompose(big()); return one(5) ? ByteBufferUtil.hexToBytes((b.get(0) < 0 ? "ff" : "00") + hex(b)) : b; }
        if (t instanceof VectorType) { VectorType<?> v = (VectorType<?>) t; List<ByteBuffer> l = new ArrayList<>(); for (int i = 0; i < v.dimension; ++i) { ByteBuffer e; do e = value(v.elementType); while (!e.hasRemaining()); l.add(e); } return v.decomposeRaw(l, ByteBufferAccessor.instance); }
        if (t instanceof TupleType) { int n = ((TupleType) t).size(); ByteBuffer[] f = new ByteBuffer[one(4) ? 1 + below(n) : n]; for (int i = 0; i < f.length; ++i) f[i] = one(5) ? null : value(((TupleType) t).type(i)); return TupleType.buildValue(f); }
        CollectionType<?> c = (CollectionType<?>) t;
        int n = below(4);
        if (c instanceof ListType) { List<ByteBuffer> l = new ArrayList<>(); for (int i = 0; i < n; ++i) l.add(value(c.valueComparator())); return CollectionSerializer.pack(l, n); }
        TreeMap<ByteBuffer, ByteBuffer> m = new TreeMap<>(c.nameComparator());
        for (int i = 0; i < n; ++i) m.put(value(c.nameComparator()), c instanceof MapType ? value(c.valueComparator()) : ByteBufferUtil.EMPTY_BYTE_BUFFER);
        List<ByteBuffer> l = new ArrayList<>();
        for (Map.Entry<ByteBuffer, ByteBuffer> e : m.entrySet()) { l.add(e.getKey()); if (c instanceof MapType) l.add(e.getValue()); }
        return CollectionSerializer.pack(l, m.size());
    }
    static ByteBuffer damaged(ByteBuffer b) {
        byte[] a = ByteBufferUtil.getArray(b);
        if (a.length > 0 && one(2)) a[below(a.length)] = (byte) (one(2) ? below(256) : 0xff);
        if (one(2)) a = Arrays.copyOf(a, one(2) ? below(a.length + 1) : a.length + below(5));
        return ByteBuffer.wrap(a);
    }
    static String mutated(String s, String letters) {
        StringBuilder b = new StringBuilder(s);
        for (int n = below(3); n > 0; --n) {
            int at = below(b.length() + 1);
            if (one(2)) b.insert(at, letters.charAt(below(letters.length())));
            else if (at < b.length()) { if (one(2)) b.deleteCharAt(at); else b.setCharAt(at, letters.charAt(below(letters.length()))); }
        }
        return b.toString();
    }
    static String timeText() {
        String date = one(3) ? (1 + below(3000)) + "-" + (1 + below(13)) + "-" + (1 + below(32)) : String.format("%04d-%02d-%02d", 1900 + below(300), 1 + below(12), 1 + below(31));
        String[] zones = {"", "", "Z", " Z", "+01", "+0130", "+01:30", " +0200", " -05:00", "-11", " UTC", " GMT", "z", " +02"};
        String zone = zones[below(zones.length)];
        if (one(3)) return date + zone;
        String clock = one(2) ? below(25) + ":" + below(61) : String.format("%02d:%02d:%02d", below(25), below(60), below(60));
        if (one(2)) clock += "." + below(one(2) ? 1000 : 1000000000);
        return date + (one(2) ? "T" : " ") + clock + zone;
    }
    static String durationText() {
        String[] units = {"y", "mo", "w", "d", "h", "m", "s", "ms", "us", "\u00b5s", "ns"};
        StringBuilder b = new StringBuilder(one(3) ? "-" : "");
        switch (below(4)) {
            case 0: return b + String.format("P%04d-%02d-%02dT%02d:%02d:%02d", below(100), below(20), below(40), below(30), below(70), below(70));
            case 1: b.append('P'); if (one(2)) b.append(below(90)).append('Y'); if (one(2)) b.append(below(90)).append('M'); if (one(2)) b.append(below(90)).append('D'); if (one(2)) { b.append('T'); if (one(2)) b.append(below(90)).append('H'); if (one(2)) b.append(below(90)).append('S'); } return b.toString();
            default:
                for (String u : units) if (one(3)) b.append(one(20) ? random.nextLong() >>> 1 : below(5000)).append(one(5) ? u.toUpperCase() : u);
                return b.toString();
        }
    }
    static String sourceText(AbstractType<?> t) {
        if (t instanceof TimestampType && !one(4)) return timeText();
        if (t instanceof DurationType && !one(4)) return durationText();
        if (t instanceof BytesType) return mutated(hex(bytes(below(6))), "0aF g");
        if (t instanceof InetAddressType && one(3)) return new String[] {"::1", "::", "1.2.3.4", "10.1", "1.2.65535", "256.1.1.1", "::ffff:1.2.3.4", "fe80::1", "1:2:3:4:5:6:7:8", "1:2", "[::1]", "::1.2.3.4", "12345", "1.2.3.4.5", "ABCD::"}[below(15)];
        if ((t instanceof DoubleType || t instanceof FloatType) && one(3)) return new String[] {"NaN", "Infinity", "-Infinity", "+1", "1.", ".5", "1e400", "1e-400", "0x1p3", " 1 ", "1f", "1d", "1e", "e1", "nan", "-", "0x1.8p1", "1_0", "+NaN", "1e+05"}[below(20)];
        ByteBuffer b; do b = value(t); while (!b.hasRemaining());
        String s = ((TypeSerializer<Object>) t.getSerializer()).toString(t.compose(b));
        if (t instanceof StringType) return s;
        return one(2) ? s : mutated(s, "0123456789+-.eE:TZ aF,");
    }

    static void askAll(String name, int rounds) {
        AbstractType<Object> t = (AbstractType<Object>) type(name);
        for (int i = 0; i < rounds; ++i) {
            ByteBuffer v = value(t), w = one(9) ? v : value(t);
            ByteBuffer d = damaged(v);
            ask(() -> { t.validate(d); return "ok"; }, "validate", name, hex(d));
            ask(() -> { t.validate(v); return "ok"; }, "validate", name, hex(v));
            ask(() -> Integer.toString(Integer.signum(t.compare(v, w))), "compare", name, hex(v), hex(w));
            ask(() -> t.toJSONString(v, ProtocolVersion.V5), "to_json", name, hex(v));
            ask(() -> t.asCQL3Type().toCQLLiteral(v), "literal", name, hex(v));
            String json = answer(() -> t.toJSONString(v, ProtocolVersion.V5));
            if (json == null || one(8)) json = new String[] {"1", "-7", "1.5", "1e3", "\"1\"", "true", "[1, 2]", "{\"a\": 1}", "[null]", "{\"a\": null}", "99999999999", "123456789012345678901234567890", "\"x\"", "\"\"", "[]", "{}", "[1]", "[1, \"a\"]", "\"[1]\"", "300", "\"0x0g\""}[below(21)];
            if (one(3)) json = mutated(json, "0123456789\",[]{}: ");
            String j = json;
            Object parsed;
            try { parsed = JsonUtils.decodeJson(j); } catch (MarshalException e) { parsed = null; }
            Object p = parsed;
            boolean escapes = !j.matches("(?s).*\\\\u(?![0-9a-fA-F]{4}).*");  // its reader takes other letters as digits
            if (p != null && escapes && shortestWithin(p) && JsonUtils.writeAsJsonString(p).length() >= j.trim().length() / 2)
                ask(() -> hex(t.fromJSONObject(p).bindAndGet(QueryOptions.DEFAULT)), "from_json", name, j);
            if (!t.isCollection() && !t.isTuple() && !t.isUDT() && !t.isVector()) {
                String s = sourceText(t);
                ask(() -> hex(t.fromString(s)), "from_text", name, s);
            }
        }
    }
    static void casts(int rounds) {
        for (String from : NATIVE) for (String to : new String[] {"tinyint", "smallint", "int", "bigint", "float", "double", "decimal", "varint", "text", "ascii", "date", "timestamp"}) {
            for (Function f : NativeFunctions.instance.getFunctions(FunctionName.nativeFunction("cast_as_" + to))) {
                if (!f.argTypes().get(0).equals(type(from))) continue;
                ScalarFunction s = (ScalarFunction) f;
                for (int i = 0; i < rounds; ++i) {
                    ByteBuffer v = value(type(from));
                    ask(() -> { Arguments a = s.newArguments(ProtocolVersion.V5); a.set(0, v); return hex(s.execute(a)); }, "cast", from, hex(v), to);
                }
            }
        }
    }
    static void typeTexts() {
        String[] texts = {"int", "VARCHAR", "text", "list<int>", "list<list<int>>", "frozen<list<list<int>>>", "map<text, frozen<list<int>>>", "map<text, list<int>>",
            "set<counter>", "list<counter>", "map<counter, int>", "set<duration>", "list<duration>", "map<duration, int>", "map<int, duration>", "tuple<int, list<text>>", "tuple<counter>",
            "frozen<tuple<int>>", "frozen<int>", "address", "frozen<address>", "list<address>", "list<frozen<address>>", "frozen<list<address>>", "ks.address", "other.address", "nothing",
            "list<nothing>", "vector<float, 3>", "vector<float, 0>", "vector<list<int>, 2>", "vector<frozen<list<int>>, 2>", "vector<address, 2>", "list<vector<int, 2>>", "frozen<vector<int, 2>>",
            "set<tuple<int, text>>", "frozen<set<set<set<int>>>>", "map<frozen<map<int, int>>, frozen<set<int>>>", "'org.apache.cassandra.db.marshal.Int32Type'",
            "'org.apache.cassandra.db.marshal.LexicalUUIDType'", "\"Odd\"", "frozen<\"Odd\">", "map<address, int>", "frozen<map<address, int>>", "duration", "counter", "tuple<address>",
            "tuple<duration>", "vector<counter, 2>", "vector<duration, 2>", "list<varchar>", "frozen<varchar>", "set<list<duration>>", "vector<tuple<int>, 2>", "tuple<vector<int, 2>>"};
        for (String s : texts)
            ask(() -> { AbstractType<?> t = type(s); return t.asCQL3Type() + " = " + t; }, "type", s);
    }

    public static void main(String[] args) throws IOException {
        out = new PrintStream(args[2], StandardCharsets.UTF_8);
        random = new Random(Long.parseLong(args[0]));
        int rounds = Integer.parseInt(args[1]);
        DatabaseDescriptor.clientInitialization();
        DatabaseDescriptor.setPartitionerUnsafe(Murmur3Partitioner.instance);
        Types.RawBuilder raw = Types.rawBuilder("ks");
        raw.add("address", Arrays.asList("street", "zip", "Lines"), Arrays.asList("text", "int", "frozen<list<text>>"));
        raw.add("Odd", Arrays.asList("a"), Arrays.asList("int"));
        types = raw.build();
        typeTexts();
        for (String name : NATIVE) askAll(name, rounds);
        for (String name : NESTED) askAll(name, rounds);
        casts(Math.max(1, rounds / 3));
        for (int i = 0; i < rounds * 3; ++i) {
            ByteBuffer key = bytes(1 + below(50));
            ask(() -> Murmur3Partitioner.instance.getToken(key).getTokenValue().toString(), "token", "blob", hex(key));
        }
        for (int i = 0; i < rounds; ++i) {
            long ms = (long) (random.nextGaussian() * 3e12);
            line("timeuuid", "timeuuid", Long.toString(ms), hex(TimeUUID.minAtUnixMillis(ms).toBytes()) + hex(TimeUUID.maxAtUnixMillis(ms).toBytes()));
        }
        out.close();
        System.exit(0);
    }
}
