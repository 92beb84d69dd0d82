// Python source as a tree: what is needed to say what a script does, and where.
//
// Not a Python parser: it takes every text, never fails, and what it does not know becomes kOther
// with its parts. Operators have no precedence, comprehensions are chains of operators; annotations
// are left out. Names, strings, calls, subscripts and blocks are as Python has them.
// Limits: 1 MiB of text, brackets and blocks 50 deep, 100 operators and 200 trailers in a row.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tailrace::doctor {

struct Expression {
  enum class Kind {
    kName,       ///< text
    kText,       ///< a string without fields; parts are the literals that it is made of, if several
    kFormat,     ///< an f-string: parts are kText and expressions
    kNumber,     ///< text
    kAttribute,  ///< parts[0].text
    kIndex,      ///< parts[0][parts[1]]
    kCall,       ///< parts[0](parts[1…]); names[i] is the keyword of parts[i + 1], or empty
    kList,       ///< a list, tuple or set
    kDict,       ///< key, value, key, value, …
    kBinary,     ///< parts[0] text parts[1]
    kOther,
  };
  Kind kind = Kind::kOther;
  int line = 0;
  std::string text;
  std::vector<Expression> parts;
  std::vector<std::string> names;
};

struct Statement {
  enum class Kind {
    kAssign,  ///< targets = expressions but the last, which is the value
    kExpression,
    kReturn,
    kRaise,
    kFunction,  ///< name, parameters
    kFor,       ///< expressions: target, iterated
    kTry,
    kExcept,  ///< a sibling after its kTry; expressions: what is caught
    kBlock,   ///< if, while, with, else, finally, class: expressions and body
    kPass,
    kContinue,
    kImport,  ///< name: the module
    kOther,
  };
  Kind kind = Kind::kOther;
  int line = 0;
  bool decorates = false;  ///< the function or class that follows
  std::string name;
  std::vector<std::string> parameters;
  std::vector<Expression> expressions;
  std::vector<Statement> body;
};

std::vector<Statement> parse_python(std::string_view text);

/// "uuid.uuid4" of a chain of attributes; empty for everything else.
std::string dotted(const Expression& expression);

}  // namespace tailrace::doctor
