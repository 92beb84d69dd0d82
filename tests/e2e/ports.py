"""Ports that stay their test's own while nothing listens there: a server is killed and started again at the same one.

They lie outside the range from which the kernel serves port 0 and clients, and are locked against other tests'
processes until this one ends.
"""
import fcntl
import os
import pathlib
import random
import socket
import tempfile

_low, _high = map(int, pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
_left = [port for port in range(10000, 65536) if not _low <= port <= _high] or list(range(10000, 65536))
random.shuffle(_left)
_locks = open(pathlib.Path(tempfile.gettempdir()) / f"tailrace-tests-{os.getuid()}.ports", "w", encoding="ascii")


def _take(port):
    try:
        fcntl.lockf(_locks, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)  # one byte of the file a port
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            with socket.socket(type=kind) as probe:
                probe.bind(("127.0.0.1", port))
    except OSError:
        return False
    return True


def free(count):
    """`count` ports, each given once in a process."""
    found = []
    while len(found) < count:
        port = _left.pop()
        if _take(port):
            found.append(port)
    return found
