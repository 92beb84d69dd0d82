"""The style check is right about small trees: each rule finds its offender and nothing else."""
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import tidy


def rules(files):
    """The rules that find something in a tree of {path: text}; rooms get their README and CMakeLists."""
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for room in {tidy.room_of(path) for path in files if tidy.room_of(path)}:
            files.setdefault(f"src/{room}/README.md", "# room\n")
            files.setdefault(f"src/{room}/CMakeLists.txt", f"room({room})\n")
        for path, text in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text, encoding="utf-8")
        return [rule for _, _, rule, _ in tidy.check(root)]


def header(*lines):
    return "\n".join(["// A file.", "#pragma once", *lines]) + "\n"


class Tidy(unittest.TestCase):
    def test_a_clean_tree_has_no_findings(self):
        self.assertEqual(rules({"src/log/a.h": header('#include "rt/b.h"', '#include "log/c.h"')}), [])

    def test_the_same_or_a_higher_floor_is_refused(self):
        self.assertEqual(rules({"src/log/a.h": header('#include "lake/b.h"')}), ["floor"])
        self.assertEqual(rules({"src/log/a.h": header('#include "app/b.h"')}), ["floor"])

    def test_an_include_without_its_room_is_refused(self):
        self.assertEqual(rules({"src/log/a.h": header('#include "a.h"')}), ["floor"])

    def test_a_declared_dependency_must_be_lower(self):
        self.assertEqual(rules({"src/log/a.h": header(), "src/log/CMakeLists.txt": "room(log DEPS base sql LIBS x)\n"}),
                         ["floor"])

    def test_libraries_stay_behind_their_fences(self):
        self.assertEqual(rules({"src/log/a.h": header("#include <rocksdb/db.h>")}), ["fence"])
        self.assertEqual(rules({"src/kv/a.h": header("#include <rocksdb/db.h>")}), [])

    def test_include_cycles_are_found(self):
        files = {"src/log/a.h": header('#include "log/b.h"'), "src/log/b.h": header('#include "log/a.h"')}
        self.assertEqual(rules(files), ["cycle"])

    def test_sizes_and_openings_are_checked(self):
        self.assertEqual(rules({"src/log/a.h": header(*["int x;"] * 800)}), ["size"])
        self.assertEqual(rules({"src/log/a.h": header("int " + "x" * 100 + ";")}), ["columns"])
        self.assertEqual(rules({"src/log/a.h": "#pragma once\n"}), ["opening"])
        self.assertEqual(rules({"src/log/a.h": "// A file.\n"}), ["once"])

    def test_names_that_say_nothing_are_refused(self):
        self.assertEqual(rules({"src/log/log_utils.h": header()}), ["name"])

    def test_words_and_dead_code_are_refused(self):
        self.assertEqual(rules({"src/log/a.h": header("// TO" + "DO later")}), ["word"])
        self.assertEqual(rules({"src/log/a.h": header("// return value;")}), ["commented-out"])

    def test_a_room_needs_a_readme_and_a_build(self):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            (root / "src/log").mkdir(parents=True)
            (root / "src/log/a.h").write_text(header(), encoding="utf-8")
            self.assertEqual([rule for _, _, rule, _ in tidy.check(root)], ["readme", "cmake"])

    def test_what_tests_of_real_systems_import_is_required(self):
        files = {"tests/real/requirements.txt": "boto3==1\nPyYAML==6\npsycopg[binary]==3\n",
                 "tests/real/test_a.py": '"""A."""\nimport os, yaml\nimport psycopg  # noqa\nfrom side import b\n',
                 "tests/e2e/side.py": '"""B."""\nimport boto3.session as s\n\n\ndef b():\n    import fastavro\n',
                 "tests/e2e/test_c.py": '"""C."""\nimport fastavro\n'}
        self.assertEqual(rules(files), [])
        files["tests/e2e/side.py"] += "import fastavro\n"
        self.assertEqual(rules(files), ["import"])

    def test_function_lengths_are_measured(self):
        lines = ["namespace a {", "int f(int x) {", "  if (x) {", "    return '{';", "  }", "}", "struct S {",
                 "  int g() { return 1; }",
                 "};", "}"]
        self.assertEqual(tidy.functions(lines), [(2, 5), (8, 1)])

    def test_a_long_function_is_a_finding(self):
        body = ["inline void f() {"] + ["  g();"] * 120 + ["}"]
        self.assertEqual(rules({"src/log/a.h": header(*body)}), ["function"])

    def test_the_ratchet_only_shrinks(self):
        clean = {"src/log/a.h": header(), "tools/tidy_ratchet.txt": "src/log/a.h: size\n"}
        self.assertEqual(rules(clean), ["ratchet"])
        known = {"src/log/a.h": header(*["int x;"] * 800), "tools/tidy_ratchet.txt": "src/log/a.h: size\n"}
        self.assertEqual(rules(known), [])


if __name__ == "__main__":
    unittest.main()
