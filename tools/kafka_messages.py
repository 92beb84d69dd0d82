"""Makes the C++ of Kafka's messages from spec/kafka/*.json: `tools/kafka_messages.py SPEC_DIR OUT_DIR`.

For each message a header with one struct that holds the fields of all versions, for each api one .cc that encodes and
decodes request and response, and the table of apis. A file is written only when its text changed.
`--list` prints the files that would be made, for CMake. Standard library only; spec/kafka/README.md has the language.
"""
import json
import pathlib
import re
import sys

PRIMITIVES = {  # type: (C++ type, Reader's and Writer's function, fewest bytes)
    "bool": ("bool", "boolean", 1),
    "int8": ("std::int8_t", "int8", 1),
    "int16": ("std::int16_t", "int16", 2),
    "uint16": ("std::uint16_t", "uint16", 2),
    "int32": ("std::int32_t", "int32", 4),
    "uint32": ("std::uint32_t", "uint32", 4),
    "int64": ("std::int64_t", "int64", 8),
    "float64": ("double", "float64", 8),
    "uuid": ("Uuid", "uuid", 16),
}
TEXTS = {"string": "std::string", "bytes": "std::string_view", "records": "Records"}
KEYWORDS = {"default", "operator", "namespace", "class", "enum", "int", "long", "template", "delete", "new", "public",
            "private", "register", "export", "union", "struct", "requires", "this", "bool", "decode", "encode"}
WRITTEN = "Written by tools/kafka_messages.py from spec/kafka"


def snake(name):
    """TopicId → topic_id; ISR → isr; KRaftVersion → k_raft_version."""
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
    return text + "_" if text in KEYWORDS else text


class Versions:
    """A range: "3+", "4-12", "7" or "none", cut to the message's own."""

    def __init__(self, text, within=None):
        if text == "none":
            self.low, self.high = 1, 0
        elif text.endswith("+"):
            self.low, self.high = int(text[:-1]), 1 << 15
        else:
            low, _, high = text.partition("-")
            self.low, self.high = int(low), int(high or low)
        if within:
            self.low, self.high = max(self.low, within.low), min(self.high, within.high)

    def __bool__(self):
        return self.low <= self.high

    def __iter__(self):
        return iter(range(self.low, self.high + 1))

    def test(self, within):
        """The C++ condition on `v` that a version of `within` is in this range: "true", "false" or a comparison."""
        if not self or self.low > within.high or self.high < within.low:
            return "false"
        tests = [f"v >= {self.low}"] * (self.low > within.low) + [f"v <= {self.high}"] * (self.high < within.high)
        if len(tests) == 2 and self.low == self.high:
            return f"v == {self.low}"
        return " && ".join(tests) or "true"


