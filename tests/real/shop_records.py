"""Records for tests/real/shop: ordinary orders and customers, and every odd value a record may hold in their place."""

import json
import random

START_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z
NOTES = ["", " ", "a", "Straße", "ΣΑΣ οδός", "İstanbul ı", "ﬁne ǆ ß ﬃ", "e\u0301te\u0301", "👩‍👩‍👧 family", "😀", "x😀y",
         "tab\there", "line\nbreak", "nul\u0000byte", "  spaced  ", "\u00a0nbsp\u00a0", "o'neil mc-donald",
         "100% a_b", "back\\slash", "quote\"d", "1 22 333", "ÀÉ", "日本語 テキスト", "\ufeffbom", "\u2028", "عربى",
         "ab" * 40, "a1b2", "NULL", "null"]
NUMBERS = ["NaN", "-0.0", "0", "0.0", "Infinity", "-Infinity", "inf", "1e308", "1e400", "-1e-400", " 12 ", "1_0",
           "0x10", "", "1d", "1.5f", "+3", "１", ".5", "5.", "1e5", "nan", "abc", "-7.25"]
TIMES = ["2024-03-31T01:30:00Z", "2024-03-31T02:30:00+01:00", "2024-03-31 02:30:00 Europe/Berlin",
         "2024-10-27 02:30:00 Europe/Berlin", "2024-11-03 01:30:00 America/New_York", "2024-02-29", "2023-02-29",
         "2024-2-3 4:5:6", "2024-02-30T00:00:00Z", "1582-10-10", "0001-01-01", "9998-12-31 23:59:59.999999",
         "1969-12-31 23:59:59.999999", "1969-12-31T23:59:59.9999999Z", "2024-01-01T24:00:00", "2024", "2024-07",
         "2024-01-01T12:00", " 2024-01-01 ", "", "yesterday", "2024-01-01T00:00:00.123456789+05:30",
         "2024-01-01T00:00:00-12:00", "2024-01-01T00:00:00GMT+3", "2024-01-01 00:00:00 UTC"]
DAYS = ["2024-02-29", "2023-02-29", "1900-02-28", "2024-12-30", "2025-01-01", "0001-01-01", "9998-12-31",
        "1969-12-31", "2024-3-9", "2024-03-31T10:00:00", "2024", "2024-13-01", "", "today", " 2024-01-31 ",
        "1582-10-15", "2021-01-03"]
FIELDS = {  # odd values of a field, as JSON text
    "id": ['"7"', "7.0", "7.5", "null", "9223372036854775807", "9223372036854775808", "true", "[]", "{}", '""', "-1"],
    "total": ["1.005", "-0.005", '"12.34"', "99999999.99", "100000000", "1e2", "null", '"x"', "0", "1E-3", "true",
              "-5"],
    "rate": ['"NaN"', '"Infinity"', '"-Infinity"', "-0.0", "1e308", "1e400", "1", '"1.5"', "null", "2.5", "-2.5",
             "0.05", "1e-320", "123456789012345680", "1e21", "9.999999e-4", "9007199254740993", "1e18", "-1e19", "[1]"],
    "ratio": ["0.1", "16777217", "1e39", "1e-46", "-0.0", '"NaN"', "0", "3.4028236e38", "null", "1e10", "0.001"],
    "big": ["4000000000000000000", "-9007199254740993", "null", "1.0", '"5"', "1e3", "99999999999999999999", "-13"],
    "paid": ["true", "false", "null", '"true"', "1", "0", '"yes"', "[]"],
    "note": ['5', "5.50", "true", '{"b": 1,  "a":[1, 2]}', '[1, "x"]', "null", "1e2", '"\\ud83d\\ude00\\u00e9\\/"',
             "-0.0", "12345678901234567890"],
    "items": ["[]", "null", '[null]', '[{}]', '[{"sku":"a","qty":"3"}]', '[{"sku":"a","qty":1.5,"price":1}]',
              '[{"sku":5,"qty":1,"price":"2.5"}]', '{"sku":"one","qty":1,"price":1}', '"[]"', '[[]]', "[1]",
              '[{"sku":"dup","sku":"twice","qty":2,"price":3.335}]', '[{"SKU":"upper","qty":1}]'],
    "tags": ["[]", "null", '[null]', '["a",null,"a"]', '"a"', '[1,true,{"x":1}]', '["😀",""]', "{}"],
    "attrs": ["{}", "null", '{"k":null}', '{"k":"v","k":"w"}', '{"k":1,"j":{"x":[1]}}', "[]", '"k"', '{"":""}'],
}


