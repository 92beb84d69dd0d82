"""CQL's types and values for tests: bytes as literals that lose nothing, and literals as bytes.

A literal here is CQL's own, but for: `empty` is a value of no bytes where the type has no such literal, `!0x…` are
bytes that are no value of their type or not as one is usually written, and a user type shows only the fields that its
bytes hold."""
import datetime
import decimal
import ipaddress
import re
import struct
import uuid
from dataclasses import dataclass, field

NATIVE = {0x01: "ascii", 0x02: "bigint", 0x03: "blob", 0x04: "boolean", 0x05: "counter", 0x06: "decimal",
          0x07: "double", 0x08: "float", 0x09: "int", 0x0B: "timestamp", 0x0C: "uuid", 0x0D: "text", 0x0E: "varint",
          0x0F: "timeuuid", 0x10: "inet", 0x11: "date", 0x12: "time", 0x13: "smallint", 0x14: "tinyint",
          0x15: "duration"}
NUMBERS = {"bigint": ">q", "counter": ">q", "int": ">i", "smallint": ">h", "tinyint": ">b", "double": ">d",
           "float": ">f"}
MARSHAL = "org.apache.cassandra.db.marshal."
CLASSES = {"ByteType": "tinyint", "ShortType": "smallint", "Int32Type": "int", "LongType": "bigint",
           "FloatType": "float", "DoubleType": "double", "UTF8Type": "text", "AsciiType": "ascii",
           "BooleanType": "boolean", "IntegerType": "varint", "DecimalType": "decimal", "UUIDType": "uuid",
           "TimeUUIDType": "timeuuid", "TimestampType": "timestamp", "SimpleDateType": "date", "TimeType": "time",
           "InetAddressType": "inet", "DurationType": "duration", "BytesType": "blob"}
FIXED = {"int": 4, "bigint": 8, "float": 4, "double": 8, "boolean": 1, "uuid": 16, "timeuuid": 16,
         "timestamp": 8}  # sizes of a vector's elements; others go with a length
DAY = datetime.date(1970, 1, 1).toordinal()


class NoValue(ValueError):
    """The bytes are no value of the type, or the text no literal of it."""


@dataclass
class Type:
    kind: str
    parts: list = field(default_factory=list)
    name: str | None = None
    keyspace: str | None = None
    fields: list = field(default_factory=list)
    dimension: int = 0

    def __post_init__(self):
        if self.kind == "custom":
            vector = re.fullmatch(re.escape(MARSHAL) + r"VectorType\((.*) ?, ?(\d+)\)", self.name)
            if vector:
                self.kind, self.dimension = "vector", int(vector.group(2))
                self.parts = [class_type(vector.group(1).strip())]

    @staticmethod
    def native(code):
        return Type(NATIVE[code])

    def __str__(self):
        inner = ", ".join(map(str, self.parts))
        if self.kind == "vector":
            return f"vector<{inner}, {self.dimension}>"
        if self.kind == "udt":
            return self.name
        if self.kind == "custom":
            return f"'{self.name}'"
        return f"{self.kind}<{inner}>" if self.parts else self.kind


def class_type(name):
    """A type by its class, as a vector's elements are told."""
    vector = re.fullmatch(re.escape(MARSHAL) + r"(ListType|SetType|MapType|TupleType|FrozenType)\((.*)\)", name)
    if vector:
        parts = [class_type(one) for one in split_top(vector.group(2))]
        return parts[0] if vector.group(1) == "FrozenType" else Type(vector.group(1)[:-4].lower(), parts)
    short = name.removeprefix(MARSHAL)
    return Type(CLASSES[short]) if short in CLASSES else Type("custom", name=name)


def native_of(type_):
    """A type that the protocol's version tells by its class only, as v4 does with duration."""
    return class_type(type_.name) if type_.kind == "custom" else type_