class Field:
    """One field of a struct, with what C++ needs to know of it."""

    def __init__(self, spec, struct):
        self.spec, self.struct = spec, struct
        self.name = spec["name"]
        self.member = snake(self.name)
        self.label = f'"{struct.name}.{self.name}"'
        self.is_array = spec["type"].startswith("[]")
        self.type = spec["type"].removeprefix("[]")
        message = struct.message
        self.versions = Versions(spec["versions"], struct.versions)
        self.nullable = Versions(spec.get("nullableVersions", "none"), self.versions)
        self.tagged = Versions(spec.get("taggedVersions", "none"), self.versions)
        self.tag = spec.get("tag")
        self.compact = "false" if spec.get("flexibleVersions") == "none" else \
            message.flexible.test(struct.versions)
        if self.compact not in ("true", "false"):
            self.compact = "compact"
        self.ignorable = spec.get("ignorable", False)
        if self.tagged and (self.tagged.low, self.tagged.high) != (self.versions.low, self.versions.high):
            raise ValueError(f"{message.name}: {self.label} is tagged in some of its versions only")

    def element_type(self):
        if self.type in PRIMITIVES:
            return PRIMITIVES[self.type][0]
        return TEXTS.get(self.type, self.type)

    def cpp_type(self):
        kind = f"std::vector<{self.element_type()}>" if self.is_array else self.element_type()
        return f"std::optional<{kind}>" if self.nullable else kind

    def initial(self):
        """What stands after the member's name: "", " = -1" …"""
        given = self.spec.get("default")
        if self.nullable:
            if given == "null":
                return ""
            return f" = {self.cpp_type()[14:-1]}" + (f'("{given}")' if given else "{}")
        if self.is_array or self.type == "records":
            return ""
        if self.type == "bool":
            return f" = {given or 'false'}"
        if self.type in ("string", "bytes"):
            return f' = "{given}"' if given else ""
        if self.type == "uuid" or self.type not in PRIMITIVES:
            return "{}"
        return f" = {integer(given or '0', self.type)}"

    def has_value(self):
        """The C++ condition that the field of `m` differs from its default."""
        member, given = f"m.{self.member}", self.spec.get("default")
        if self.nullable:
            if given == "null":
                return f"{member}.has_value()"
            if self.is_array or self.type in ("string", "bytes") and not given:
                return f"!({member} && {member}->empty())"
            return f"!({member} && *{member} == {self.cpp_type()[14:-1]}" + (f'("{given}"))' if given else "{})")
        if self.is_array or self.type in ("string", "bytes") and not given:
            return f"!{member}.empty()"
        if self.type == "bool":
            return f"!{member}" if given == "true" else member
        if self.type == "string":
            return f'{member} != "{given}"'
        if self.type in PRIMITIVES and self.type != "uuid":
            return f"{member} != {integer(given or '0', self.type)}"
        return f"{member} != {self.element_type()}{{}}"

    def least_bytes(self, version):
        """The fewest bytes of the field in a version that has it."""
        compact = self.compact != "false" and version in self.struct.message.flexible
        if self.is_array:
            return 1 if compact else 4
        return self.least_element_bytes(version, compact)

    def least_element_bytes(self, version, compact):
        if self.type in PRIMITIVES:
            return PRIMITIVES[self.type][2]
        if self.type in TEXTS:
            return 1 if compact else 2 if self.type == "string" else 4
        nullable = not self.is_array and version in self.nullable
        return 1 if nullable else self.struct.message.structs[self.type].least_bytes(version)

    def array_least_bytes(self):
        message = self.struct.message
        least = min(self.least_element_bytes(version, self.compact != "false" and version in message.flexible)
                    for version in self.versions)
        if least < 1:
            raise ValueError(f"{message.name}: an element of {self.label} may be empty")
        return least


def integer(text, kind):
    """A C++ literal: the smallest int32 and int64 have none of their own."""
    number = float(text) if kind == "float64" else int(text, 0)
    if kind == "int64":
        return "INT64_MIN" if number == -1 << 63 else f"{number}LL" if abs(number) >= 1 << 31 else str(number)
    return "INT32_MIN" if kind == "int32" and number == -1 << 31 else str(number)


class Struct:
    def __init__(self, name, versions, fields, message):
        self.name, self.versions, self.message = name, versions, message
        self.fields = [Field(field, self) for field in fields]
        for field in fields:
            if "fields" in field:
                self.add(field, message)
        if self.name in message.structs:
            raise ValueError(f"{message.name}: two structs are named {self.name}")
        message.structs[self.name] = self

    def add(self, field, message):
        name = field["type"].removeprefix("[]")
        Struct(name, Versions(field["versions"], self.versions), field["fields"], message)

    def least_bytes(self, version):
        here = [field for field in self.fields if version in field.versions and not field.tagged]
        return sum(field.least_bytes(version) for field in here) + (version in self.message.flexible)


class Message:
    """One spec file. `structs` holds its structs, each after those it needs; the message itself is the last."""

    def __init__(self, path):
        spec = json.loads(path.read_text(encoding="utf-8"))
        self.spec, self.name, self.type = spec, spec["name"], spec["type"]
        self.api = spec.get("apiKey")
        self.stem = snake(self.name)
        self.versions = Versions(spec["validVersions"])
        self.flexible = Versions(spec["flexibleVersions"], self.versions)
        self.structs = {}
        for common in spec.get("commonStructs", []):
            Struct(common["name"], Versions(common["versions"], self.versions), common["fields"], self)
        self.top = Struct(self.name, self.versions, spec["fields"], self)
        self.inner = [struct for struct in self.structs.values() if struct is not self.top]

    def unit(self):
        """The .cc the message goes to: one an api, one a kind of record, one for the rest."""
        name = re.sub("(Request|Response|Key|Value)$", "", self.name)
        return "headers" if self.type in ("header", "data") else snake(name)


