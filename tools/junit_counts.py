"""Prints "PASSED FAILED" of a JUnit file, as ctest and pytest write them; a skipped test counts as neither."""
import sys
import xml.etree.ElementTree as xml


def counts(root):
    """(passed, failed) over every testcase."""
    passed = failed = 0
    for case in root.iter("testcase"):
        broken = case.find("failure") is not None or case.find("error") is not None
        skipped = case.find("skipped") is not None or case.get("status") in ("notrun", "disabled")
        if broken or case.get("status") == "fail":
            failed += 1
        elif not skipped:
            passed += 1
    return passed, failed


if __name__ == "__main__":
    print(*counts(xml.parse(sys.argv[1]).getroot()))
