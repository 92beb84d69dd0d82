// What can be said of an expression before it is evaluated: names, fields, functions, and types
// that an operator never takes.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "schema/cel/program.h"

namespace tailrace::schema::cel {
namespace {

/// What is known of a value's type. kAny may be anything, and so may what it is compared with.
struct Known {
  enum class Kind {
    kAny,
    kNull,
    kBool,
    kInt,
    kUint,
    kDouble,
    kString,
    kBytes,
    kTime,
    kSpan,
    kType,
    kList,
    kMap,
    kRecord
  };
  Kind kind = Kind::kAny;
  Type of = {};  ///< of a column: its fields, its items
};
using Kind = Known::Kind;

Known known_of(const Type& type) {
  using Id = arrow::Type;
  if (!type) return {};
  switch (type->id()) {
    case Id::BOOL:
      return {Kind::kBool};
    case Id::INT8:
    case Id::INT16:
    case Id::INT32:
    case Id::INT64:
      return {Kind::kInt};
    case Id::FLOAT:
    case Id::DOUBLE:
    case Id::DECIMAL128:
      return {Kind::kDouble};
    case Id::STRING:
      return {Kind::kString};
    case Id::BINARY:
      return {Kind::kBytes};
    case Id::DATE32:
    case Id::TIMESTAMP:
      return {Kind::kTime};
    case Id::DURATION:
      return {Kind::kSpan};
    case Id::LIST:
      return {Kind::kList, type};
    case Id::MAP:
      return {Kind::kMap, type};
    case Id::STRUCT:
      return {Kind::kRecord, type};
    default:
      return {};
  }
}

std::string_view kind_name(Kind kind) {
  constexpr std::string_view kNames[] = {"dyn",    "null",   "bool",  "int",       "uint",
                                         "double", "string", "bytes", "timestamp", "duration",
                                         "type",   "list",   "map",   "message"};
  return kNames[static_cast<std::size_t>(kind)];
}

bool is_number(Kind kind) {
  return kind == Kind::kInt || kind == Kind::kUint || kind == Kind::kDouble;
}

class Checker {
 public:
  Checker(std::string_view text, const std::vector<Variable>& variables) : text_(text) {
    for (const Variable& variable : variables)
      names_.emplace_back(variable.name, known_of(variable.type));
  }

  Result<Known> check(const Node& node) {
    switch (node.kind) {
      case Node::Kind::kLiteral:
        return literal(node.literal);
      case Node::Kind::kName:
        return name(node);
      case Node::Kind::kSelect:
        return field(node);
      case Node::Kind::kHas: {
        TRY(field(node));
        return Known{Kind::kBool};
      }
      case Node::Kind::kCall:
        return call(node);
      case Node::Kind::kList:
        TRY(all(node));
        return Known{Kind::kList};
      case Node::Kind::kMap:
        TRY(all(node));
        return Known{Kind::kMap};
      case Node::Kind::kComprehension:
        return comprehension(node);
    }
    return Known{};
  }

  std::unexpected<Error> fail(const Node& node, const std::string& what) const {
    return error(Code::kInvalidArgument, place_of(text_, node.at) + ": " + what);
  }

 private:
  static Known literal(const Value& value) {
    if (value.is_null()) return {Kind::kNull};
    if (value.get<bool>()) return {Kind::kBool};
    if (value.get<std::int64_t>()) return {Kind::kInt};
    if (value.get<std::uint64_t>()) return {Kind::kUint};
    if (value.get<double>()) return {Kind::kDouble};
    if (value.get<std::string>()) return {Kind::kString};
    return {Kind::kBytes};
  }

  Result<Known> name(const Node& node) const {
    for (auto at = names_.rbegin(); at != names_.rend(); ++at)
      if (at->first == node.name) return at->second;
    constexpr std::string_view kTypes[] = {"bool",  "int",  "uint", "double",    "string",
                                           "bytes", "list", "map",  "null_type", "type"};
    if (std::ranges::find(kTypes, node.name) != std::end(kTypes)) return Known{Kind::kType};
    std::string there;
    for (const auto& [one, type] : names_) there += (there.empty() ? "" : ", ") + one;
    return fail(node, fmt::format("there is no `{}`; there are: {}", node.name, there));
  }

