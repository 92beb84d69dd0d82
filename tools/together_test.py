"""Which files are compiled together, and which never."""
import pathlib
import tempfile
import unittest

import together


class Together(unittest.TestCase):
    def batches(self, headers=None, most=10, **files):
        """The names of files that go together, of their texts."""
        return sorted("".join(sorted(one.path.stem for one in batch)) for batch in self.made(headers, most, files)[0])

    def text(self, headers=None, **files):
        """What is compiled for files that all go together."""
        return self.made(headers, 10, files)[1]

    def made(self, headers, most, files):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            for one, text in (headers or {}).items():
                (folder / one).write_text(text)
            sources = []
            for one, text in files.items():
                path = folder / f"{one}.cc"
                path.write_text(text)
                sources.append(together.Source(path, folder))
            batches = together.batches(sources, most)
            return batches, together.text_of(batches[0], folder)

    def test_who_disturbs_some_is_placed_before_who_disturbs_none(self):
        self.assertEqual(self.batches(most=2, a="", b="", c="using r::Kind;", d="using s::Kind;"), ["ac", "bd"])

    def test_files_that_name_other_things_go_together(self):
        one, two = "namespace { int one() { return 1; } }", "namespace { int two() { return 2; } }"
        self.assertEqual(self.batches(a=one, b=two), ["ab"])

    def test_at_most_so_many_go_together(self):
        self.assertEqual(self.batches(most=2, a="", b="", c=""), ["ab", "c"])

    def test_names_of_one_file_alone_get_another_one_while_it_is_read(self):
        for text in ("namespace { constexpr int kMost = 3; }", "namespace { struct kMost {}; }",
                     "namespace r {\nnamespace {\ntemplate <typename T>\nbool kMost(const T& x) { return x; }\n}\n}",
                     "using kMost = int;", "enum class kMost { kOne };", "static int kMost[2];",
                     "constexpr int kLeast = 1, kMost = 2;"):
            self.assertEqual(self.text(a=text, b="namespace { const long kMost = 7; }"),
                             '#define kMost kMost_of_a_cc\n#include "a.cc"\n#undef kMost\n'
                             '#define kMost kMost_of_b_cc\n#include "b.cc"\n#undef kMost\n', text)

    def test_what_is_not_of_one_file_alone_is_kept_apart(self):
        header = {"h.h": "int kMost();"}
        for text in ("#define kMost 3\n", "using a::kMost;", "namespace { int kMost(S s) { return s.kMost; } }",
                     "namespace { int kMost(S* s) { return s->kMost; } }", "#if 1\nint kMost;\n#endif\n",
                     '#include "h.h"\nint kMost() { return 1; }'):
            self.assertEqual(self.batches(header, a=text, b="namespace { const long kMost = 7; }"), ["a", "b"], text)

    def test_headers_come_before_names_that_they_might_mention(self):
        header = {"h.h": "struct S { int most; };"}
        self.assertEqual(self.text(header, a='#include <map>\nnamespace { int most; }', b='#include "h.h"\n'),
                         '#include <map>\n#include "h.h"\n'
                         '#define most most_of_a_cc\n#include "a.cc"\n#undef most\n#include "b.cc"\n')

    def test_a_member_of_another_file_is_no_mention(self):
        text = self.text(a="namespace { int most; }", b="int two(S s) { return s.most + S::most; }")
        self.assertNotIn("#define", text)

    def test_what_stands_within_functions_and_texts_disturbs_nobody(self):
        text = 'int one() { int most = 2; return most; }  // kMost\nconst char* two = "kMost";'
        self.assertNotIn("#define", self.text(a=text, b="namespace { int kMost = 1; }"))

    def test_a_name_that_others_find_by_its_arguments_is_kept_apart(self):
        text = "namespace { int size(int x) { return x; } }"
        self.assertEqual(self.batches(a=text, b="int two() { return size(2.5); }"), ["a", "b"])

    def test_a_name_that_only_another_file_s_header_has_is_another(self):
        header = {"h.h": "namespace r { enum Kind { kOne }; }"}
        text = "namespace r { namespace { struct Kind {}; } }"
        self.assertIn("#define Kind Kind_of_b_cc", self.text(header, a='#include "h.h"\n', b=text))
        self.assertEqual(self.batches(header, a='#include "h.h"\n', b="using s::Kind;"), ["a", "b"])

    def test_the_same_name_for_the_same_thing_goes_together(self):
        self.assertEqual(self.batches(a="using r::Kind;\nKind one;", b="using r::Kind;\nKind two;"), ["ab"])
        self.assertEqual(self.batches(a="using r::Kind;", b="using s::Kind;"), ["a", "b"])

        self.assertEqual(self.batches(a="namespace fs = std::filesystem;", b="namespace fs = std::filesystem;"), ["ab"])
        self.assertEqual(self.batches(a="#define INLINE 1\n", b="#define INLINE 1\n"), ["ab"])
        self.assertEqual(self.batches(a="#define INLINE 1\n", b="#define INLINE 2\n"), ["a", "b"])

    def test_who_calls_what_a_header_of_both_declares_goes_with_who_defines_it(self):
        header = {"h.h": "namespace r { int most(int x); }"}
        call = '#include "h.h"\nnamespace r { int two() { return most(2); } }'
        define = '#include "h.h"\nnamespace r { int most(int x) { return x; } %s }'
        self.assertEqual(self.batches(header, a=define % "", b=call), ["ab"])
        another = "namespace { int most(long x) { return 1; } }"  # the call might mean it
        self.assertEqual(self.batches(header, a=define % another, b=call), ["a", "b"])

    def test_a_name_before_that_of_a_header_is_kept_from_who_means_the_header_s(self):
        header = {"h.h": "namespace t { inline constexpr int kMost = 1; }"}
        hides = '#include "h.h"\nnamespace t::r { namespace { constexpr int kMost = 2; } }'
        means = '#include "h.h"\nnamespace t::r { int two() { return kMost; } }'
        self.assertEqual(self.batches(header, a=hides, b=means), ["a", "b"])

    def test_what_std_has_too_is_never_called_by_its_name_alone(self):
        text = self.text(a="namespace { std::string quoted(std::string_view x); }", b="#include <iomanip>\n")
        self.assertIn("#define quoted quoted_of_a_cc", text)

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
