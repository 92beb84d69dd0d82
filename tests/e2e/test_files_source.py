"""The files source against files that Python's own csv, gzip and json, and pyarrow, have written: every record of every
file exactly once, whatever is done to the files meanwhile and however often the process is killed."""
import base64
import collections
import csv
import datetime
import decimal
import gzip
import io
import json
import os
import random
import shutil
import sqlite3
import subprocess
import threading
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tailrace

SQL = "CREATE STREAMING TABLE raw AS SELECT value FROM STREAM input;\n"
SPEC = "name: files\nstorage: file:///tmp/files\nlibraries:\n  - glob: {include: transformations/**}\n"


class Inbox(tailrace.Project):
    """A project that only takes files of a folder into a table."""

    def __init__(self, tmp_path, path="inbox", **options):
        source = tmp_path / "source"
        (source / "transformations").mkdir(parents=True)
        (source / "transformations" / "bronze.sql").write_text(SQL)
        (source / "spark-pipeline.yml").write_text(SPEC)
        self.inbox = tmp_path / "inbox"
        self.inbox.mkdir()
        super().__init__(tmp_path, source=source, settings=json.dumps({
            "topics": {"input": {"partitions": 2, "format": "raw"}},
            "ingest": [{"name": "files", "topic": "input", "use": "files",
                        "files": {"path": str(tmp_path / path), "every": "50ms", "settle": "100ms"} | options}],
            "checkpoint": {"every": "200ms"}}))

    def values(self):
        """Of the last checkpoint, as deltalake reads it."""
        has_table = (self.data / "lake" / "raw" / "_delta_log").exists()
        return [row["value"] for row in self.lake("raw")] if has_table else []

    def records(self):
        return [json.loads(v) for v in self.values()]

    def letters(self):
        return self.sql("SELECT * FROM system.dead_letters")

    def hop(self):
        return self.hops()["fetched.files"]

    def why(self, *words):
        return tailrace.wait_until(lambda: (lambda w: w if all(x in w for x in words) else None)(self.hop()["why"]),
                                   f"{words} in the hop's line; it is {self.hop()}")

    def write(self, name, data, old=False):
        """A whole file at once, renamed into place; `old`: it stands still since long."""
        path = self.inbox / name
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name("." + path.name)
        part.write_bytes(data if isinstance(data, bytes) else data.encode())
        if old:
            os.utime(part, (1e9, 1e9))
        part.rename(path)
        return path

    def expect(self, records, letters=0):
        """Waits until the table holds just these."""
        tailrace.wait_until(lambda: self.hops()["bronze.raw"]["count"] >= len(records),
                            f"{len(records)} records; hop: {self.hop()}", 60)
        tailrace.wait_until(lambda: len(self.values()) >= len(records) and len(self.letters()) >= letters,
                            "a checkpoint, which is what the lake holds")
        same(self.records(), records)
        assert len(self.letters()) == letters


def same(found, expected):
    text = lambda records: collections.Counter(json.dumps(r, sort_keys=True, ensure_ascii=False) for r in records)
    assert text(found) == text(expected)


def numbered(begin, end):
    return [{"n": n, "text": f"ü {n} \"quoted\" \\ \n line"} for n in range(begin, end)]


def jsonl(records):
    return "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in records)


def zstd(data):
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as packed:
        packed.write(data)
    return sink.getvalue().to_pybytes()


def test_every_format_is_read_and_packed_ones_too(tmp_path):
    inbox, expected = Inbox(tmp_path), []

    def part(count=50):
        made = numbered(len(expected), len(expected) + count)
        expected.extend(made)
        return made

    table = lambda: pa.Table.from_pylist(part())
    for packing, name in ((lambda b: b, ""), (gzip.compress, ".gz"), (zstd, ".zst")):
        inbox.write("a.jsonl" + name, packing(jsonl(part()).encode()))
        inbox.write("b.ndjson" + name, packing(b"\xef\xbb\xbf" + jsonl(part()).replace("\n", "\r\n").encode()))
        inbox.write("c.json" + name, packing(json.dumps(part()).encode()))
        inbox.write("d.json" + name, packing(json.dumps(part(), indent=3).encode()))
        inbox.write("e.json" + name, packing("\n".join(json.dumps(r, indent=2) for r in part()).encode()))
        inbox.write("f.json" + name, packing(jsonl(part()).encode()))
        text = io.StringIO()
        rows = csv.DictWriter(text, ["n", "text"])
        rows.writeheader()
        rows.writerows(part())
        inbox.write("g.csv" + name, packing(text.getvalue().encode()))
        inbox.write("no_extension" + name, packing(jsonl(part()).encode()))
    for codec in ("snappy", "gzip", "zstd", "none"):
        pq.write_table(table(), inbox.inbox / f"h_{codec}.parquet", compression=codec, row_group_size=7)
    inbox.write("gzip_by_content.jsonl", gzip.compress(jsonl(part()).encode()))
    inbox.write("members.jsonl.gz", gzip.compress(jsonl(part()).encode()) + gzip.compress(jsonl(part()).encode()))
    inbox.start()
    inbox.expect(expected)
    inbox.stop()
    inbox.start()
    more = part()
    inbox.write("z.jsonl", jsonl(more))
    inbox.expect(expected)
    inbox.stop()


