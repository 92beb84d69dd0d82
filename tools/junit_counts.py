"""Prints "PASSED FAILED" of a JUnit file, as ctest and pytest write them; a skipped test counts as neither."""
import pathlib
import re
import sys
import xml.etree.ElementTree as xml

# What XML 1.0 does not have (clause 2.2), ctest writes as a test printed it: an escape character of a colour, say.
NO_CHARACTERS = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")


def counts(written):
    """(passed, failed) over every testcase of the bytes of a file."""
    passed = failed = 0
    for case in xml.fromstring(NO_CHARACTERS.sub(b"", written)).iter("testcase"):
        broken = case.find("failure") is not None or case.find("error") is not None
        skipped = case.find("skipped") is not None or case.get("status") in ("notrun", "disabled")
        if broken or case.get("status") == "fail":
            failed += 1
        elif not skipped:
            passed += 1
    return passed, failed


if __name__ == "__main__":
    print(*counts(pathlib.Path(sys.argv[1]).read_bytes()))
