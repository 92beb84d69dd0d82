// Damaged CQL: no text makes the lexer, the parser or the printer crash or hang, every refusal has
// a sentence, and what is taken prints to a text that parses to the same. TAILRACE_FUZZ_ROUNDS
// makes it longer; a failure prints the text.
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "cql_syntax/statement.h"
#include "cql_syntax/testing/verdicts.h"

namespace tailrace::cql_syntax {
namespace {

using Random = std::mt19937;

std::size_t rounds(std::size_t usual) {
  const char* text = std::getenv("TAILRACE_FUZZ_ROUNDS");
  return text ? static_cast<std::size_t>(std::atoll(text)) : usual;
}

std::size_t below(Random& random, std::size_t end) {
  return std::uniform_int_distribution<std::size_t>(0, end - 1)(random);
}

// Bytes changed, taken away or put in, or a part of another statement put in.
std::string damaged(Random& random, std::string text, const std::string& other) {
  constexpr std::string_view kSigns = "()[]{}<>'\"$-/*.,:;?=+!%0aeP \n\xC2\xF0";
  for (std::size_t times = 1 + below(random, 4); times > 0; --times) {
    const std::size_t at = below(random, text.size() + 1);
    switch (below(random, 5)) {
      case 0:
        text.insert(at, 1, kSigns[below(random, kSigns.size())]);
        break;
      case 1:
        text.insert(at, 1, static_cast<char>(below(random, 256)));
        break;
      case 2:
        text.erase(at, 1 + below(random, 8));
        break;
      case 3:
        text.insert(at, other.substr(below(random, other.size() + 1), below(random, 20)));
        break;
      default:
        text.resize(at);
    }
  }
  return text;
}

TEST(Fuzz, damaged_statements_are_refused_or_print_stably) {
  const std::vector<testing::Verdict> verdicts = testing::verdicts();
  ASSERT_FALSE(verdicts.empty());
  Random random(20260726);
  std::size_t taken = 0;
  for (std::size_t round = rounds(20'000); round > 0; --round) {
    const std::string text = damaged(random, verdicts[below(random, verdicts.size())].statement,
                                     verdicts[below(random, verdicts.size())].statement);
    const Result<Statement> made = parse(text);
    if (!made) {
      ASSERT_FALSE(made.error().what.empty()) << text;
      continue;
    }
    ++taken;
    const std::string printed = print(*made);
    const Result<Statement> again = parse(printed);
    ASSERT_TRUE(again) << text << "\n" << printed << "\n" << again.error().what;
    ASSERT_EQ(print(*again), printed) << text;
  }
  EXPECT_GT(taken, 0u);
}

}  // namespace
}  // namespace tailrace::cql_syntax
