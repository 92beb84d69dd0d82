"""How many tests a JUnit file says have passed and failed."""
import unittest

import junit_counts


def file(*cases):
    return b'<?xml version="1.0" encoding="UTF-8"?>\n<testsuite>' + b"".join(cases) + b"</testsuite>\n"


PASSED = b'<testcase name="a" status="run"/>'
FAILED = b'<testcase name="b" status="fail"><failure message="no"/></testcase>'
BROKEN = b'<testcase name="c"><error message="no fixture"/></testcase>'
SKIPPED = b'<testcase name="d"><skipped message="elsewhere"/></testcase>'
NOT_RUN = b'<testcase name="e" status="notrun"/>'


class Counts(unittest.TestCase):
    def test_who_failed_or_broke_has_failed_and_who_did_not_run_is_not_counted(self):
        self.assertEqual(junit_counts.counts(file(PASSED, PASSED, FAILED, BROKEN, SKIPPED, NOT_RUN)), (2, 2))

    def test_what_a_test_printed_in_colours_is_no_matter(self):
        printed = b'<testcase name="f" status="run"><system-out>\x1b[1mbold\x1b[0m\x00\t</system-out></testcase>'
        self.assertEqual(junit_counts.counts(file(printed, FAILED)), (1, 1))


if __name__ == "__main__":
    unittest.main()