def test_lines_of_text_are_records_and_a_half_written_one_is_waited_for(tmp_path):
    texts = ["10:00 [error] no \"such\" file: C:\\tmp\tü", "  indented", "{\"json\": too}", "[open"]
    inbox = Inbox(tmp_path, format="text")
    expected = [{"line": text} for text in texts] * 3
    inbox.write("packed.log.gz", gzip.compress("\n".join(texts).encode()), old=True)
    inbox.write("windows.log", "\ufeff" + "\r\n".join(texts) + "\r\n\r\n \r\n")
    growing = inbox.write("growing.log", "".join(text + "\n" for text in texts) + "11:00 half")
    inbox.start()
    inbox.expect(expected)
    inbox.stop()
    with open(growing, "ab") as out:
        out.write(b" and whole \xff\n11:01 last")
    os.utime(growing, (1e9, 1e9))
    inbox.start()
    inbox.expect(expected + [{"line": "11:00 half and whole \ufffd"}, {"line": "11:01 last"}])
    with open(growing, "a") as out:
        out.write(" went on\n11:02\n")
    expected += [{"line": text} for text in ("11:00 half and whole \ufffd", "11:01 last", "11:02")]
    inbox.expect(expected, 1)
    inbox.stop()


def test_csv_is_what_pythons_csv_reads(tmp_path):
    inbox = Inbox(tmp_path)
    rows = [["1", "plain", "x"], ["2", "with, comma", "y"], ["3", 'say "hi"', ""], ["4", "two\nlines", "z"],
            ["5", "two\r\nlines", ""], ["6", "", "ends with \r"], ["7", " spaces ", '"'], ["8", "naïve – 東京", "007"]]
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow(["id", "text", ""])
    writer.writerows(rows)
    inbox.write("quoted.csv", b"\xef\xbb\xbf" + text.getvalue().encode())
    inbox.write("typed.csv", "n,f,b,t,e\n1,2.50,true,007,\n-3,1e5,false,NaN,x\n\n9,0.1,TRUE,1-2,\"5\"")
    inbox.write("broken.csv", "a,b\n1,2\n3\n4,5,6\n7,8\n")
    inbox.write("twice.csv", "a,a\n1,2\n")
    inbox.write("header_only.csv", "a,b\n")
    inbox.start()
    oracle = [dict(zip(["id", "text", "_c2"], row)) for row in csv.reader(io.StringIO(text.getvalue(), newline=""))][1:]
    typed = [{"n": 1, "f": 2.5, "b": True, "t": "007", "e": None},
             {"n": -3, "f": 1e5, "b": False, "t": "NaN", "e": "x"},
             {"n": 9, "f": 0.1, "b": "TRUE", "t": "1-2", "e": "5"}]
    inbox.expect(oracle + typed + [{"a": 1, "b": 2}, {"a": 7, "b": 8}], letters=3)
    found = {letter["origin"].split("/")[-1]: letter for letter in inbox.letters()}
    assert "1 fields, the header names 2" in found["broken.csv:3"]["detail"] and found["broken.csv:3"]["record"] == "3"
    assert "3 fields" in found["broken.csv:4"]["detail"]
    assert "the column a twice" in found["twice.csv:1"]["detail"]
    inbox.stop()


