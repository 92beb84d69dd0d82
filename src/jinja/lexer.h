// Text of a template to tokens, with Jinja's default delimiters: `{{ }}`, `{% %}`, `{# #}`, raw
// blocks, and the whitespace control of `-` and `+`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "jinja/value.h"

namespace tailrace::jinja {

struct Token {
  enum class Kind {
    kText,
    kVariableBegin,
    kVariableEnd,
    kBlockBegin,
    kBlockEnd,
    kName,
    kString,
    kInteger,
    kFloat,
    kOperator,
    kEnd,
  };
  Kind kind;
  int line;
  std::string text;  ///< the name, the operator, the text or the string's value
  Value value;       ///< of numbers
};

struct Tokens {
  std::vector<Token> list;  ///< ends in kEnd
  bool tags = false;        ///< there was a tag, a comment or a raw block
};

/// An Error `TemplateSyntaxError: … (line N)`.
Result<Tokens> tokenize(std::string_view source);
std::unexpected<Error> syntax_error(std::string what, int line);
/// How Jinja names a token in its messages.
std::string describe(const Token& token);

}  // namespace tailrace::jinja
