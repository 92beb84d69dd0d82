// CQL text → tokens, as Cassandra 5.0.9's lexer cuts them: names in small letters unless quoted,
// '…' with doubled quotes,
// $$…$$, numbers, durations, UUIDs, blobs; white space and comments (`--`, `//`, `/* */`) are
// tokens too, of kind kSpace.
//
// That lexer decides by the shortest look ahead and never goes back: `-n` must become `-nan`,
// `12345678-` a UUID, a comment
// `-- …` must end with its line. The same texts are refused here, at the same character.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cql_syntax/token.h"

namespace tailrace::cql_syntax {

struct Tokens {
  std::vector<Token> all;          // spaces too; the last is kEnd
  std::vector<std::size_t> words;  // those that are not spaces, as indices of `all`
  std::optional<std::string>
      refusal;  // the sentence on the character after the last token before kEnd
};

/// Cuts a whole statement; never fails otherwise than by `refusal`. Linear in the text's length.
Tokens cut(std::string_view text);

}  // namespace tailrace::cql_syntax