  Result<Known> field(const Node& node) {
    ASSIGN(const Known of, check(*node.args[0]));
    if (of.kind == Kind::kRecord && of.of) {
      const auto& fields = static_cast<const arrow::StructType&>(*of.of);
      const int index = fields.GetFieldIndex(node.name);
      if (index >= 0) return known_of(fields.field(index)->type());
      std::string there;
      for (const Field& one : fields.fields()) there += (there.empty() ? "" : ", ") + one->name();
      return fail(node, fmt::format("there is no field `{}`; there are: {}", node.name, there));
    }
    if (of.kind == Kind::kMap) return item_of(of);
    if (of.kind == Kind::kAny || of.kind == Kind::kRecord) return Known{};
    return fail(node, fmt::format("{} has no fields", kind_name(of.kind)));
  }

  static Known item_of(const Known& of) {
    if (!of.of) return {};
    if (of.kind == Kind::kList)
      return known_of(static_cast<const arrow::ListType&>(*of.of).value_type());
    return known_of(static_cast<const arrow::MapType&>(*of.of).item_type());
  }

  Result<std::vector<Known>> all(const Node& node) {
    std::vector<Known> known;
    for (const NodePtr& arg : node.args) {
      ASSIGN(known.emplace_back(), check(*arg));
    }
    return known;
  }

  Result<Known> call(const Node& node) {
    ASSIGN(const std::vector<Known> args, all(node));
    const std::string& name = node.name;
    if (name == "?:") return choice(node, args);
    if (name == "&&" || name == "||" || name == "!") {
      for (const Known& arg : args)
        if (arg.kind != Kind::kBool && arg.kind != Kind::kAny)
          return fail(node, fmt::format("{} takes bools, not {}", name, kind_name(arg.kind)));
      return Known{Kind::kBool};
    }
    if (!is_function_name(name)) return fail(node, fmt::format("there is no function {}()", name));
    const bool sign = !std::isalpha(static_cast<unsigned char>(name[0])) || name == "in";
    if (!sign && !is_function(name, node.receiver, args.size()))
      return fail(node, fmt::format("{}() does not take {} arguments{}", name,
                                    args.size() - (node.receiver ? 1 : 0),
                                    node.receiver ? " behind a point" : ""));
    if (name == "==" || name == "!=") return equality(node, args);
    if (name == "<" || name == "<=" || name == ">" || name == ">=") return order(node, args);
    if (name == "in") return Known{Kind::kBool};
    if (name == "[]") return args[0].kind == Kind::kRecord ? Known{} : item_of_indexed(args[0]);
    if (sign) return arithmetic(node, args);
    return result_of(name);
  }

  static Known item_of_indexed(const Known& of) {
    return of.kind == Kind::kList || of.kind == Kind::kMap ? item_of(of) : Known{};
  }

  Result<Known> choice(const Node& node, const std::vector<Known>& args) const {
    if (args[0].kind != Kind::kBool && args[0].kind != Kind::kAny)
      return fail(node, fmt::format("? takes a bool, not {}", kind_name(args[0].kind)));
    return args[1].kind == args[2].kind && !args[1].of ? args[1] : Known{};
  }

  Result<Known> equality(const Node& node, const std::vector<Known>& args) const {
    const Kind a = args[0].kind, b = args[1].kind;
    const bool open = a == Kind::kAny || b == Kind::kAny || a == Kind::kNull || b == Kind::kNull;
    if (!open && a != b && !(is_number(a) && is_number(b)))
      return fail(node, fmt::format("{} is never {}", kind_name(a), kind_name(b)));
    return Known{Kind::kBool};
  }

  Result<Known> order(const Node& node, const std::vector<Known>& args) const {
    const Kind a = args[0].kind, b = args[1].kind;
    const auto ordered = [](Kind kind) {
      return kind != Kind::kNull && kind != Kind::kType && kind != Kind::kList &&
             kind != Kind::kMap && kind != Kind::kRecord;
    };
    const bool fits =
        a == Kind::kAny || b == Kind::kAny || a == b || (is_number(a) && is_number(b));
    if (!ordered(a) || !ordered(b) || !fits)
      return fail(node, fmt::format("{} and {} have no order", kind_name(a), kind_name(b)));
    return Known{Kind::kBool};
  }