def versions_text(versions):
    if versions.low == versions.high:
        return f"version {versions.low}"
    return f"versions {versions.low} to {versions.high}"


def struct_text(struct, extra=()):
    """The definition of a struct."""
    lines = [f"struct {struct.name} {{", *extra]
    for field in struct.fields:
        note = [] if (field.versions.low, field.versions.high) == (struct.versions.low, struct.versions.high) else \
            [versions_text(field.versions)]
        if field.nullable and (field.nullable.low, field.nullable.high) != (field.versions.low, field.versions.high):
            note.append("null in " + versions_text(field.nullable))
        comment = f"  ///< {', '.join(note)}" if note else ""
        lines.append(f"  {field.cpp_type()} {field.member}{field.initial()};{comment}")
    lines.append(f"  bool operator==(const {struct.name}&) const = default;")
    return lines + ["};", ""]


def header_text(message):
    key = {"request": "Request", "response": "Response"}.get(message.type)
    what = f"{key} of api {message.api}" if key else message.type.replace("-", " ").capitalize()
    lines = [f"// {what}: {message.name}, {versions_text(message.versions)}.",
             f"// {WRITTEN}/{message.name}.json.", "#pragma once", "", '#include "kafka/wire.h"', "",
             "namespace tailrace::kafka {", ""]
    if message.inner:
        lines += [f"namespace {message.stem} {{", ""]
        for struct in message.inner:
            lines += struct_text(struct)
        lines += [f"}}  // namespace {message.stem}", ""]
    flexible_from = message.flexible.low if message.flexible else message.versions.high + 1
    extra = [f"  using {struct.name} = {message.stem}::{struct.name};" for struct in message.inner]
    extra += [f'  static constexpr std::string_view kName = "{message.name}";',
              f"  static constexpr Version kLowest{{{message.versions.low}}};",
              f"  static constexpr Version kHighest{{{message.versions.high}}};",
              f"  static constexpr Version kFlexibleFrom{{{flexible_from}}};"]
    if message.api is not None:
        names = {"coordinator-key": "kRecordKeyType", "coordinator-value": "kRecordValueType"}
        name = names.get(message.type, "kApiKey")
        extra.append(f"  static constexpr std::int16_t {name} = {message.api};")
    extra += ["", f"  static Result<{message.name}> decode(Reader& reader, Version version);",
              "  tailrace::Status encode(Writer& writer, Version version) const;", ""]
    return "\n".join(lines + struct_text(message.top, extra) + ["}  // namespace tailrace::kafka", ""])


def read_value(field, target):
    """Statements that read one value of the field, which is there, into `target`."""
    null = field.nullable.test(field.versions)
    if field.is_array:
        return read_array(field, target)
    if field.type in PRIMITIVES:
        return [f"{target} = r.{PRIMITIVES[field.type][1]}({field.label});"]
    if field.type in TEXTS:
        if field.nullable:
            return [f"{target} = r.{field.type}_or_null({field.compact}, {null}, {field.label});"]
        return [f"{target} = r.{field.type}({field.compact}, {field.label});"]
    if not field.nullable:
        return [f"read(r, v, {target});"]
    tagged = "true" if field.tagged else "false"
    test = ("" if null == "true" else f"!({null}) || ") + f"r.present({tagged}, {field.label})"
    return [f"if ({test}) {{", f"  read(r, v, {target}.emplace());", "} else {", f"  {target}.reset();", "}"]