def test_parquet_types_become_json(tmp_path):
    inbox = Inbox(tmp_path)
    utc = datetime.timezone.utc
    table = pa.table({
        "i8": pa.array([1, None], pa.int8()), "u64": pa.array([2**64 - 1, 0], pa.uint64()),
        "f": pa.array([1.5, float("nan")], pa.float32()), "d": pa.array([0.1, -2e300]),
        "dec": pa.array([decimal.Decimal("12.340"), None], pa.decimal128(9, 3)),
        "s": pa.array(["ü\"\n", ""]), "ls": pa.array(["x", None], pa.large_string()),
        "bin": pa.array([b"\x00\xff", b""]), "fix": pa.array([b"abc", b"\x01\x02\x03"], pa.binary(3)),
        "dict": pa.array(["p", "q"]).dictionary_encode(),
        "list": pa.array([[1, None], []], pa.list_(pa.int64())),
        "ll": pa.array([["a"], None], pa.large_list(pa.string())),
        "struct": pa.array([{"a": 1, "b": {"c": "x"}}, None]),
        "map": pa.array([[("k", 1), ("l", None)], []], pa.map_(pa.string(), pa.int64())),
        "date": pa.array([datetime.date(2024, 2, 29), None]),
        "ts": pa.array([datetime.datetime(2024, 1, 2, 3, 4, 5, 678901), None], pa.timestamp("us")),
        "tz": pa.array([datetime.datetime(2024, 1, 2, 3, 4, 5, tzinfo=utc), None], pa.timestamp("us", "UTC")),
    })
    pq.write_table(table, inbox.inbox / "types.parquet")
    inbox.start()
    tailrace.wait_until(lambda: len(inbox.values()) == 2, f"two rows; {inbox.hop()}")
    first, second = sorted(inbox.records(), key=lambda r: r["i8"] is None)
    plain = ("i8", "u64", "d", "s", "ls", "dict", "list", "ll", "struct")
    oracle = table.to_pylist()
    assert {k: first[k] for k in plain} == {k: oracle[0][k] for k in plain}
    assert {k: second[k] for k in plain} == {k: oracle[1][k] for k in plain}
    assert first["f"] == 1.5 and second["f"] == "NaN" and first["dec"] == 12.34
    assert base64.b64decode(first["bin"]) == b"\x00\xff" and base64.b64decode(second["fix"]) == b"\x01\x02\x03"
    assert first["map"] == {"k": 1, "l": None} and second["map"] == {}
    assert datetime.date.fromisoformat(first["date"]) == datetime.date(2024, 2, 29) and second["date"] is None
    assert datetime.datetime.fromisoformat(first["ts"]) == oracle[0]["ts"]
    assert datetime.datetime.fromisoformat(first["tz"].replace("Z", "+00:00")) == oracle[0]["tz"]
    inbox.stop()


def test_a_file_that_is_being_written_is_read_line_by_line(tmp_path):
    inbox = Inbox(tmp_path, unfinished="1h").start()
    log, rows = open(inbox.inbox / "log.jsonl", "wb", buffering=0), open(inbox.inbox / "rows.csv", "wb", buffering=0)
    log.write(b'{"n": 1}\n{"n": 2}\n{"n": 3, "te')
    rows.write(b'n,text\n4,"one\n')
    inbox.expect([{"n": 1}, {"n": 2}])
    inbox.why("unfinished after", "waits for the rest")
    log.write(b'xt": "ok"}\n')
    rows.write(b'two"\n5,x\n')
    expected = [{"n": 1}, {"n": 2}, {"n": 3, "text": "ok"}, {"n": 4, "text": "one\ntwo"}, {"n": 5, "text": "x"}]
    inbox.expect(expected)
    inbox.kill()
    log.write(b'{"n": 6}\n')
    inbox.start()
    inbox.expect(expected + [{"n": 6}])
    log.write(b'{"n": 7}')  # a whole object needs no end of line
    inbox.expect(expected + [{"n": 6}, {"n": 7}])
    log.write(b'\n{"n": 8}\n')
    inbox.expect(expected + [{"n": 6}, {"n": 7}, {"n": 8}])
    assert {v["n"]: v for v in inbox.records()}.keys() == set(range(1, 9)) and inbox.letters() == []
    inbox.stop()