def order(index, **changes):
    rng = random.Random(index)
    fields = {
        "id": str(index), "customer": str(rng.randrange(1, 25)), "total": f"{rng.randrange(0, 20000) / 100}",
        "rate": f"{rng.randrange(-500, 500) / 64}", "ratio": f"{rng.randrange(1, 100) / 16}",
        "big": str(rng.randrange(-10**15, 10**15)), "paid": rng.choice(["true", "false"]),
        "note": json.dumps(NOTES[index % len(NOTES)], ensure_ascii=index % 2 == 0),
        "items": json.dumps([{"sku": f"s{rng.randrange(12)}", "qty": rng.randrange(1, 9),
                              "price": rng.randrange(1, 999) / 4} for _ in range(rng.randrange(4))]),
        "tags": json.dumps(rng.sample(["red", "green", "blue", "épée"], rng.randrange(4))),
        "attrs": json.dumps({key: str(rng.randrange(9)) for key in rng.sample("kjl", rng.randrange(3))}),
        "at": json.dumps(f"2025-{index % 12 + 1:02d}-{index % 28 + 1:02d}T{index % 24:02d}:{index % 60:02d}:07Z"),
        "day": json.dumps(f"2025-{index % 12 + 1:02d}-{index % 27 + 1:02d}"), "number": json.dumps(str(index % 9 / 2)),
    }
    fields.update(changes)
    return "{" + ",".join(f'"{name}":{value}' for name, value in fields.items() if value is not None) + "}"


def orders():
    """The values of all orders, the odd ones among the others."""
    odd = [order(1000 + i, **{name: value})
           for i, (name, value) in enumerate((n, v) for n, values in FIELDS.items() for v in values)]
    odd += [order(2000 + i, number=json.dumps(text, ensure_ascii=False)) for i, text in enumerate(NUMBERS)]
    odd += [order(3000 + i, at=json.dumps(text)) for i, text in enumerate(TIMES)]
    odd += [order(4000 + i, day=json.dumps(text)) for i, text in enumerate(DAYS)]
    odd += [order(5000, customer="null"), order(5001, customer=None), order(5002, customer="999"), "{}", "[]", "null",
    "1",
            "[{}]", '"text"', order(5003, total=None, items=None, tags=None, note=None), '{"ID":5,"Customer":3}',
            '{"id":5004,"customer":3,"id":5005}', "not json", ""]
    mixed = [order(number) for number in range(300)] + odd
    random.Random(5).shuffle(mixed)
    return mixed


def customers():
    names = ["Ada", "ada", "Ä", "ß", "", "李", "😀", "O'Neil", None, "Zoë"]
    made = [json.dumps({"id": number % 23 + 1, "name": names[number * 7 % len(names)] if number % 5 == 0
                        else f"Name {number}", "city": ["Oslo", "Köln", None, "Bursa"][number % 4],
                        "vip": [True, False, None][number % 3]}, ensure_ascii=False) for number in range(60)]
    return made + ['{"id":null,"name":"nobody"}', '{"name":"none"}',
    '{"id":"3","name":5,"city":{"a":1},"vip":"true"}', "{}"]


def topic(values, every_ms, partitions=2):
    """(partition, timestamp, key, value) of each value, in turn; later ones are never late."""
    return [(number % partitions, START_MS + number * every_ms, None, value.encode())
            for number, value in enumerate(values)]


def topic_of_bytes(values):
    """The same for values that may be no text; a null is the last."""
    return [(0, START_MS + number, None, value) for number, value in enumerate([*values, None])]
