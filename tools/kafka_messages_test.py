"""spec/kafka says of every field what Kafka's own classes say of it: src/kafka/testdata/fields.txt has that.

Bytes alone would not show two fields of one type that were exchanged, a default or what a version without a field does.
"""
import pathlib
import sys
import unittest

TOOLS = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(TOOLS))
import kafka_messages

FACTS = TOOLS.parent / "src/kafka/testdata/fields.txt"
SPEC = TOOLS.parent / "spec/kafka"


def span(versions):
    return f"{versions.low}-{versions.high}" if versions else "none"


def default_text(field):
    given = field.spec.get("default")
    if given == "null":
        return "null"
    if field.is_array or field.type in ("bytes", "records"):
        return "null" if field.type == "records" else "empty"
    if field.type == "string":
        return f"'{given or ''}'"
    if field.type == "bool":
        return given or "false"
    if field.type == "uuid":
        return given or "zero"
    if field.type == "float64":
        return given or "0.0"
    return str(int(given or "0", 0)) if field.type in kafka_messages.PRIMITIVES else "struct"


def field_line(message, struct, field):
    everywhere = span(field.versions) == span(struct.versions)
    missing = "-" if everywhere else "ignored" if field.ignorable else "refused"
    name = field.name[0].lower() + field.name[1:]
    tag = field.tag if field.tagged else -1
    return (f"{message.name}/{struct.name} {name} {field.spec['type']} {span(field.versions)} "
            f"null {span(field.nullable)} tag {tag} default {default_text(field)} {missing}")


def spec_lines():
    for path in SPEC.glob("*.json"):
        message = kafka_messages.Message(path)
        yield f"{message.name} {span(message.versions)} flexible {span(message.flexible)}"
        for struct in message.structs.values():
            for field in struct.fields:
                yield field_line(message, struct, field)


class Spec(unittest.TestCase):
    maxDiff = None

    def test_every_field_is_as_kafkas_classes_have_it(self):
        facts = FACTS.read_text(encoding="utf-8").splitlines()
        self.assertGreater(len(facts), 1000)
        self.assertEqual(sorted(spec_lines()), sorted(facts))


if __name__ == "__main__":
    unittest.main()