def test_a_line_left_unfinished_becomes_a_dead_letter_with_its_bytes(tmp_path):
    inbox = Inbox(tmp_path, unfinished="300ms")
    inbox.write("a.jsonl", '{"n": 1}\n{"n": 2')
    inbox.start()
    inbox.expect([{"n": 1}], letters=1)
    (letter,) = inbox.letters()
    assert letter["origin"].endswith("a.jsonl:2") and letter["record"] == '{"n": 2'
    with open(inbox.inbox / "a.jsonl", "a") as more:
        more.write(', "late": 1}\n{"n": 3}\n')
    inbox.expect([{"n": 1}, {"n": 3}], letters=2)
    assert any("went on after it was read" in letter["detail"] for letter in inbox.letters())
    inbox.stop()


def test_appended_while_the_process_is_killed_again_and_again(tmp_path):
    inbox = Inbox(tmp_path)
    total, stop = 30_000, threading.Event()

    def write():
        with open(inbox.inbox / "log.jsonl", "a", buffering=1000) as log:  # flushed in the middle of lines
            for n in range(total):
                log.write(json.dumps({"n": n, "pad": "x" * (n % 97)}) + "\n")
                if n % 500 == 0 and not stop.is_set():
                    stop.wait(0.05)

    writer = threading.Thread(target=write)
    inbox.start()
    writer.start()
    for wanted in (500, 3000, 9000, 15000):
        tailrace.wait_until(lambda: inbox.hop()["count"] >= wanted, f"{wanted} records", 60)
        inbox.kill()
        inbox.start()
    stop.set()
    writer.join()
    query = "SELECT count(*) AS n, count(DISTINCT value) AS d FROM raw"
    row = tailrace.wait_until(lambda: (lambda r: r if r["n"] >= total else None)(inbox.sql(query)[0]), "all", 60)
    assert row == {"n": total, "d": total}
    inbox.stop()


def test_files_renamed_into_place_replaced_and_renamed_away(tmp_path):
    inbox = Inbox(tmp_path).start()
    inbox.write("a.jsonl", jsonl([{"n": 1}]))
    inbox.expect([{"n": 1}])
    (inbox.inbox / "a.jsonl").rename(inbox.inbox / "b.jsonl")  # the same file under another name
    inbox.write("a.jsonl", jsonl([{"n": 2}, {"n": 3}]))  # another file under an old name
    inbox.expect([{"n": 1}, {"n": 2}, {"n": 3}])
    with open(inbox.inbox / "b.jsonl", "a") as more:
        more.write('{"n": 4}\n')
    inbox.expect([{"n": 1}, {"n": 2}, {"n": 3}, {"n": 4}])
    (inbox.inbox / "a.jsonl").unlink()
    inbox.write("a.jsonl", jsonl([{"n": 5}]))
    inbox.expect([{"n": n} for n in range(1, 6)])
    (inbox.inbox / "b.jsonl").write_text("")  # emptied, as log rotation does
    sizes = lambda: dict(sqlite3.connect(inbox.data / "ingest" / "files.files").execute("SELECT name, size FROM mark"))
    tailrace.wait_until(lambda: sizes().get("b.jsonl") == 0, "the emptied file to be seen")
    with open(inbox.inbox / "b.jsonl", "a") as more:
        more.write('{"n": 6}\n')
    inbox.expect([{"n": n} for n in range(1, 7)])
    inbox.stop()


def test_a_file_changed_in_place_is_not_doubled_and_is_named(tmp_path):
    inbox = Inbox(tmp_path)
    inbox.write("a.jsonl", jsonl(numbered(0, 10)))
    inbox.write("b.json", json.dumps(numbered(10, 20)))
    inbox.start()
    inbox.expect(numbered(0, 20))

    def overwrite(name, longer):
        """At no moment empty: that would be a file that was rotated, whose lines are new."""
        with open(inbox.inbox / name, "r+", encoding="utf-8") as file:
            file.write(longer)

    overwrite("a.jsonl", jsonl(numbered(100, 140)))
    tailrace.wait_until(lambda: "a.jsonl changed after it was read" in inbox.hop()["last_error"], "the file's name")
    overwrite("b.json", json.dumps(numbered(100, 140)))
    tailrace.wait_until(lambda: "b.json changed after it was read" in inbox.hop()["last_error"], "the file's name")
    inbox.expect(numbered(0, 20))
    inbox.stop()