def read_array(field, target):
    null = field.nullable.test(field.versions)
    lines = [f"const std::int32_t count = r.array({field.compact}, {null}, {field.array_least_bytes()},",
             f"                                   sizeof({field.element_type()}), {field.label});"]
    if field.nullable:
        lines += ["if (count < 0) {", f"  {target}.reset();", "} else {", f"  auto& list = {target}.emplace();"]
    else:
        lines += ["{", f"  auto& list = {target};", "  list.clear();"]
    lines.append("  list.reserve(static_cast<std::size_t>(count));")
    lines.append("  for (std::int32_t i = 0; i < count && !r.failed(); ++i) {")
    if field.type in PRIMITIVES:
        lines.append(f"    list.push_back(r.{PRIMITIVES[field.type][1]}({field.label}));")
    elif field.type in TEXTS:
        lines.append(f"    list.push_back(r.{field.type}({field.compact}, {field.label}));")
    else:
        lines.append("    read(r, v, list.emplace_back());")
    return ["{", *indent(lines + ["  }", "}"]), "}"]


def write_value(field, source):
    """Statements that write one value of the field, which the version has."""
    null = field.nullable.test(field.versions)
    if field.is_array:
        return write_array(field, source)
    if field.type in PRIMITIVES:
        return [f"w.{PRIMITIVES[field.type][1]}({source});"]
    if field.type in TEXTS:
        if field.nullable:
            return [f"w.{field.type}_or_null({field.compact}, {null}, {source}, {field.label});"]
        return [f"w.{field.type}({field.compact}, {source}, {field.label});"]
    if not field.nullable:
        return [f"write(w, v, {source});"]
    tagged = "true" if field.tagged else "false"
    if null == "true":
        return [f"w.present({tagged}, {source}.has_value());", f"if ({source}) write(w, v, *{source});"]
    return [f"if ({null}) w.present({tagged}, {source}.has_value());", f"if ({source}) {{",
            f"  write(w, v, *{source});", f"}} else if (!({null})) {{", f"  w.null_value({field.label});", "}"]


def write_array(field, source):
    null = field.nullable.test(field.versions)
    values = f"*{source}" if field.nullable else source
    if field.type in PRIMITIVES:
        each = f"w.{PRIMITIVES[field.type][1]}(each);"
    elif field.type in TEXTS:
        each = f"w.{field.type}({field.compact}, each, {field.label});"
    else:
        each = "write(w, v, each);"
    by = "const auto" if field.type in PRIMITIVES and field.type != "uuid" else "const auto&"
    lines = [f"w.array({field.compact}, ({values}).size(), {field.label});", f"for ({by} each : {values}) {each}"]
    if not field.nullable:
        return lines
    return [f"if ({source}) {{", *indent(lines), "} else {",
            f"  w.null_array({field.compact}, {null}, {field.label});", "}"]


def indent(lines, by=2):
    return [" " * by + line for line in lines]


def when(test, lines, otherwise=()):
    """`lines` under a condition that may be known already."""
    if test == "true":
        return list(lines)
    if test == "false":
        return list(otherwise)
    tail = ["} else {", *indent(otherwise), "}"] if otherwise else ["}"]
    return [f"if ({test}) {{", *indent(lines), *tail]


def read_function(struct):
    lines = [f"void read([[maybe_unused]] Reader& r, [[maybe_unused]] int v, [[maybe_unused]] {struct.name}& m) {{",
             f"  [[maybe_unused]] const bool compact = {struct.message.flexible.test(struct.versions)};"]
    tagged = [field for field in struct.fields if field.tagged]
    for field in struct.fields:
        if not field.tagged:
            lines += indent(when(field.versions.test(struct.versions), read_value(field, f"m.{field.member}")))
    if not tagged:
        return lines + indent(when(struct.message.flexible.test(struct.versions), [f'r.skip_tags("{struct.name}");'])) \
            + ["}", ""]
    body = [f'const std::uint32_t tags = r.tag_count("{struct.name}");',
            "for (std::uint32_t t = 0; t < tags && !r.failed(); ++t) {",
            f'  const Reader::Tag tag = r.open_tag("{struct.name}");']
    start = "  if"
    for field in tagged:
        test = field.versions.test(struct.versions)
        more = "" if test == "true" else f" && {test}"
        body += [f"{start} (tag.number == {field.tag}{more}) {{", *indent(read_value(field, f"m.{field.member}"), 4)]
        start = "  } else if"
    body += ["  } else {", "    r.skip_tag(tag);", "  }", f'  r.close_tag(tag, "{struct.name}");', "}"]
    return lines + indent(when(struct.message.flexible.test(struct.versions), body)) + ["}", ""]