  Result<Known> arithmetic(const Node& node, const std::vector<Known>& args) const {
    const Kind a = args[0].kind, b = args.size() > 1 ? args[1].kind : a;
    if (a == Kind::kAny || b == Kind::kAny) return Known{};
    const bool plus = node.name == "+", minus = node.name == "-";
    if (args.size() == 1 && (a == Kind::kInt || a == Kind::kDouble)) return Known{a};
    if (args.size() == 1) return fail(node, fmt::format("- does not take {}", kind_name(a)));
    if (a == b && is_number(a) && !(node.name == "%" && a == Kind::kDouble)) return Known{a};
    if (a == b && plus && (a == Kind::kString || a == Kind::kBytes || a == Kind::kList))
      return a == Kind::kList ? Known{Kind::kList} : Known{a};
    const bool times = a == Kind::kTime || a == Kind::kSpan || b == Kind::kTime || b == Kind::kSpan;
    if (times && (plus || minus)) return time(node, a, b, plus);
    return fail(node,
                fmt::format("{} does not take {} and {}", node.name, kind_name(a), kind_name(b)));
  }

  Result<Known> time(const Node& node, Kind a, Kind b, bool plus) const {
    if (a == Kind::kSpan && b == Kind::kSpan) return Known{Kind::kSpan};
    if (a == Kind::kTime && b == Kind::kSpan) return Known{Kind::kTime};
    if (a == Kind::kSpan && b == Kind::kTime && plus) return Known{Kind::kTime};
    if (a == Kind::kTime && b == Kind::kTime && !plus) return Known{Kind::kSpan};
    return fail(node,
                fmt::format("{} does not take {} and {}", node.name, kind_name(a), kind_name(b)));
  }

  static Known result_of(const std::string& name) {
    constexpr std::pair<std::string_view, Kind> kResults[] = {
        {"size", Kind::kInt},          {"int", Kind::kInt},         {"uint", Kind::kUint},
        {"double", Kind::kDouble},     {"string", Kind::kString},   {"bytes", Kind::kBytes},
        {"timestamp", Kind::kTime},    {"duration", Kind::kSpan},   {"type", Kind::kType},
        {"contains", Kind::kBool},     {"startsWith", Kind::kBool}, {"endsWith", Kind::kBool},
        {"matches", Kind::kBool},      {"bool", Kind::kBool},       {"lowerAscii", Kind::kString},
        {"upperAscii", Kind::kString}, {"trim", Kind::kString},     {"replace", Kind::kString},
        {"substring", Kind::kString},  {"charAt", Kind::kString},   {"indexOf", Kind::kInt},
        {"lastIndexOf", Kind::kInt},   {"join", Kind::kString},     {"split", Kind::kList}};
    for (const auto& [function, kind] : kResults)
      if (function == name) return {kind};
    if (name.starts_with("is")) return {Kind::kBool};
    if (name.starts_with("get")) return {Kind::kInt};
    return {};
  }

  Result<Known> comprehension(const Node& node) {
    ASSIGN(const Known range, check(*node.args[0]));
    Known item;
    if (range.kind == Kind::kList)
      item = item_of(range);
    else if (range.kind == Kind::kMap && range.of)
      item = known_of(static_cast<const arrow::MapType&>(*range.of).key_type());
    else if (range.kind != Kind::kAny && range.kind != Kind::kMap)
      return fail(node, fmt::format("{} has no items", kind_name(range.kind)));
    names_.emplace_back(node.variable, item);
    std::optional<Known> last;
    for (std::size_t i = 1; i < node.args.size(); ++i) {
      ASSIGN(last, check(*node.args[i]));
      const bool condition = i == 1 && !(node.name == "map" && node.args.size() == 2);
      if (condition && last->kind != Kind::kBool && last->kind != Kind::kAny)
        return fail(*node.args[i],
                    fmt::format("{}() asks for a bool, not {}", node.name, kind_name(last->kind)));
    }
    names_.pop_back();
    if (node.name == "filter") return range.kind == Kind::kList ? range : Known{Kind::kList};
    return Known{node.name == "map" ? Kind::kList : Kind::kBool};
  }

  std::string_view text_;
  std::vector<std::pair<std::string, Known>> names_;
};

}  // namespace

Result<Program> Program::compile(std::string_view text, const std::vector<Variable>& variables,
                                 bool condition) {
  Program program;
  program.text_ = text;
  ASSIGN(program.root_, parse(program.text_));
  Checker checker(program.text_, variables);
  ASSIGN(const Known result, checker.check(*program.root_));
  if (condition && result.kind != Kind::kBool && result.kind != Kind::kAny)
    return checker.fail(*program.root_,
                        fmt::format("a condition is a bool, not {}", kind_name(result.kind)));
  return program;
}

}  // namespace tailrace::schema::cel