def split_top(text, by=","):
    """Parts of a text between separators that stand in no brackets and no quotes."""
    parts, depth, quote, start = [], 0, "", 0
    for at, char in enumerate(text):
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char in "([{<":
            depth += 1
        elif char in ")]}>":
            depth -= 1
        elif char == by and depth == 0:
            parts.append(text[start:at].strip())
            start = at + 1
    last = text[start:].strip()
    return parts + [last] if last or parts else []


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


def name_text(name):
    return name if re.fullmatch(r"[a-z]\w*", name) else '"' + name.replace('"', '""') + '"'


def shortest(data, kind):
    """The shortest decimal that reads back to these bits."""
    number = struct.unpack(NUMBERS[kind], data)[0]
    if number != number:
        return "NaN"
    if number in (float("inf"), float("-inf")):
        return "Infinity" if number > 0 else "-Infinity"
    if kind == "double":
        return repr(number)
    for digits in range(1, 10):
        text = f"{number:.{digits}g}"
        try:
            same = struct.pack(">f", float(text)) == data
        except OverflowError:  # rounded up beyond the largest float
            continue
        if same:
            return repr(float(text))
    raise AssertionError(data)


def vint(data, at):
    """Of the protocol's durations and vectors: the unsigned number, and where it ends."""
    extra = 8 - (data[at] ^ 0xFF).bit_length()
    value = data[at] & (0xFF >> extra) if extra < 8 else 0
    for byte in data[at + 1:at + 1 + extra]:
        value = value << 8 | byte
    return value, at + 1 + extra


def to_vint(value):
    for extra in range(8):
        if value < 1 << (7 * (extra + 1)):
            data = value.to_bytes(extra + 1, "big")
            return bytes([data[0] | (0xFF << (8 - extra)) & 0xFF]) + data[1:]
    return b"\xff" + value.to_bytes(8, "big")


def zigzag(value):
    return value >> 1 ^ -(value & 1)


def to_zigzag(value):
    return value << 1 if value >= 0 else (-value << 1) - 1


def timestamp_text(millis):
    days, rest = divmod(millis, 86_400_000)
    if not 1 <= days + DAY <= datetime.date.max.toordinal():
        return str(millis)
    seconds, millis = divmod(rest, 1000)
    clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{millis:03}"
    return f"'{datetime.date.fromordinal(days + DAY).isoformat()} {clock}+0000'"


def date_text(days):
    days -= 1 << 31
    if not 1 <= days + DAY <= datetime.date.max.toordinal():
        return str(days + (1 << 31))
    return f"'{datetime.date.fromordinal(days + DAY).isoformat()}'"


def time_text(nanos):
    seconds, rest = divmod(nanos, 1_000_000_000)
    return f"'{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest:09}'"


def decimal_text(digits, scale):
    if not 0 <= scale < 1000:
        return f"{digits}E{-scale}"
    sign, whole = "-" if digits < 0 else "", str(abs(digits)).rjust(scale + 1, "0")
    return sign + whole[:len(whole) - scale] + ("." + whole[-scale:] if scale else "")


def duration_text(data):
    months, at = vint(data, 0)
    days, at = vint(data, at)
    nanos, at = vint(data, at)
    months, days, nanos = zigzag(months), zigzag(days), zigzag(nanos)
    sign = "-" if min(months, days, nanos) < 0 else ""
    text = "".join(f"{abs(number)}{unit}" for number, unit in ((months, "mo"), (days, "d"), (nanos, "ns")) if number)
    return sign + (text or "0ns")


def sized_parts(data, count=None):
    """Values that each stand behind their length; `count` of them, or all there are."""
    parts, at = [], 0
    while at < len(data) if count is None else len(parts) < count:
        size = struct.unpack_from(">i", data, at)[0]
        at += 4
        parts.append(None if size < 0 else data[at:at + size])
        at += max(size, 0)
    if at != len(data):
        raise NoValue("parts that do not fill the value")
    return parts


def fixed_size(type_):
    """Of a vector's element, where all have the same; None goes with a length each."""
    if type_.kind == "vector":
        inner = fixed_size(type_.parts[0])
        return inner and inner * type_.dimension
    return FIXED.get(type_.kind)


