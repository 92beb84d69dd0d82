// Names, types, terms, selectors and relations as text.
#include <algorithm>

#include "cql_syntax/printer.h"

namespace tailrace::cql_syntax {
namespace {

using Node = Expression::Kind;

// Keywords that may be names but would be read as something else in some place where a name stands.
constexpr std::string_view kAmbiguous[] = {
    "as",   "cast", "contains",     "count", "distinct", "exists", "group",
    "json", "like", "maxwritetime", "only",  "per",      "ttl",    "writetime"};

bool is_plain(std::string_view name) {
  return !name.empty() && name[0] >= 'a' && name[0] <= 'z' &&
         std::ranges::all_of(
             name,
             [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; }) &&
         name != "true" && name != "false";
}

std::string quoted(std::string_view text, char quote) {
  std::string made(1, quote);
  for (const char c : text) {
    if (c == quote) made += c;
    made += c;
  }
  return made + quote;
}

std::string_view sign(Operator op) {
  switch (op) {
    case Operator::kEqual:
      return " = ";
    case Operator::kNotEqual:
      return " != ";
    case Operator::kLess:
      return " < ";
    case Operator::kLessEqual:
      return " <= ";
    case Operator::kMore:
      return " > ";
    case Operator::kMoreEqual:
      return " >= ";
    case Operator::kIn:
      return " IN ";
    case Operator::kContains:
      return " CONTAINS ";
    case Operator::kContainsKey:
      return " CONTAINS KEY ";
    case Operator::kLike:
      return " LIKE ";
    case Operator::kIsNotNull:
      return " IS NOT NULL";
  }
  return "";
}

}  // namespace

std::string print_name(std::string_view name) {
  const bool keyword_is_safe = keyword(name) == Kind::kIdent ||
                               (keyword_class(keyword(name)) != KeywordClass::kReserved &&
                                std::ranges::find(kAmbiguous, name) == std::end(kAmbiguous));
  return is_plain(name) && keyword_is_safe ? std::string(name) : quoted(name, '"');
}

std::string print(const Statement& statement) {
  Printer printer;
  printer.write(statement);
  return printer.take();
}
std::string print(const Expression& expression) {
  Printer printer;
  printer.write(expression);
  return printer.take();
}
std::string print(const Type& type) {
  Printer printer;
  printer.write(type);
  return printer.take();
}
std::string print(const Select& select) {
  Printer printer;
  printer.write(select);
  return printer.take();
}

std::string print(const std::vector<Relation>& where) {
  Printer printer;
  printer.where(where, "");
  return printer.take();
}

void Printer::names(const std::vector<std::string>& list) {
  join(list, ", ", [this](const std::string& one) { name(one); });
}

void Printer::qualified(const QualifiedName& made) {
  if (made.keyspace) {
    name(*made.keyspace);
    text_ += '.';
  }
  name(made.name);
}

// Of the ambiguous words only some are read as a function's name.
void Printer::function(const std::optional<std::string>& keyspace, std::string_view called) {
  if (keyspace) {
    name(*keyspace);
    text_ += '.';
  }
  const Kind kind = keyword(called);
  const KeywordClass found = keyword_class(kind);
  const bool bare = is_plain(called) && called != "expr" &&
                    (kind == Kind::kIdent || kind == Kind::kToken || kind == Kind::kCount ||
                     found == KeywordClass::kBasic || found == KeywordClass::kNative);
  text_ += bare ? std::string(called) : quoted(called, '"');
}

void Printer::type_name(std::string_view named) {
  static constexpr std::string_view kReserved[] = {"byte",     "complex", "enum",     "date",
                                                   "interval", "macaddr", "bitstring"};
  const bool bare = is_plain(named) && keyword(named) == Kind::kIdent &&
                    std::ranges::find(kReserved, named) == std::end(kReserved);
  text_ += bare ? std::string(named) : quoted(named, '"');
}

void Printer::string(std::string_view text) {
  text_ += quoted(text, '\'');
}

void Printer::condition(bool given, std::string_view words) {
  if (given) text_ += words;
}

void Printer::terms(const std::vector<Expression>& list) {
  join(list, ", ", [this](const Expression& one) { write(one); });
}

void Printer::types(const std::vector<Type>& list) {
  join(list, ", ", [this](const Type& one) { write(one); });
}

void Printer::write(const Type& type) {
  static constexpr std::string_view kWords[] = {"",      "",       "map",    "list", "set",
                                                "tuple", "vector", "frozen", ""};
  switch (type.kind) {
    case Type::Kind::kNative:
      text_ += type.name;
      return;
    case Type::Kind::kCustom:
      string(type.name);
      return;
    case Type::Kind::kUser:
      if (type.keyspace) {
        name(*type.keyspace);
        text_ += '.';
      }
      type_name(type.name);
      return;
    default:
      break;
  }
  text_ += kWords[static_cast<std::size_t>(type.kind)];
  text_ += '<';
  types(type.items);
  if (type.kind == Type::Kind::kVector) text_ += ", " + std::to_string(type.dimension);
  text_ += '>';
}

void Printer::pairs(const Expression& map) {
  for (std::size_t i = 0; i + 1 < map.items.size(); i += 2) {
    if (i > 0) text_ += ", ";
    write(map.items[i]);
    text_ += ": ";
    write(map.items[i + 1]);
  }
}

void Printer::constant(const Expression& expression) {
  switch (expression.kind) {
    case Node::kString:
      string(expression.text);
      break;
    case Node::kNull:
      text_ += "NULL";
      break;
    case Node::kMarker:
      text_ += expression.text.empty() ? "?" : ":";
      if (!expression.text.empty()) name(expression.text);
      break;
    default:
      text_ += expression.text;
  }
}

void Printer::write(const Expression& expression) {
  switch (expression.kind) {
    case Node::kNothing:
      return;
    case Node::kString:
    case Node::kInteger:
    case Node::kFloat:
    case Node::kBoolean:
    case Node::kDuration:
    case Node::kUuid:
    case Node::kHex:
    case Node::kNull:
    case Node::kWord:
    case Node::kMarker:
      return constant(expression);
    case Node::kColumn:
      return name(expression.text);
    case Node::kCountRows:
      text_ += "count(*)";
      return;
    default:
      composite(expression);
  }
}

// Operands are printed as the tree has them: the grammar gives `*` and `/` to products, and what
// was in parentheses is a tuple.
void Printer::composite(const Expression& expression) {
  const std::vector<Expression>& items = expression.items;
  const auto between = [&](std::string_view open, std::string_view close) {
    text_ += open;
    terms(items);
    text_ += close;
  };
  switch (expression.kind) {
    case Node::kCall:
      function(expression.keyspace, expression.text);
      return between("(", ")");
    case Node::kCast:
      text_ += "CAST(";
      write(items[0]);
      text_ += " AS ";
      write(expression.type[0]);
      text_ += ')';
      return;
    case Node::kTypeHint:
      text_ += '(';
      write(expression.type[0]);
      text_ += ") ";
      return write(items[0]);
    case Node::kNegation:
      text_ += "- ";
      return write(items[0]);
    case Node::kOperation:
      write(items[0]);
      text_ += ' ' + expression.text + ' ';
      return write(items[1]);
    case Node::kList:
      return between("[", "]");
    case Node::kSet:
      return between("{", "}");
    case Node::kTuple:
      return between("(", ")");
    case Node::kMap:
      text_ += '{';
      pairs(expression);
      text_ += '}';
      return;
    case Node::kUserType:
      text_ += '{';
      for (std::size_t i = 0; i < items.size(); ++i) {
        if (i > 0) text_ += ", ";
        name(expression.fields[i]);
        text_ += ": ";
        write(items[i]);
      }
      text_ += '}';
      return;
    case Node::kField:
      write(items[0]);
      text_ += '.';
      return name(expression.text);
    case Node::kElement:
      write(items[0]);
      text_ += '[';
      write(items[1]);
      text_ += ']';
      return;
    case Node::kSlice:
      write(items[0]);
      text_ += '[';
      write(items[1]);
      text_ += " .. ";
      write(items[2]);
      text_ += ']';
      return;
    case Node::kWritetime:
      text_ += expression.text + '(';
      write(items[0]);
      text_ += ')';
      return;
    default:
      return;
  }
}

void Printer::selectors(const std::vector<Selector>& list) {
  if (list.empty()) text_ += '*';
  join(list, ", ", [this](const Selector& one) {
    write(one.expression);
    if (one.alias.empty()) return;
    text_ += " AS ";
    name(one.alias);
  });
}

void Printer::relation(const Relation& made) {
  switch (made.kind) {
    case Relation::Kind::kColumn:
      name(made.columns[0]);
      break;
    case Relation::Kind::kElement:
      name(made.columns[0]);
      text_ += '[';
      write(*made.element);
      text_ += ']';
      break;
    case Relation::Kind::kField:
      name(made.columns[0]);
      text_ += '.';
      name(made.field);
      break;
    case Relation::Kind::kToken:
      text_ += "token";
      [[fallthrough]];
    case Relation::Kind::kTuple:
      text_ += '(';
      names(made.columns);
      text_ += ')';
      break;
    case Relation::Kind::kIndex:
      text_ += "expr(";
      name(made.columns[0]);
      text_ += ", ";
      terms(made.values);
      text_ += ')';
      return;
  }
  text_ += sign(made.op);
  const bool list = made.op == Operator::kIn && !made.marker_for_all;
  if (list) text_ += '(';
  terms(made.values);
  if (list) text_ += ')';
}

void Printer::where(const std::vector<Relation>& relations, std::string_view word) {
  if (relations.empty()) return;
  text_ += word;
  join(relations, " AND ", [this](const Relation& one) { relation(one); });
}

}  // namespace tailrace::cql_syntax
