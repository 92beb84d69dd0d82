"""Makes the table of Kafka's settings from spec/kafka-configs: `tools/kafka_configs.py SPEC_DIR OUT_FILE`.

The table is C++ of the types in src/kafka/config_table.h, sorted by name. The file is written only when its text
changed. Standard library only; spec/kafka-configs/README.md says what the keys are.
"""
import json
import pathlib
import sys

# Files of each kind; the first gives it its name.
KINDS = {"topic": ["confluent_topic"], "broker": [], "group": [], "client_metrics": []}
UPDATES = {None: "kReadOnly", "per-broker": "kPerBroker", "cluster-wide": "kClusterWide"}


def camel(text):
    return "k" + "".join(part[:1].upper() + part[1:] for part in text.replace("-", "_").split("_"))


def text(value):
    return json.dumps(value)  # plain ASCII: a C++ string literal too


def optional(entry, key, write):
    return write(entry[key]) if entry.get(key) is not None else "std::nullopt"


def own_array(lines, prefix, type_, elements):
    """Declares an array and gives its name, or the empty span."""
    if not elements:
        return "{}"
    name = f"{prefix}{len(lines)}"
    lines.append(f"constexpr {type_} {name}[] = {{{', '.join(elements)}}};")
    return name


def entry_text(entry, arrays, meanings):
    valid = own_array(arrays, "kValid", "std::string_view", [text(word) for word in entry.get("valid", [])])
    synonyms = own_array(arrays, "kSynonyms", "ConfigSynonym", [
        f"{{{text(one['name'])}, {one.get('times', 1)}}}" for one in entry.get("broker", [])])
    fields = [
        text(entry["name"]), f"ConfigType::{camel(entry['type'])}", optional(entry, "default", text),
        optional(entry, "min", str), optional(entry, "max", str), valid,
        f"ConfigRule::{camel(entry.get('rule', 'None'))}", f"ConfigUpdate::{UPDATES[entry.get('update')]}", synonyms,
        *(str(entry.get(key, False)).lower() for key in ("anyCase", "internal", "onlyDynamic")),
        str("emptyAllowed" in entry).lower(), str(entry.get("emptyAllowed", True)).lower(),
        text(meanings.get(entry["name"], "")),
    ]
    return f"    {{{', '.join(fields)}}},"


def table_text(spec_dir):
    meanings = json.loads((spec_dir / "meanings.json").read_text(encoding="utf-8"))
    arrays, tables, names = [], [], set()
    for kind, more in KINDS.items():
        entries = [entry for file in [kind, *more]
                   for entry in json.loads((spec_dir / f"{file}.json").read_text(encoding="utf-8"))["configs"]]
        names |= {entry["name"] for entry in entries}
        rows = [entry_text(entry, arrays, meanings) for entry in sorted(entries, key=lambda entry: entry["name"])]
        tables += [f"constexpr ConfigInfo {camel(kind)}[] = {{", *rows, "};", ""]
    unknown = sorted(set(meanings) - names)
    if unknown:
        raise SystemExit(f"meanings.json: no such setting: {', '.join(unknown)}")
    cases = [f"    case ConfigKind::{camel(kind)}: return {camel(kind)};" for kind in KINDS]
    return "\n".join([
        "// The table of config_table.h.", "// Written by tools/kafka_configs.py from spec/kafka-configs.",
        '#include "kafka/config_table.h"', "", "namespace tailrace::kafka {", "namespace {", "", *arrays, "", *tables,
        "}  // namespace", "", "std::span<const ConfigInfo> configs(ConfigKind kind) {", "  switch (kind) {", *cases,
        "  }", "  return {};", "}", "", "}  // namespace tailrace::kafka", ""])


def main(arguments):
    spec_dir, out = map(pathlib.Path, arguments)
    made = table_text(spec_dir)
    if not out.exists() or out.read_text(encoding="utf-8") != made:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(made, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