def vector_parts(type_, data):
    parts, at, size = [], 0, fixed_size(type_.parts[0])
    for _ in range(type_.dimension):
        if size is None:
            length, at = vint(data, at)
        else:
            length = size
        parts.append(data[at:at + length])
        at += length
    if at != len(data):
        raise NoValue("elements that do not fill the vector")
    return parts


def literal(type_, data):
    """The literal of a value's bytes; None is null."""
    if data is None:
        return "null"
    type_ = native_of(type_)
    kind = type_.kind
    if not data:
        return {"text": "''", "ascii": "''", "blob": "0x"}.get(kind, "empty")
    try:
        text = literal_of(type_, kind, data)
        lost = kind in NATIVE.values() and value_bytes(type_, text) != data
    except (NoValue, ValueError, struct.error, IndexError):
        lost = True
    return f"!0x{data.hex()}" if lost else text


def nested_literal(type_, kind, data):
    if kind == "vector":
        return "[" + ", ".join(literal(type_.parts[0], one) for one in vector_parts(type_, data)) + "]"
    if kind in ("tuple", "udt"):
        shown = [literal(part, one) for part, one in zip(type_.parts, sized_parts(data), strict=False)]
        if kind == "tuple":
            return "(" + ", ".join(shown) + ")"
        pairs = zip(type_.fields, shown, strict=False)
        return "{" + ", ".join(f"{name_text(name)}: {one}" for name, one in pairs) + "}"
    count = struct.unpack_from(">i", data)[0]
    parts = sized_parts(data[4:], count * (2 if kind == "map" else 1))
    if kind == "map":
        key, one = type_.parts
        pairs = zip(parts[::2], parts[1::2], strict=True)
        return "{" + ", ".join(f"{literal(key, left)}: {literal(one, right)}" for left, right in pairs) + "}"
    inner = ", ".join(literal(type_.parts[0], one) for one in parts)
    return f"[{inner}]" if kind == "list" else f"{{{inner}}}"


def literal_of(type_, kind, data):
    if kind in ("text", "ascii"):
        return quoted(data.decode("utf-8" if kind == "text" else "ascii"))
    if kind in ("blob", "custom"):
        return "0x" + data.hex()
    if kind in ("double", "float"):
        return shortest(data, kind)
    if kind in NUMBERS:
        return str(struct.unpack(NUMBERS[kind], data)[0])
    if kind == "boolean":
        return "true" if data[0] else "false"
    if kind == "varint":
        return str(int.from_bytes(data, "big", signed=True))
    if kind == "decimal":
        return decimal_text(int.from_bytes(data[4:], "big", signed=True), struct.unpack_from(">i", data)[0])
    if kind in ("uuid", "timeuuid"):
        return str(uuid.UUID(bytes=data))
    if kind == "inet":
        return quoted(str(ipaddress.ip_address(data)))
    if kind == "timestamp":
        return timestamp_text(struct.unpack(">q", data)[0])
    if kind == "date":
        return date_text(struct.unpack(">I", data)[0])
    if kind == "time":
        return time_text(struct.unpack(">q", data)[0])
    if kind == "duration":
        return duration_text(data)
    return nested_literal(type_, kind, data)


def sized(data):
    return struct.pack(">i", -1) if data is None else struct.pack(">i", len(data)) + data


def unquoted(text):
    if len(text) < 2 or text[0] != "'" or text[-1] != "'":
        raise NoValue(f"{text} is no text in quotes")
    return text[1:-1].replace("''", "'")


def timestamp_millis(text):
    if not text.startswith("'"):
        return int(text)
    moment = datetime.datetime.fromisoformat(re.sub(r"\+0000$", "+00:00", unquoted(text)))
    since = moment - datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
    return since // datetime.timedelta(milliseconds=1)


