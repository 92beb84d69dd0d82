// The syntax tree of a template, as the parser makes it and the renderer walks it.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "jinja/template.h"
#include "jinja/value.h"

namespace tailrace::jinja {

struct Expr;
using ExprPtr = std::unique_ptr<Expr>;

struct Expr {
  enum class Kind {
    kConst,      // constant
    kName,       // name
    kNamespace,  // name.text: the target of {% set ns.x = … %}
    kTuple,      // parts
    kList,       // parts
    kDict,       // parts: key, value, key, value …
    kAttribute,  // parts[0] . name
    kItem,       // parts[0] [ parts[1] ]
    kSlice,      // parts: start, stop, step; null where left out; only as parts[1] of kItem
    kCall,       // parts[0] ( arguments )
    kFilter,     // parts[0] | name ( arguments ); parts[0] null: what a filter block gives
    kTest,       // parts[0] is name ( arguments )
    kNot,
    kNegative,
    kPositive,
    kAnd,
    kOr,
    kBinary,   // parts[0] name parts[1]
    kConcat,   // parts joined by ~
    kCompare,  // parts[0] names[0] parts[1] names[1] parts[2] …
    kChoice,   // parts: condition, then, else (null where left out)
  };
  Kind kind;
  int line = 0;
  int depth = 1;  ///< of the tree below it
  std::string name, text;
  Value constant;
  std::vector<ExprPtr> parts;  ///< of calls, filters and tests: the object, then the arguments
  std::vector<std::pair<std::string, ExprPtr>> keywords;
  ExprPtr star, star_star;  ///< `*args`, `**kwargs`
  std::vector<std::string> names;
};

struct Stmt;
using Block = std::vector<std::unique_ptr<Stmt>>;

/// A parameter of a macro or of a call block.
struct MacroParameter {
  std::string name;
  ExprPtr fallback;
};

struct Stmt {
  enum class Kind {
    kText,         // text
    kOutput,       // value
    kFor,          // for target in value if condition: body, else: other; recursive
    kIf,           // if condition: body, else: other
    kMacro,        // name(parameters): body
    kCallBlock,    // call(parameters) value: body
    kFilterBlock,  // value is the filter: body
    kSet,          // target = value
    kSetBlock,     // target = body, through the filter `value` when there is one
    kWith,         // targets = values: body
    kDo,           // value
    kBlock,        // name: body, once; required blocks do not occur
    kInclude,      // value: a template's name or several; ignore_missing, with_context
  };
  Kind kind;
  int line = 0;
  std::string text, name;
  ExprPtr target, value, condition;
  std::vector<ExprPtr> targets, values;
  std::vector<MacroParameter> parameters;
  Block body, other;
  bool recursive = false, scoped = false;
  bool ignore_missing = false, with_context = true;                     ///< of kInclude
  bool uses_caller = false, uses_varargs = false, uses_kwargs = false;  ///< of macros
};

/// A whole template.
struct Template::Node {
  Block body;
  std::string name;      ///< of its file, for messages; empty: it is of no file
  bool plain = false;    ///< no tag at all
  bool changes = false;  ///< it calls a method that changes a list or dict
};

}  // namespace tailrace::jinja
