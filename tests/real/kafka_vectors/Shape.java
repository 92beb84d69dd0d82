// What Kafka's generated message classes say of themselves: fields, types, versions.
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.types.BoundField;
import org.apache.kafka.common.protocol.types.Field.TaggedFieldsSection;
import org.apache.kafka.common.protocol.types.Schema;
import org.apache.kafka.common.protocol.types.TaggedFields;
import org.apache.kafka.common.protocol.types.Type;

/** One message or struct class. */
final class Shape {
    /** How a field is written in one version; tag -1: in order. */
    record Wire(Type type, int tag) {
        Type element() {
            return type.isArray() ? type.arrayElementType().get() : type;
        }
    }

    final Class<?> struct;
    final List<Field> fields = new ArrayList<>();
    private final Schema[] schemas;

    Shape(Class<?> struct) throws ReflectiveOperationException {
        this.struct = struct;
        schemas = (Schema[]) struct.getField("SCHEMAS").get(null);
        for (Field field : struct.getDeclaredFields()) {
            boolean links = field.getName().equals("next") || field.getName().equals("prev");
            if (Modifier.isStatic(field.getModifiers()) || field.getName().startsWith("_") || links) continue;
            field.setAccessible(true);
            fields.add(field);
        }
    }

    TreeSet<Integer> versions() {
        TreeSet<Integer> found = new TreeSet<>();
        for (int v = 0; v < schemas.length; v++) if (schemas[v] != null) found.add(v);
        return found;
    }

    TreeSet<Integer> flexible() {
        TreeSet<Integer> found = new TreeSet<>();
        for (int v : versions()) {
            for (BoundField field : schemas[v].fields()) if (field.def instanceof TaggedFieldsSection) found.add(v);
        }
        return found;
    }

    /** The fields of a version by their names in the schema: those in order first, in wire order. */
    Map<String, Wire> wire(int version) {
        Map<String, Wire> found = new LinkedHashMap<>();
        for (BoundField field : schemas[version].fields()) {
            if (field.def instanceof TaggedFieldsSection) {
                ((TaggedFields) field.def.type).fields().forEach((tag, def) -> found.put(def.name, new Wire(def.type, tag)));
            } else {
                found.put(field.def.name, new Wire(field.def.type, -1));
            }
        }
        return found;
    }

    /** Null when the version has no such field. */
    Wire wire(Field field, int version) {
        return wire(version).get(schemaName(field));
    }

    /** Fails unless the class declares its fields in wire order. */
    void checkOrder() {
        for (int v : versions()) {
            List<String> declared = new ArrayList<>();
            List<String> wired = new ArrayList<>();
            for (Field field : fields) if (wire(field, v) != null && wire(field, v).tag() < 0) declared.add(schemaName(field));
            wire(v).forEach((name, how) -> { if (how.tag() < 0) wired.add(name); });
            if (!declared.equals(wired)) throw new IllegalStateException(struct + " v" + v + ": " + declared + " " + wired);
        }
    }

    static String schemaName(Field field) {
        return field.getName().replaceAll("([A-Z])", "_$1").toLowerCase(Locale.ROOT);
    }

    static boolean isStruct(Class<?> type) {
        return Message.class.isAssignableFrom(type);
    }

    /** The class of a collection's elements, else the field's own. */
    static Class<?> elementClass(Field field) {
        if (!Collection.class.isAssignableFrom(field.getType())) return field.getType();
        Object type = field.getGenericType() instanceof ParameterizedType ? field.getGenericType()
            : ((Class<?>) field.getGenericType()).getGenericSuperclass();
        return (Class<?>) ((ParameterizedType) type).getActualTypeArguments()[0];
    }

    /** In the words of the specs: "[]int32", "FetchPartition" … */
    static String typeName(Field field, Wire wire) {
        String name = wire.element() instanceof Schema ? elementClass(field).getSimpleName()
            : wire.element().toString().replace("COMPACT_", "").replace("NULLABLE_", "").toLowerCase(Locale.ROOT);
        name = name.equals("boolean") ? "bool" : name.equals("unsigned_int32") ? "uint32" : name;
        return (wire.type().isArray() ? "[]" : "") + name;
    }
}
