// Python's tokens: enough of them for python_tree.h.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tailrace::doctor {

struct Token {
  enum class Kind { kName, kNumber, kText, kFormat, kOperator, kNewline, kIndent, kDedent, kEnd };
  Kind kind = Kind::kEnd;
  std::string text;  ///< of a string its value; of an f-string what is between the quotes
  int line = 0;
};

/// Always ends in kEnd, with each kIndent closed. Lines are counted from `line`.
std::vector<Token> python_tokens(std::string_view text, int line = 1);

}  // namespace tailrace::doctor
