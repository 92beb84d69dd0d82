// CEL, the Common Expression Language (cel-spec, doc/langdef.md), as a tree: what the parser makes
// of a text, macros expanded to comprehensions.
//
// A text may come to 64 KiB, 5,000 nodes and 100 levels; recursion over a tree is bounded by that.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "schema/cel/value.h"

namespace tailrace::schema::cel {

inline constexpr std::size_t kMaxTextBytes = 64 * 1024;
inline constexpr int kMaxNodes = 5'000;
inline constexpr int kMaxDepth = 100;

struct Node;
using NodePtr = std::unique_ptr<Node>;

struct Node {
  enum class Kind {
    kLiteral,        ///< `literal`
    kName,           ///< `name`: a variable
    kSelect,         ///< args[0].`name`
    kHas,            ///< has(args[0].`name`)
    kCall,           ///< `name`(args); operators by their signs, a receiver first
    kList,           ///< args
    kMap,            ///< args: key, value, key, value …
    kComprehension,  ///< args[0].`name`(`variable`, args[1] [, args[2]])
  };
  Kind kind = Kind::kLiteral;
  std::size_t at = 0;  ///< byte of the text
  std::string name = {}, variable = {};
  bool receiver = false;  ///< a call written args[0].name(…)
  Value literal = {};
  std::vector<NodePtr> args = {};
};

/// kInvalidArgument with "line:column: what"; columns count bytes.
Result<NodePtr> parse(std::string_view text);

/// "line:column" of a byte, both from 1.
std::string place_of(std::string_view text, std::size_t at);

}  // namespace tailrace::schema::cel