def time_nanos(text):
    hours, minutes, seconds = unquoted(text).split(":")
    return round((int(hours) * 60 + int(minutes)) * 60 * 10**9 + decimal.Decimal(seconds) * 10**9)


def duration_bytes(text):
    sign = -1 if text.startswith("-") else 1
    units = {"y": (0, 12), "mo": (0, 1), "w": (1, 7), "d": (1, 1), "h": (2, 3600 * 10**9), "m": (2, 60 * 10**9),
             "s": (2, 10**9), "ms": (2, 10**6), "us": (2, 10**3), "ns": (2, 1)}
    amounts = [0, 0, 0]
    for count, unit in re.findall(r"(\d+)([a-z]+)", text):
        place, factor = units[unit]
        amounts[place] += sign * int(count) * factor
    return b"".join(to_vint(to_zigzag(one)) for one in amounts)


def integer_bytes(number):
    return number.to_bytes((number + (number < 0)).bit_length() // 8 + 1, "big", signed=True)


def native_bytes(kind, text):
    if kind in ("text", "ascii"):
        return unquoted(text).encode()
    if kind in ("double", "float"):
        return struct.pack(NUMBERS[kind], float(text))
    if kind in NUMBERS:
        return struct.pack(NUMBERS[kind], int(text))
    if kind == "boolean":
        return bytes([{"false": 0, "true": 1}[text]])
    if kind == "varint":
        return integer_bytes(int(text))
    if kind == "decimal":
        sign, digits, exponent = decimal.Decimal(text).as_tuple()
        return struct.pack(">i", -exponent) + integer_bytes((-1) ** sign * int("".join(map(str, digits))))
    if kind in ("uuid", "timeuuid"):
        return uuid.UUID(text).bytes
    if kind == "inet":
        return ipaddress.ip_address(unquoted(text)).packed
    if kind == "timestamp":
        return struct.pack(">q", timestamp_millis(text))
    if kind == "date":
        if text.isdigit():
            return struct.pack(">I", int(text))
        return struct.pack(">I", datetime.date.fromisoformat(unquoted(text)).toordinal() - DAY + (1 << 31))
    if kind == "time":
        return struct.pack(">q", time_nanos(text))
    if kind == "duration":
        return duration_bytes(text)
    raise NoValue(f"no literal of a {kind}: {text}")


def value_bytes(type_, text):
    """The bytes of a literal; `0x…` are the bytes themselves, whatever the type, and null is None."""
    text = text.strip()
    if text == "null":
        return None
    if text == "empty":
        return b""
    if re.fullmatch(r"0x([0-9a-fA-F]{2})*", text):
        return bytes.fromhex(text[2:])
    type_ = native_of(type_)
    kind = type_.kind
    if kind in ("list", "set", "map", "tuple", "udt", "vector"):
        return nested_bytes(type_, kind, text)
    return native_bytes(kind, text)


def nested_bytes(type_, kind, text):
    parts = split_top(text[1:-1])
    if kind == "tuple":
        return b"".join(sized(value_bytes(part, one)) for part, one in zip(type_.parts, parts, strict=False))
    if kind == "udt":
        given = dict(one.split(":", 1) for one in parts)
        given = {name.strip(): one for name, one in given.items()}
        names = type_.fields[:max((type_.fields.index(name) + 1 for name in given), default=0)]
        return b"".join(sized(value_bytes(type_.parts[at], given.get(name, "null"))) for at, name in enumerate(names))
    if kind == "map":
        pairs = [split_top(one, ":") for one in parts]
        return struct.pack(">i", len(pairs)) + b"".join(
            sized(value_bytes(type_.parts[0], key)) + sized(value_bytes(type_.parts[1], one)) for key, one in pairs)
    values = [value_bytes(type_.parts[0], one) for one in parts]
    if kind == "vector":
        fixed = fixed_size(type_.parts[0])
        return b"".join(one if fixed else to_vint(len(one)) + one for one in values)
    return struct.pack(">i", len(values)) + b"".join(map(sized, values))
