"""Reads a topic's segment files as Kafka's documentation describes them: record batches v2, uncompressed."""
import struct

HEADER = struct.Struct(">qiibIhiqqqhii")


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return (value >> 1) ^ -(value & 1), at


def timed_records_of(data, at, count):
    """Time's delta, offset's delta, key and value, the last two None where there is none."""
    for _ in range(count):
        length, at = varint(data, at)
        end = at + length
        at += 1
        time, at = varint(data, at)
        delta, at = varint(data, at)
        texts = []
        for _ in range(2):
            size, at = varint(data, at)
            texts.append(None if size < 0 else bytes(data[at:at + size]))
            at += max(size, 0)
        yield time, delta, *texts
        at = end


def keyed_records_of(data, at, count):
    """Offset's delta, key and value, either None where there is none."""
    for _, *record in timed_records_of(data, at, count):
        yield record


def records_of(data, at, count):
    for delta, _, value in keyed_records_of(data, at, count):
        yield delta, value or b""


def batches(path, torn=False):
    """(position, size, base offset, number of offsets, records) of each batch of a segment file."""
    data = path.read_bytes()
    at = 0
    while at < len(data):
        if torn and (len(data) - at < HEADER.size or len(data) - at < 12 + struct.unpack_from(">i", data, at + 8)[0]):
            return
        base, length, _, magic, _, attributes, last_delta, *_, count = HEADER.unpack_from(data, at)
        assert magic == 2 and attributes & 7 == 0, (path, at)
        yield at, 12 + length, base, last_delta + 1, list(records_of(data, at + HEADER.size, count))
        at += 12 + length


def keyed_records(path):
    """Key and value of each record of a segment file."""
    data = path.read_bytes()
    for at, _, _, _, records in batches(path):
        for _, key, value in keyed_records_of(data, at + HEADER.size, len(records)):
            yield key, value


def whole_values(data_folder, topic, partitions):
    """As values(), of the batches that are whole: a file may end in the middle of one."""
    found = {}
    for partition in range(partitions):
        for path in segments(data_folder, topic, partition):
            for _, _, base, _, records in batches(path, torn=True):
                found.update({(partition, base + delta): value for delta, value in records})
    return found


def segments(data_folder, topic, partition):
    return sorted((data_folder / "log" / f"{topic}-{partition}").glob("*.log"))


def values(data_folder, topic, partitions):
    """(partition, offset) → value; fails when offsets have a gap or come twice."""
    found = {}
    for partition in range(partitions):
        expected = None
        for path in segments(data_folder, topic, partition):
            for _, _, base, count, records in batches(path):
                assert expected is None or base == expected, (path, base, expected)
                expected = base + count
                for delta, value in records:
                    found[partition, base + delta] = value
    return found


def messages(data_folder, topic, partitions):
    """Key and value of each record, in the order of each partition."""
    for partition in range(partitions):
        for path in segments(data_folder, topic, partition):
            data = path.read_bytes()
            for at, _, _, _, records in batches(path):
                for _, key, value in keyed_records_of(data, at + HEADER.size, len(records)):
                    yield key, value


def timed_records(data_folder, topic, partitions):
    """Key, value, partition, offset and timestamp in ms of each record; texts, or None."""
    for partition in range(partitions):
        for path in segments(data_folder, topic, partition):
            data = path.read_bytes()
            for at, _, base, _, records in batches(path):
                began = HEADER.unpack_from(data, at)[7]
                for time, delta, *texts in timed_records_of(data, at + HEADER.size, len(records)):
                    key, value = (None if text is None else text.decode() for text in texts)
                    yield key, value, partition, base + delta, began + time
