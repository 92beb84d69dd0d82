"""Texts that are JSON documents, or nearly: does a topic of format json take them? Real Spark is asked the same."""


def repeated(head, times, middle=b"", tail=b""):
    return head * times + middle + tail * times


PLAIN = [
    b"{}", b"[]", b'""', b"0", b"-0", b"null", b"true", b' {"a":1} ', b'\t\n\r {"a":1}\n', b"", b" ", b"\n", b"nul",
    b"True", b'"\xf0\x9f\x98\x80"', b'"\xe2\x80\xa8"', b'{"a":"\x7f"}', b'"\\ud83d\\ude00"', b'"\\u0000"',
    b'{"\\u0000":1}', b'"\\/"'
]
NUMBERS = [
    b"NaN", b"Infinity", b"-Infinity", b'{"a":NaN}', b'{"a":-Infinity}', b"+1", b"01", b"-01", b"1.", b".5", b"-.5",
    b"1e", b"1e+", b"1e5", b"1E+400", b"-1e400", b"1e-400", b"0x10", b"1_000", b"-", b"--1", b"1.5.2",
    b"9223372036854775808", b"18446744073709551616", b"-9223372036854775809", b"1" * 39, b"1e99999999999",
    b"0.0e-99999999999999999999"
]
SHAPES = [
    b'{"a":1} x', b'{"a":1}{"a":2}', b'{"a":1},', b"1 2", b"1,2", b"1],[2", b'1,"b":2', b"}{", b'{"a":1}]', b'"a":1',
    b'{"a":1', b"[1,2", b'{"a"}', b'{"a":}', b"{a:1}", b"{'a':1}", b'{"a":1,}', b"[1,]", b"[,1]", b"{,}",
    b'{"a":1 "b":2}', b'{"a"::1}', b"{1:2}", b"{null:2}", b'{"a":1,"a":2}', b'{"":1,"":2}', b'{"a":{"b":1,"b":[]}}',
    b'{"a":1e400} x'
]
BYTES = [
    b"/* c */ {}", b"{} // c", b"# c\n{}", b"\xef\xbb\xbf{}", b"{}\x00", b"\x00", b'{"a":"\x00"}', b'{"a":"\x1f"}',
    b'{"a":"\n"}', b'{"a":"\t"}', b"{}\x0b", b"\x0c{}", b"\xc2\xa0{}", b"{} \xe2\x80\xa8", b'"\\x"', b'"\\u12"',
    b'"\\u12g4"', b'"\\ud800"', b'"\\udc00"', b'"\\ud83d\\ud83d"', b'"\\ud83dx"', b'{"\\ud800":1}', b'"\\\'"',
    b'"\\a"', b'"\\', b'"a', b'"\\"', b"'a'", b'"\xff"', b'"\xc0\x80"', b'"\xed\xa0\x80"', b'"\xf4\x90\x80\x80"',
    b'"\xe2\x82"', b"\xff", b'{"\xff":1}', b'"\xc3("', b'"\xf8\x88\x80\x80\x80"', b'"\xf0\x80\x80\x80"'
]
LIMITS = [
    value
    for depth in (500, 998, 999, 1000, 1001, 5000)
    for value in (repeated(b"[", depth, tail=b"]"), repeated(b'{"a":', depth, b"1", b"}"))
] + [
    b'{"k":' + value + b"}"
    for digits in (996, 998, 999, 1000, 1001, 1002)
    for run in (b"1" * digits,)
    for value in (run, b"-" + run, b"0." + run, b"1." + run, run + b".5", b"1e" + run, b"0e" + run, b"0." + run + b"e5",
                  b"1.5e-" + run, run + b"E+5", b"-0." + run, b"0.0e" + run)
] + [
    b"[" * 500, b'"' + b"1" * 200_000 + b'"', b'{"\\u0041' + b"n" * 49_999 + b'":1}',
    b'{"\\u0041' + b"n" * 50_000 + b'":1}',
] + [
    b'{"' + name + b'":1}'
    for name in (b"n" * 50_000, b"n" * 50_001, "é".encode() * 50_000, "é".encode() * 50_001, "😀".encode() * 25_000,
                 "😀".encode() * 25_001)
]
VALUES = PLAIN + NUMBERS + SHAPES + BYTES + LIMITS
