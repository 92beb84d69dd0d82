// Tokens of Spark SQL: what the lexer gives the parser.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sql/source.h"

namespace tailrace::sql {

struct Token {
  enum class Kind {
    kWord,     ///< identifier or keyword; `text` as written
    kQuoted,   ///< `identifier`; `text` without the quotes
    kString,   ///< string literal; `text` with escapes resolved
    kInteger,  ///< digits, with L S Y BD F D in `suffix`
    kNumber,   ///< digits with a point or exponent
    kSymbol,   ///< `text` is the symbol
    kEnd,
  };
  Kind kind = Kind::kEnd;
  Span span;
  std::string text;
  std::string suffix;  ///< of numbers, upper case
  bool exponent = false;

  bool is_symbol(std::string_view symbol) const { return kind == Kind::kSymbol && text == symbol; }
  bool is_word(std::string_view upper_word) const;  ///< an unquoted word, compared without case
};

/// All tokens, ended by kEnd. Comments are skipped: -- to the end of the line, nested /* … */.
Result<std::vector<Token>> lex(const Source& source);

}  // namespace tailrace::sql
