// Sets the fields of Kafka's message objects to values that are the same in every run and nowhere the default.
import java.lang.reflect.Field;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Objects;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.record.internal.MemoryRecords;

/** Each value is made from a count, so no two fields of a message hold the same. */
final class Filler {
    private int count = 0;

    /** A new object as its class makes it, but with something empty where null cannot be written in this version. */
    static Object fresh(Class<?> struct, int version) throws ReflectiveOperationException {
        Object object = struct.getDeclaredConstructor().newInstance();
        Shape shape = new Shape(struct);
        for (Field field : shape.fields) {
            Shape.Wire wire = shape.wire(field, version);
            if (field.get(object) == null && wire != null && !wire.type().isNullable()) field.set(object, empty(field));
        }
        return object;
    }

    private static Object empty(Field field) throws ReflectiveOperationException {
        Class<?> type = field.getType();
        if (type == String.class) return "";
        if (type == byte[].class) return new byte[0];
        if (type == ByteBuffer.class) return ByteBuffer.allocate(0);
        if (Collection.class.isAssignableFrom(type)) return collection(type);
        if (type.getSimpleName().equals("BaseRecords")) return MemoryRecords.EMPTY;
        return type.getDeclaredConstructor().newInstance();
    }

    /** Every field of the version set, two elements in each array. */
    Object full(Class<?> struct, int version) throws ReflectiveOperationException {
        Object object = struct.getDeclaredConstructor().newInstance();
        Shape shape = new Shape(struct);
        for (Field field : shape.fields) {
            Shape.Wire wire = shape.wire(field, version);
            if (wire != null) field.set(object, other(field, wire, field.get(object), version));
        }
        return object;
    }

    /** Null what may be null, one element in each array, the rest as `fresh` has it. */
    static Object nulls(Class<?> struct, int version) throws ReflectiveOperationException {
        Object object = fresh(struct, version);
        Shape shape = new Shape(struct);
        for (Field field : shape.fields) {
            Shape.Wire wire = shape.wire(field, version);
            if (wire == null) continue;
            if (wire.type().isNullable()) {
                field.set(object, null);
            } else if (wire.type().isArray() && Shape.isStruct(Shape.elementClass(field))) {
                Collection<Object> list = collection(field.getType());
                list.add(nulls(Shape.elementClass(field), version));
                field.set(object, list);
            } else if (Shape.isStruct(field.getType()) && wire.tag() < 0) {
                field.set(object, nulls(field.getType(), version));
            }
        }
        return object;
    }

    /** A value that is not `given`. */
    Object other(Field field, Shape.Wire wire, Object given, int version) throws ReflectiveOperationException {
        if (wire.type().isArray()) {
            Collection<Object> list = collection(field.getType());
            for (int i = 0; i < 2; i++) list.add(one(Shape.elementClass(field), wire, version));
            return list;
        }
        if (field.getType() == boolean.class) return !(Boolean) given;
        Object value = one(field.getType(), wire, version);
        while (Objects.equals(value, given)) value = one(field.getType(), wire, version);
        return value;
    }

    private Object one(Class<?> type, Shape.Wire wire, int version) throws ReflectiveOperationException {
        if (Shape.isStruct(type)) return full(type, version);
        int n = ++count;
        String kind = wire.element().toString();
        if (type == boolean.class || type == Boolean.class) return n % 2 == 0;
        if (type == byte.class || type == Byte.class) return (byte) (n * 37 + 5);
        if (type == short.class || type == Short.class) return (short) (n * 9973 + 517);
        if (kind.equals("UINT16")) return (n * 40503 + 40000) & 0xffff;
        if (type == int.class || type == Integer.class) return n * 0x5bd1e995 + 0x01020304;
        if (kind.equals("UNSIGNED_INT32")) return (n * 0x9e3779b97f4a7c15L) >>> 32;
        if (type == long.class || type == Long.class) return n * 0x9e3779b97f4a7c15L + 0x0102030405060708L;
        if (type == double.class || type == Double.class) return -n * 1.5e-3;
        if (type == Uuid.class) return new Uuid(n * 0x9e3779b97f4a7c15L, n * 0x5851f42d4c957f2dL);
        if (type == String.class) return (n % 5 == 0 ? "tëxt " : n % 7 == 0 ? "a longer text than others " : "text ") + n;
        byte[] bytes = ("bytes\0" + n).getBytes(StandardCharsets.UTF_8);
        if (type == byte[].class) return bytes;
        if (type == ByteBuffer.class) return ByteBuffer.wrap(bytes);
        if (type.getSimpleName().equals("BaseRecords")) return MemoryRecords.readableRecords(ByteBuffer.wrap(bytes));
        throw new IllegalStateException("no value for a " + type);
    }

    @SuppressWarnings("unchecked")
    private static Collection<Object> collection(Class<?> type) throws ReflectiveOperationException {
        return type.isInterface() ? new ArrayList<>() : (Collection<Object>) type.getConstructor().newInstance();
    }
}
