"""The literals of CQL's texts lose nothing of a value, and are Cassandra's where those lose nothing either."""
import re

import cql_values
import tailrace

VECTORS = tailrace.ROOT / "src" / "cql_types" / "testdata" / "vectors.txt"  # what Cassandra's own classes say
THE_SAME = {"ascii", "bigint", "blob", "int", "smallint", "text", "time", "timeuuid", "tinyint", "uuid", "varint"}


def type_of(text):
    """Native types, collections, tuples and vectors from CQL's text."""
    name, _, inner = text.partition("<")
    if not inner:
        return cql_values.Type(name)
    parts = cql_values.split_top(inner[:-1])
    if name == "frozen":
        return type_of(parts[0])
    dimension = int(parts.pop()) if name == "vector" else 0
    return cql_values.Type(name, [type_of(part) for part in parts], dimension=dimension)


def literals():
    for line in VECTORS.read_text(encoding="utf-8").split("\n")[:-1]:
        kind, *fields = line.split("\t")
        if kind in ("literal", "to_json", "cast") and "address" not in fields[0]:
            yield kind, fields[0].split(" ")[0] if kind == "cast" else fields[0], fields[1], fields[-1]


def test_a_literal_reads_back_to_the_same_bytes():
    seen = 0
    for kind, type_, data, _ in literals():
        if not re.fullmatch("([0-9a-f]{2})*", data) or type_ == "counter":
            continue
        type_, data = type_of(type_), bytes.fromhex(data)
        told = cql_values.literal(type_, data)
        if "!0x" not in told:  # those are bytes that are no value
            assert cql_values.value_bytes(type_, told) == data, (kind, type_, data.hex(), told)
            seen += 1
    assert seen > 60


def test_a_literal_is_cassandras_where_that_loses_nothing():
    seen = 0
    for kind, type_, data, theirs in literals():
        if kind != "literal" or type_ not in THE_SAME:
            continue
        told = cql_values.literal(type_of(type_), bytes.fromhex(data))
        if told != "empty" and "!0x" not in told:
            assert told == theirs
            seen += 1
    assert seen > 7


def test_values_that_look_alike_have_literals_of_their_own():
    float_, decimal, inet = map(cql_values.Type, ("float", "decimal", "inet"))
    pairs = [(float_, "00000000", "80000000"), (float_, "3dcccccd", "3dccccce"), (decimal, "000000010a", "0000000264"),
             (inet, "0a000001", "00000000000000000000ffff0a000001"), (cql_values.Type("text"), "", None),
             (cql_values.Type("int"), "", None), (cql_values.Type("boolean"), "01", "02"),
             (cql_values.Type("tuple", [float_, float_]), "00000004000000003f800000", "000000040000000000000000")]
    for type_, *values in pairs:
        told = [cql_values.literal(type_, None if one is None else bytes.fromhex(one)) for one in values]
        assert told[0] != told[1], told
