"""Appends records as they are to a topic of a data folder that nothing runs on, by tests/log/topic_writer.cc."""
import os
import pathlib
import struct
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
WRITER = os.environ.get("TOPIC_WRITER", ROOT / "build" / "tests" / "log" / "topic_writer")


def encoded(text):
    return struct.pack("<i", -1) if text is None else struct.pack("<i", len(text)) + text


def append(data, topic, records, partitions):
    """`records` are (partition, timestamp in ms, key, value), the last two bytes or None."""
    (pathlib.Path(data) / "log").mkdir(parents=True, exist_ok=True)
    text = b"".join(struct.pack("<iq", partition, time) + encoded(key) + encoded(value)
                    for partition, time, key, value in records)
    subprocess.run([WRITER, pathlib.Path(data) / "log", topic, str(partitions)], input=text, check=True, timeout=120)