def test_a_packed_file_cut_short_is_read_on_when_the_rest_has_come(tmp_path):
    inbox = Inbox(tmp_path, unfinished="1h")
    random.seed(5)
    records = [{"n": n, "pad": random.randbytes(30).hex()} for n in range(20_000)]
    packed = {"a.jsonl.gz": gzip.compress(jsonl(records[:10_000]).encode()),
              "b.jsonl.zst": zstd(jsonl(records[10_000:]).encode())}
    for name, data in packed.items():
        (inbox.inbox / name).write_bytes(data[:len(data) // 2])
    inbox.start()
    inbox.why("waits for the rest")
    inbox.kill()
    inbox.start()
    inbox.why("waits for the rest")
    for name, data in packed.items():
        with open(inbox.inbox / name, "ab") as more:
            more.write(data[len(data) // 2:])
    inbox.expect(records)
    inbox.stop()


@pytest.mark.parametrize("name, make, kept", [
    ("cut.jsonl.gz", lambda: gzip.compress(jsonl(numbered(0, 5000)).encode())[:-5000], None),
    ("cut.jsonl.zst", lambda: zstd(jsonl(numbered(0, 5000)).encode())[:-2000], None),
    ("flipped.jsonl.gz", lambda: (lambda b: b[:200] + bytes([b[200] ^ 255]) + b[201:])(
        gzip.compress(jsonl(numbered(0, 5000)).encode())), None),
    ("text.jsonl.zst", lambda: b"no zstd at all", 0), ("text.parquet", lambda: b"no parquet at all", 0),
    ("cut.json", lambda: json.dumps(numbered(0, 100)).encode()[:-60], 98)])
def test_a_damaged_file_keeps_what_can_be_read_and_says_where_it_ended(tmp_path, name, make, kept):
    inbox = Inbox(tmp_path)
    path = inbox.write(name, make(), old=True)
    inbox.write("zz.jsonl", jsonl([{"n": -1}]))
    inbox.start()
    tailrace.wait_until(lambda: inbox.letters() and {"n": -1} in inbox.records(), f"the letter; {inbox.hop()}")
    letter = next(letter for letter in inbox.letters() if letter["reason"] == "unreadable file")
    found = [r for r in inbox.records() if r["n"] >= 0]
    assert str(path) in letter["detail"]
    assert f"after {len(found) + len(inbox.letters()) - 1} records" in letter["detail"]
    if kept is not None:
        assert len(found) == kept
    if len(inbox.letters()) == 1:
        assert sorted(found, key=lambda r: r["n"]) == numbered(0, len(found))
    inbox.stop()
    inbox.start()
    inbox.write("zzz.jsonl", jsonl([{"n": -2}]))
    tailrace.wait_until(lambda: {"n": -2} in inbox.records(), "the file that came later")
    assert len(inbox.records()) == len(found) + 2
    inbox.stop()


def test_an_unreadable_file_is_named_and_read_once_it_may_be(tmp_path):
    inbox = Inbox(tmp_path)
    path = inbox.write("a.jsonl", jsonl(numbered(0, 3)))
    inbox.write("b.jsonl", jsonl(numbered(3, 5)))
    path.chmod(0)
    prefix = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] if os.getuid() == 0 else []
    if prefix and not shutil.which("setpriv"):
        pytest.skip("root reads everything, and setpriv is not there to take that away")
    out = open(inbox.log, "ab")
    inbox.process = subprocess.Popen([*prefix, tailrace.PROGRAM, "run", inbox.folder, "--data", inbox.data,
                                      *tailrace.FREE_PORTS], stdout=out, stderr=out)
    tailrace.started.append(inbox.process)
    tailrace.wait_until(inbox.url, "the control centre's address")
    inbox.why("cannot read", "a.jsonl", "Permission denied")
    tailrace.wait_until(lambda: inbox.hops()["bronze.raw"]["count"] == 2, "the other file")
    path.chmod(0o644)
    inbox.expect(numbered(0, 5))
    tailrace.wait_until(lambda: inbox.hop()["state"] == "ok", "the hop to be well again")
    inbox.stop()


def test_a_file_of_no_known_kind_is_left_alone_and_named(tmp_path):
    inbox = Inbox(tmp_path)
    inbox.write("notes.txt", "to whom it may concern\n")
    inbox.write("picture.png", b"\x89PNG\r\n\x1a\n" + bytes(100))
    inbox.write("events.log", jsonl(numbered(0, 3)))
    inbox.write(".hidden.jsonl", "{}\n")
    inbox.write("_SUCCESS", "")
    inbox.write("part.jsonl.tmp", "{}\n")
    inbox.start()
    inbox.expect(numbered(0, 3))
    inbox.why("notes.txt", "no known kind", "format")
    inbox.stop()


@pytest.mark.parametrize("pattern, found", [
    ("inbox", {"top"}), ("inbox/", {"top"}), ("inbox/*.jsonl", {"top"}), ("inbox/top.jsonl", {"top"}),
    ("inbox/**", {"top", "y", "m", "d"}), ("inbox/**/*.jsonl", {"top", "y", "m", "d"}), ("inbox/*/*.jsonl", {"y"}),
    ("inbox/year=20[0-9][0-9]/**/d?y.jsonl", {"d"})])
def test_folders_and_patterns(tmp_path, pattern, found):
    inbox = Inbox(tmp_path, path=pattern)
    places = {"top.jsonl": "top", "year=2024/year.jsonl": "y", "year=2024/month=1/month.jsonl": "m",
              "year=2024/month=1/x/day.jsonl": "d", "_temporary/0.jsonl": "no", ".staging/0.jsonl": "no"}
    for name, value in places.items():
        inbox.write(name, jsonl([{"at": value}]))
    (inbox.inbox / "loop").symlink_to(inbox.inbox)
    inbox.start()
    inbox.expect([{"at": value} for value in sorted(found)])
    inbox.stop()


def test_a_folder_that_is_not_there_yet_is_named_and_waited_for(tmp_path):
    inbox = Inbox(tmp_path, path="later/on").start()
    inbox.why("cannot list", "later/on")
    assert "fetched `files` fails" in inbox.first_empty_hop()
    (tmp_path / "later" / "on").mkdir(parents=True)
    (tmp_path / "later" / "on" / "a.jsonl").write_text(jsonl(numbered(0, 3)))
    inbox.expect(numbered(0, 3))
    inbox.stop()


def test_two_thousand_small_files_over_kills(tmp_path):
    inbox = Inbox(tmp_path)
    for n in range(2000):
        inbox.write(f"{n % 7}/{n:05}.jsonl" if n % 2 else f"{n:05}.csv", f'{{"n": {n}}}\n' if n % 2 else f"n\n{n}\n")
    config = json.loads((inbox.folder / "tailrace.yml").read_text())
    config["ingest"][0]["files"]["path"] += "/**"
    (inbox.folder / "tailrace.yml").write_text(json.dumps(config))
    inbox.start()
    for wanted in (100, 700, 1500):
        tailrace.wait_until(lambda: inbox.hop()["count"] >= wanted, f"{wanted} records", 60)
        inbox.kill()
        inbox.start()
    inbox.expect([{"n": n} for n in range(2000)])
    inbox.stop()


def peak_memory_mb(inbox):
    status = open(f"/proc/{inbox.process.pid}/status").read()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.csv", "a.jsonl.gz"])
def test_a_large_file_takes_no_more_memory_than_a_small_one(tmp_path, name):
    """TAILRACE_LARGE_FILE_MB=1024 for the real thing."""
    size = int(os.environ.get("TAILRACE_LARGE_FILE_MB", "64")) << 20
    inbox = Inbox(tmp_path)
    pad = "x" * 10_000
    begin, line, between, end = {
        "a.json": (b"[", '{"n": %d, "pad": "' + pad + '"}', b",\n", b"]"),
        "a.csv": (b"n,pad\n", "%d," + pad, b"\n", b"\n"),
    }.get(name, (b"", '{"n": %d, "pad": "' + pad + '"}', b"\n", b"\n"))
    count = size // len(line)
    opened = gzip.open if name.endswith(".gz") else open
    settings = {"compresslevel": 1} if name.endswith(".gz") else {}
    with opened(inbox.inbox / name, "wb", **settings) as out:
        out.write(begin)
        for n in range(count):
            out.write((between if n else b"") + (line % n).encode())
        out.write(end)
    inbox.start()
    before = peak_memory_mb(inbox)
    tailrace.wait_until(lambda: inbox.hop()["count"] >= count, f"{count} records; {inbox.hop()}", 600)
    grown = peak_memory_mb(inbox) - before
    print(f"{name}: {size >> 20} MB, {grown:.0f} MB more memory at its peak")
    assert inbox.hop()["count"] == count
    assert grown < 400
    inbox.stop()
