// Ours against Cassandra 5.0.9's parser: the same statements are taken and refused, at the same
// place, in the same words.
#include "cql_syntax/testing/verdicts.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <map>

#include "cql_syntax/statement.h"

namespace tailrace::cql_syntax {
namespace {

using testing::Verdict;

std::string said(const std::string& statement) {
  const Result<Statement> made = parse(statement);
  return made ? "ok" : made.error().what;
}

// "line 1:9 " of a sentence; nothing of one without a place.
std::string place(const std::string& sentence) {
  return sentence.starts_with("line ") ? sentence.substr(0, sentence.find(' ', 5)) : "";
}

std::string without_snippet(const std::string& sentence) {
  return sentence.substr(0, sentence.rfind(" ("));
}

char agreement(const std::string& ours, const std::string& cassandras) {
  if (ours == cassandras) return '=';
  if ((ours == "ok") != (cassandras == "ok")) return '!';
  if (place(ours) != place(cassandras)) return '?';
  return without_snippet(ours) == without_snippet(cassandras) ? '~' : '-';
}

TEST(Verdicts, each_statement_is_judged_as_by_cassandra) {
  const std::vector<Verdict> verdicts = testing::verdicts();
  ASSERT_GE(verdicts.size(), 400u) << "run it in the project's folder";
  for (const Verdict& verdict : verdicts) {
    const std::string ours = said(verdict.statement);
    EXPECT_EQ(agreement(ours, verdict.sentence), verdict.agreement)
        << verdict.statement << "\nours:      " << ours << "\nCassandra: " << verdict.sentence;
  }
}

// Of tests/real/test_cql_syntax.py, which asks Cassandra anew.
TEST(Verdicts, fresh_statements_are_judged_as_by_cassandra) {
  const char* path = std::getenv("TAILRACE_CQL_VERDICTS");
  if (!path) GTEST_SKIP() << "TAILRACE_CQL_VERDICTS names no file";
  std::map<char, std::size_t> seen;
  for (const Verdict& verdict : testing::verdicts(path)) {
    const std::string ours = said(verdict.statement);
    const char found = agreement(ours, verdict.sentence);
    if (++seen[found] <= 20 && (found != '=')) {
      std::cout << verdict.statement << "\nours:      " << ours
                << "\nCassandra: " << verdict.sentence << "\n";
    }
  }
  const std::size_t all = seen['='] + seen['~'] + seen['-'] + seen['?'] + seen['!'];
  ASSERT_GT(all, 1000u);
  EXPECT_LE(seen['!'] * 200, all) << seen['!'] << " of " << all << " taken here, refused there";
  EXPECT_LE(seen['?'] * 500, all) << seen['?'] << " of " << all << " refused at another place";
  EXPECT_GE(seen['='] * 100, all * 99) << seen['='] << " of " << all;
}

TEST(Verdicts, most_sentences_are_cassandras_to_the_letter) {
  std::size_t same = 0;
  std::size_t refused = 0;
  for (const Verdict& verdict : testing::verdicts()) {
    if (verdict.sentence == "ok") continue;
    ++refused;
    if (said(verdict.statement) == verdict.sentence) ++same;
  }
  EXPECT_GT(same * 100, refused * 97) << same << " of " << refused;
}

TEST(Verdicts, what_was_printed_parses_to_the_same_text) {
  std::size_t taken = 0;
  for (const Verdict& verdict : testing::verdicts()) {
    const Result<Statement> made = parse(verdict.statement);
    if (!made) continue;
    ++taken;
    const std::string text = print(*made);
    const Result<Statement> again = parse(text);
    ASSERT_TRUE(again) << verdict.statement << "\n" << text << "\n" << again.error().what;
    EXPECT_EQ(print(*again), text) << verdict.statement;
    EXPECT_EQ(again->markers, made->markers) << verdict.statement;
  }
  EXPECT_GT(taken, 200u);
}

}  // namespace
}  // namespace tailrace::cql_syntax
