"""Which files are compiled together, and which never."""
import pathlib
import tempfile
import unittest

import together


class Together(unittest.TestCase):
    def batches(self, headers=None, most=10, **files):
        """The names of files that go together, of their texts."""
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            for one, text in (headers or {}).items():
                (folder / one).write_text(text)
            sources = []
            for one, text in files.items():
                path = folder / f"{one}.cc"
                path.write_text(text)
                sources.append(together.Source(path, folder))
            return ["".join(one.path.stem for one in batch) for batch in together.batches(sources, most)]

    def test_files_that_name_other_things_go_together(self):
        one, two = "namespace { int one() { return 1; } }", "namespace { int two() { return 2; } }"
        self.assertEqual(self.batches(a=one, b=two), ["ab"])

    def test_at_most_so_many_go_together(self):
        self.assertEqual(self.batches(most=2, a="", b="", c=""), ["ab", "c"])

    def test_files_that_name_the_same_are_kept_apart(self):
        for text in ("namespace { constexpr int kMost = 3; }", "namespace { struct kMost {}; }",
                     "namespace r {\nnamespace {\ntemplate <typename T>\nbool kMost(const T& x) { return x; }\n}\n}",
                     "using kMost = int;", "#define kMost 3\n", "enum class kMost { kOne };", "static int kMost[2];",
                     "constexpr int kLeast = 1, kMost = 2;", "using a::kMost;"):
            self.assertEqual(self.batches(a=text, b="namespace { const long kMost = 7; }"), ["a", "b"], text)

    def test_what_stands_within_functions_and_texts_disturbs_nobody(self):
        text = 'int one() { int most = 2; return most; }  // kMost\nconst char* two = "kMost";'
        self.assertEqual(self.batches(a=text, b="namespace { int kMost = 1; }"), ["ab"])

    def test_a_name_that_another_file_mentions_is_kept_apart(self):
        text = "namespace { int size(int x) { return x; } }"
        self.assertEqual(self.batches(a=text, b="int two() { return size(2.5); }"), ["a", "b"])

    def test_a_name_that_another_file_s_header_has_is_kept_apart(self):
        header = {"h.h": "namespace r { enum Kind { kOne }; }"}
        self.assertEqual(self.batches(header, a='#include "h.h"\n', b="namespace r { namespace { struct Kind {}; } }"),
                         ["a", "b"])

    def test_the_same_name_for_the_same_thing_goes_together(self):
        self.assertEqual(self.batches(a="using r::Kind;\nKind one;", b="using r::Kind;\nKind two;"), ["ab"])
        self.assertEqual(self.batches(a="using r::Kind;", b="using s::Kind;"), ["a", "b"])

    def test_a_namespace_that_hides_another_is_kept_from_who_means_that(self):
        header = {"h.h": "namespace t::r::testing { int one(); }"}
        self.assertEqual(self.batches(header, a='#include "h.h"\nusing testing::two;', b="using ::testing::three;",
                                      c='#include "h.h"\nusing testing::four;'), ["ac", "b"])

    def test_who_uses_a_whole_namespace_within_a_room_s_stays_alone(self):
        header = {"h.h": "namespace t::r::testing { using Value = int; }"}
        text = '#include "h.h"\nusing namespace testing;'
        self.assertEqual(self.batches(header, a=text, b=text), ["a", "b"])

    def test_whole_namespaces_are_used_only_among_their_like(self):
        self.assertEqual(self.batches(a="using namespace r;", b="", c="using namespace r;"), ["ac", "b"])

    def test_tests_of_one_name_are_kept_apart(self):
        self.assertEqual(self.batches(a="TEST(Suite, case) { }", b="TEST(Suite, case) { }", c="TEST(Suite, other) { }"),
                         ["ac", "b"])


if __name__ == "__main__":
    unittest.main()