def write_function(struct):
    lines = ["void write([[maybe_unused]] Writer& w, [[maybe_unused]] int v,",
             f"           [[maybe_unused]] const {struct.name}& m) {{",
             f"  [[maybe_unused]] const bool compact = {struct.message.flexible.test(struct.versions)};"]
    for field in struct.fields:
        test = field.versions.test(struct.versions)
        refused = [] if field.ignorable or test == "true" else \
            [f"if ({field.has_value()}) w.unsupported({field.label});"]
        if not field.tagged:
            lines += indent(when(test, write_value(field, f"m.{field.member}"), refused))
        elif refused:
            lines += indent([f"if (!({test}) && {field.has_value()}) w.unsupported({field.label});"])
    flexible = struct.message.flexible.test(struct.versions)
    return lines + indent(when(flexible, write_tags(struct))) + ["}", ""]


def write_tags(struct):
    tagged = sorted((field for field in struct.fields if field.tagged), key=lambda field: field.tag)
    if not tagged:
        return ["w.tag_count(0);"]
    lines, tests = ["std::uint32_t tags = 0;"], []
    for field in tagged:
        test = field.versions.test(struct.versions)
        name = f"has_{field.member}"
        tests.append(name)
        lines += [f"const bool {name} = {'' if test == 'true' else test + ' && '}{field.has_value()};",
                  f"if ({name}) ++tags;"]
    lines.append("w.tag_count(tags);")
    for field, name in zip(tagged, tests):
        lines += [f"if ({name}) {{", f"  const std::size_t opened = w.open_tag({field.tag});",
                  *indent(write_value(field, f"m.{field.member}")), "  w.close_tag(opened);", "}"]
    return lines


def message_functions(message):
    """decode() and encode() of a message, and what they need, in a namespace of their own."""
    lines = ["namespace {", ""]
    if message.inner:
        lines += [f"namespace {message.stem}_codec {{", "", f"using namespace {message.stem};", ""]
    else:
        lines += [f"namespace {message.stem}_codec {{", ""]
    for struct in message.structs.values():
        lines += read_function(struct) + write_function(struct)
    name = message.name
    return lines + [
        f"}}  // namespace {message.stem}_codec", "", "}  // namespace", "",
        f"Result<{name}> {name}::decode(Reader& reader, Version version) {{",
        f"  Result<{name}> message;",
        "  TRY(reader.begin(kName, version, kLowest, kHighest));",
        f"  {message.stem}_codec::read(reader, version.value, *message);",
        "  if (reader.failed()) return std::unexpected(reader.failure());",
        "  return message;", "}", "",
        f"Status {name}::encode(Writer& writer, Version version) const {{",
        "  TRY(writer.begin(kName, version, kLowest, kHighest));",
        f"  {message.stem}_codec::write(writer, version.value, *this);",
        "  return writer.status();", "}", ""]


def unit_text(messages):
    names = " and ".join(message.name for message in messages)
    lines = [f"// Encodes and decodes {names}.", f"// {WRITTEN}."]
    lines += [f'#include "kafka/messages/{message.stem}.h"' for message in messages]
    lines += ["", "namespace tailrace::kafka {"]
    for message in messages:
        lines += message_functions(message)
    return "\n".join(lines + ["}  // namespace tailrace::kafka", ""])


