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


def records_of(data, at, count):
    for _ in range(count):
        length, at = varint(data, at)
        end = at + length
        at += 1
        _, at = varint(data, at)
        delta, at = varint(data, at)
        size, at = varint(data, at)
        at += max(size, 0)
        size, at = varint(data, at)
        yield delta, bytes(data[at:at + size])
        at = end


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
