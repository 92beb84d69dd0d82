"""Compares two transcripts of ConfigTranscript.java: `compare.py KAFKA TAILRACE`. README.md says how they are made.

Prints the differences that known_differences.txt does not have; exit 1 when there are any.
"""
import difflib
import pathlib
import re
import sys

# What each broker was started with or where it runs; and the names of Kafka's own loggers.
OWN = ["advertised.listeners", "controller.listener.names", "controller.quorum.voters", "inter.broker.listener.name",
       "listener.security.protocol.map", "listeners", "log.dirs", "max.connections", "num.network.threads"]


def lines(path):
    for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines():
        if not re.match(rf"  ({'|'.join(map(re.escape, OWN))})=", line):
            yield re.sub(r"127\.0\.0\.1:\d+", "HOST:PORT", line)


def main(kafka, tailrace):
    known = pathlib.Path(__file__).with_name("known_differences.txt").read_text(encoding="utf-8").splitlines()
    known = tuple(line for line in known if line and not line.startswith("#"))
    found = [line for line in difflib.unified_diff(list(lines(kafka)), list(lines(tailrace)), n=0, lineterm="")
             if not line.startswith(("---", "+++", "@@"))]
    unknown = [line for line in found if not line[1:].startswith(known)]
    print("\n".join(unknown))
    print(f"{len(found)} lines differ, {len(unknown)} of them unexplained")
    return 1 if unknown else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