def table_header(requests):
    lines = ["// The keys of the apis, and the one table of their names and versions.", f"// {WRITTEN}.",
             "#pragma once", "", "#include <cstdint>", "#include <span>", "#include <string_view>", "",
             '#include "kafka/wire.h"', "", "namespace tailrace::kafka {", "", "enum class ApiKey : std::int16_t {"]
    lines += [f"  k{name} = {request.api}," for name, request in requests]
    return "\n".join(lines + [
        "};", "", "/// One api. Highest is the highest stable version, which is what ApiVersions offers.",
        "struct ApiInfo {", "  ApiKey key;", "  std::string_view name;", "  Version lowest;", "  Version highest;",
        "  Version flexible_from;  ///< above `highest` when no version is flexible", "",
        "  /// The version of the RequestHeader in front of a request of `version` (KIP-482).",
        "  Version request_header(Version version) const { return Version(version < flexible_from ? 1 : 2); }",
        "  /// Of the ResponseHeader. ApiVersions has 0 always: its caller knows no versions yet (KIP-511).",
        "  Version response_header(Version version) const {",
        "    return Version(version < flexible_from || key == ApiKey::kApiVersions ? 0 : 1);", "  }",
        "  /// The lowest version that ApiVersions offers. Older librdkafka takes a broker without Produce 0 for",
        "  /// one that cannot compress (KAFKA-18659): below `lowest` Produce is offered and, when it comes, refused.",
        "  Version offered_lowest() const { return key == ApiKey::kProduce ? Version(0) : lowest; }", "};", "",
        "/// By rising key.", "std::span<const ApiInfo> apis();",
        "/// nullptr when the key is not of the table.", "const ApiInfo* find_api(std::int16_t key);", "",
        "}  // namespace tailrace::kafka", ""])


def table_text(requests):
    lines = ["// The table of api_table.h.", f"// {WRITTEN}.", '#include "kafka/messages/api_table.h"', "",
             "#include <algorithm>", "", "namespace tailrace::kafka {", "namespace {", "",
             "constexpr ApiInfo kApis[] = {"]
    for name, request in requests:
        highest = request.versions.high - request.spec.get("latestVersionUnstable", False)
        flexible = request.flexible.low if request.flexible else request.versions.high + 1
        lines.append(f'    {{ApiKey::k{name}, "{name}", Version({request.versions.low}), '
                     f"Version({highest}), Version({flexible})}},")
    return "\n".join(lines + [
        "};", "", "}  // namespace", "", "std::span<const ApiInfo> apis() { return kApis; }", "",
        "const ApiInfo* find_api(std::int16_t key) {",
        "  const auto* found = std::ranges::lower_bound(kApis, static_cast<ApiKey>(key), {}, &ApiInfo::key);",
        "  return found != std::end(kApis) && found->key == static_cast<ApiKey>(key) ? found : nullptr;", "}", "",
        "}  // namespace tailrace::kafka", ""])


def list_text(messages):
    lines = ["// Every message: TAILRACE_KAFKA_MESSAGES(X) is X(AddOffsetsToTxnRequest) X(…) …, for tests of all.",
             f"// {WRITTEN}.", "#pragma once", ""]
    lines += [f'#include "kafka/messages/{message.stem}.h"' for message in messages]
    lines += ["", "#define TAILRACE_KAFKA_MESSAGES(X) \\"] + [f"  X({message.name}) \\" for message in messages]
    lines[-1] = lines[-1][:-2]
    return "\n".join(lines + [""])


def outputs(spec_dir):
    """Each file to make, by its path below OUT_DIR, and its text."""
    messages = [Message(path) for path in sorted(spec_dir.glob("*.json"))]
    units = {}
    for message in messages:
        units.setdefault(message.unit(), []).append(message)
    files = {f"kafka/messages/{message.stem}.h": header_text(message) for message in messages}
    files |= {f"kafka/messages/{unit}.cc": unit_text(members) for unit, members in units.items()}
    requests = sorted(((message.name.removesuffix("Request"), message) for message in messages
                       if message.type == "request"), key=lambda pair: pair[1].api)
    files["kafka/messages/api_table.h"] = table_header(requests)
    files["kafka/messages/api_table.cc"] = table_text(requests)
    files["kafka/messages/all_messages.h"] = list_text(messages)
    return files


def main(arguments):
    folders = [pathlib.Path(argument) for argument in arguments if argument != "--list"]
    files = outputs(folders[0])
    if "--list" in arguments:
        print(";".join(files), end="")
        return 0
    for name, text in files.items():
        path = folders[1] / name
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
