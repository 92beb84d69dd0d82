#include "schema/protobuf/reader.h"

#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <array>
#include <limits>
#include <unordered_map>

#include "schema/json.h"

namespace tailrace::schema::protobuf {
namespace {

namespace io = google::protobuf::io;
using Token = io::Tokenizer;

constexpr std::int32_t kMaxInt = std::numeric_limits<std::int32_t>::max();
constexpr std::int32_t kMaxFieldNumber = 536'870'911;

std::unexpected<Error> at(int line, int column, const std::string& why) {
  return error(Code::kInvalidArgument,
               std::to_string(line + 1) + ":" + std::to_string(column + 1) + ": " + why);
}

class Reader final : public io::ErrorCollector {
 public:
  explicit Reader(std::string_view text)
      : input_(text.data(), static_cast<int>(text.size())), tokens_(&input_, this) {
    tokens_.set_allow_f_after_float(true);
    tokens_.Next();
  }

  Result<File> file() {
    File made;
    while (tokens_.current().type != Token::TYPE_END) {
      if (lexical_) break;
      TRY(declaration(made));
    }
    if (lexical_) return std::unexpected(*lexical_);
    return made;
  }

  void AddError(int line, io::ColumnNumber column, const std::string& message) override {
    if (!lexical_) lexical_ = at(line, column, message).error();
  }

 private:
  // Words.

  bool sees(std::string_view word) {
    return tokens_.current().text == word && tokens_.current().type != Token::TYPE_STRING;
  }
  bool sees_text() { return tokens_.current().type == Token::TYPE_STRING; }
  bool take(std::string_view word) {
    if (!sees(word)) return false;
    tokens_.Next();
    return true;
  }
  std::unexpected<Error> expected(std::string_view what) {
    if (lexical_) return std::unexpected(*lexical_);
    const auto& token = tokens_.current();
    const std::string seen = token.type == Token::TYPE_END ? "the end of the text"
                                                           : "\"" + token.text.substr(0, 40) + "\"";
    return at(token.line, token.column, "expected " + std::string(what) + ", found " + seen);
  }
  Status require(std::string_view word) {
    if (!take(word)) return expected("\"" + std::string(word) + "\"");
    return {};
  }
  Result<std::string> identifier() {
    if (tokens_.current().type != Token::TYPE_IDENTIFIER) return expected("a name");
    std::string word = tokens_.current().text;
    tokens_.Next();
    return word;
  }
  // "a.b.C", with a dot in front where `rooted`.
  Result<std::string> full_name(bool rooted) {
    std::string name;
    if (rooted && take(".")) name = ".";
    ASSIGN(const std::string first, identifier());
    name += first;
    while (take(".")) {
      ASSIGN(const std::string part, identifier());
      name += "." + part;
    }
    return name;
  }
  Result<std::string> text() {
    if (!sees_text()) return expected("a text in quotes");
    std::string made;
    for (; sees_text(); tokens_.Next()) Token::ParseStringAppend(tokens_.current().text, &made);
    return made;
  }
  Result<std::int32_t> number() {
    const bool negative = take("-");
    std::uint64_t value = 0;
    const std::uint64_t most = static_cast<std::uint64_t>(kMaxInt) + (negative ? 1 : 0);
    if (tokens_.current().type != Token::TYPE_INTEGER) return expected("a whole number");
    if (!Token::ParseInteger(tokens_.current().text, most, &value))
      return expected("a number of 32 bits");
    tokens_.Next();
    const auto whole = static_cast<std::int64_t>(value);
    return static_cast<std::int32_t>(negative ? -whole : whole);
  }

  // Declarations.

  Status declaration(File& made) {
    if (take(";")) return {};
    if (take("syntax")) return syntax(made);
    if (sees("edition")) return expected("proto2 or proto3 (editions are not known)");
    if (take("package")) {
      ASSIGN(made.package, full_name(false));
      return require(";");
    }
    if (take("import")) return import(made);
    if (take("option")) return option_statement(made.options);
    if (take("message")) return message(made.messages);
    if (take("enum")) return enumeration(made.enums);
    if (take("service")) return service(made.services);
    if (take("extend")) return extend(made.extends);
    return expected("a declaration");
  }

  Status syntax(File& made) {
    TRY(require("="));
    const int line = tokens_.current().line;
    const int column = tokens_.current().column;
    ASSIGN(made.syntax, text());
    if (made.syntax != "proto2" && made.syntax != "proto3")
      return at(line, column,
                "the syntax is \"" + made.syntax->substr(0, 40) +
                    "\", which is neither proto2 nor proto3");
    return require(";");
  }

  Status import(File& made) {
    auto& list = take("public") ? made.public_imports
                 : take("weak") ? made.weak_imports
                                : made.imports;
    ASSIGN(auto path, text());
    list.push_back(std::move(path));
    return require(";");
  }

  Status count_type() {
    if (++types_ > kMaxTypes)
      return expected("at most " + std::to_string(kMaxTypes) + " messages and enums");
    return {};
  }

  Status count_member() {
    if (++members_ > kMaxMembers)
      return expected("at most " + std::to_string(kMaxMembers) + " fields, values and methods");
    return {};
  }

  Status message(std::vector<Message>& list) {
    TRY(count_type());
    if (++depth_ > kMaxMessageDepth)
      return expected("at most " + std::to_string(kMaxMessageDepth) + " messages in one another");
    Message made;
    ASSIGN(made.name, identifier());
    TRY(require("{"));
    while (!take("}")) TRY(member(made));
    list.push_back(std::move(made));
    --depth_;
    return {};
  }

  Status member(Message& made) {
    if (take(";")) return {};
    if (take("message")) return message(made.messages);
    if (take("enum")) return enumeration(made.enums);
    if (take("extensions")) return extensions(made.extensions);
    if (take("reserved")) return reserved(made.reserved);
    if (take("extend")) return extend(made.extends);
    if (take("option")) return option_statement(made.options);
    if (take("oneof")) return oneof(made.oneofs);
    return field(made.fields, made.groups);
  }

  Status field(std::vector<Field>& fields, std::vector<Group>& groups) {
    Field made;
    if (take("optional"))
      made.label = Label::kOptional;
    else if (take("required"))
      made.label = Label::kRequired;
    else if (take("repeated"))
      made.label = Label::kRepeated;
    if (take("group")) return group(made.label, groups);
    return field_after_label(std::move(made), fields);
  }

  Status field_after_label(Field made, std::vector<Field>& fields) {
    TRY(count_member());
    bool is_map = false;
    if (sees("map")) {
      tokens_.Next();
      is_map = take("<");
      if (!is_map) {
        made.type = "map";
        while (take(".")) {
          ASSIGN(const std::string part, identifier());
          made.type += "." + part;
        }
      }
    }
    if (is_map) {
      ASSIGN(made.key, full_name(true));
      TRY(require(","));
      ASSIGN(made.type, full_name(true));
      TRY(require(">"));
    } else if (made.type.empty()) {
      ASSIGN(made.type, full_name(true));
    }
    ASSIGN(made.name, identifier());
    TRY(require("="));
    ASSIGN(made.number, number());
    TRY(options_in_brackets(made.options));
    std::erase_if(made.options, [&](Option& one) {
      if (one.parenthesized || (one.name != "default" && one.name != "json_name")) return false;
      (one.name == "default" ? made.default_value : made.json_name) = std::move(one.value.text);
      return true;
    });
    fields.push_back(std::move(made));
    return require(";");
  }

  // A group holds fields only: types within it are a shape that no registry prints.
  Status group(Label label, std::vector<Group>& groups) {
    Group made;
    made.label = label;
    ASSIGN(made.name, identifier());
    TRY(require("="));
    ASSIGN(made.number, number());
    TRY(require("{"));
    while (!take("}")) {
      std::vector<Group> inner;
      if (take(";")) continue;
      TRY(field(made.fields, inner));
      if (!inner.empty()) return expected("a field: groups do not lie in one another");
    }
    groups.push_back(std::move(made));
    return {};
  }

  Status oneof(std::vector<OneOf>& list) {
    OneOf made;
    ASSIGN(made.name, identifier());
    TRY(require("{"));
    while (!take("}")) {
      if (take(";")) continue;
      if (take("option")) {
        TRY(option_statement(made.options));
      } else if (take("group")) {
        TRY(group(Label::kNone, made.groups));
      } else {
        TRY(field_after_label({}, made.fields));
      }
    }
    list.push_back(std::move(made));
    return {};
  }

  Status extend(std::vector<Extend>& list) {
    Extend made;
    ASSIGN(made.name, full_name(true));
    TRY(require("{"));
    while (!take("}"))
      if (!take(";")) TRY(field(made.fields, made.groups));
    list.push_back(std::move(made));
    return {};
  }

  Result<Range> range(std::int32_t most) {
    Range made;
    ASSIGN(made.first, number());
    made.last = made.first;
    if (!take("to")) return made;
    made.written_as_range = true;
    if (take("max")) {
      made.last = most;
      return made;
    }
    ASSIGN(made.last, number());
    return made;
  }

  Status reserved(std::vector<Reserved>& list) {
    Reserved made;
    do {
      if (sees_text()) {
        ASSIGN(auto name, text());
        made.emplace_back(std::move(name));
      } else {
        ASSIGN(const Range numbers, range(kMaxFieldNumber));
        made.emplace_back(numbers);
      }
    } while (take(","));
    list.push_back(std::move(made));
    return require(";");
  }

  Status extensions(std::vector<Extensions>& list) {
    Extensions made;
    do {
      ASSIGN(const Range numbers, range(kMaxFieldNumber));
      made.ranges.push_back(numbers);
    } while (take(","));
    TRY(options_in_brackets(made.options));
    list.push_back(std::move(made));
    return require(";");
  }

  Status enumeration(std::vector<Enum>& list) {
    TRY(count_type());
    Enum made;
    ASSIGN(made.name, identifier());
    TRY(require("{"));
    while (!take("}")) {
      if (take(";")) continue;
      if (take("option")) {
        TRY(option_statement(made.options));
      } else if (take("reserved")) {
        TRY(reserved(made.reserved));
      } else {
        TRY(count_member());
        EnumValue value;
        ASSIGN(value.name, identifier());
        TRY(require("="));
        ASSIGN(value.number, number());
        TRY(options_in_brackets(value.options));
        TRY(require(";"));
        made.values.push_back(std::move(value));
      }
    }
    list.push_back(std::move(made));
    return {};
  }

  Status service(std::vector<Service>& list) {
    Service made;
    ASSIGN(made.name, identifier());
    TRY(require("{"));
    while (!take("}")) {
      if (take(";")) continue;
      if (take("option")) {
        TRY(option_statement(made.options));
      } else {
        TRY(require("rpc"));
        TRY(rpc(made.rpcs));
      }
    }
    list.push_back(std::move(made));
    return {};
  }

  Status rpc(std::vector<Rpc>& list) {
    TRY(count_member());
    Rpc made;
    ASSIGN(made.name, identifier());
    TRY(side(made.request, made.request_streams));
    TRY(require("returns"));
    TRY(side(made.response, made.response_streams));
    if (take("{")) {
      while (!take("}")) {
        if (take(";")) continue;
        TRY(require("option"));
        TRY(option_statement(made.options));
      }
    } else {
      TRY(require(";"));
    }
    list.push_back(std::move(made));
    return {};
  }

  Status side(std::string& type, bool& streams) {
    TRY(require("("));
    streams = take("stream");
    ASSIGN(type, full_name(true));
    return require(")");
  }

  // Options.

  Status option_statement(Options& list) {
    TRY(option(list));
    return require(";");
  }

  Status options_in_brackets(Options& list) {
    if (!take("[")) return {};
    do {
      TRY(option(list));
    } while (take(","));
    return require("]");
  }

  struct Part {
    std::string name;
    bool parenthesized;
  };

  // "(name)", or a word, which has dots where `dotted`.
  Result<Part> part(bool dotted) {
    Part made{"", take("(")};
    if (made.parenthesized) {
      ASSIGN(made.name, full_name(true));
      TRY(require(")"));
      return made;
    }
    ASSIGN(made.name, identifier());
    while (dotted && take(".")) {
      if (sees("(")) return expected("a name");
      ASSIGN(const std::string more, identifier());
      made.name += "." + more;
    }
    return made;
  }

  Status option(Options& list) {
    ASSIGN(const Part first, part(true));
    std::vector<Part> nested;
    while (take(".")) {
      ASSIGN(const Part one, part(false));
      nested.push_back(one);
    }
    if (nested.size() > static_cast<std::size_t>(kMaxValueDepth))
      return expected("fewer names in one option");
    TRY(require("="));
    ASSIGN(Value made, value(0));
    for (auto one = nested.rbegin(); one != nested.rend(); ++one) {
      Value outer;
      outer.kind = Value::Kind::kNested;
      outer.members.push_back({one->name, one->parenthesized, std::move(made)});
      made = std::move(outer);
    }
    list.push_back({first.name, first.parenthesized, std::move(made)});
    return {};
  }

  Result<Value> value(int depth) {
    if (depth > kMaxValueDepth) return expected("a value that is not nested so deep");
    Value made;
    if (sees_text()) {
      ASSIGN(made.text, text());
      return made;
    }
    if (take("{")) return map(depth);
    if (take("[")) return list(depth);
    if (take("-")) made.text = "-";
    const auto& token = tokens_.current();
    switch (token.type) {
      case Token::TYPE_INTEGER:
      case Token::TYPE_FLOAT:
        // As Wire has it, ".5" is a word.
        made.kind = made.text.empty() && token.text.front() == '.' ? Value::Kind::kEnum
                                                                   : Value::Kind::kNumber;
        break;
      case Token::TYPE_IDENTIFIER:
        made.kind = !made.text.empty()                              ? Value::Kind::kNumber
                    : token.text == "true" || token.text == "false" ? Value::Kind::kBoolean
                                                                    : Value::Kind::kEnum;
        break;
      default:
        return expected("a value");
    }
    made.text += token.text;
    tokens_.Next();
    return made;
  }

  Result<Value> list(int depth) {
    Value made;
    made.kind = Value::Kind::kList;
    while (!take("]")) {
      ASSIGN(Value element, value(depth + 1));
      made.elements.push_back(std::move(element));
      if (!take(",") && !sees("]")) return expected("\",\" or \"]\"");
    }
    return made;
  }

  Result<Value> map(int depth) {
    Value made;
    made.kind = Value::Kind::kMap;
    std::unordered_map<std::string, std::size_t> places;
    while (!take("}")) {
      std::string name;
      if (take("[")) {
        ASSIGN(const std::string extension, full_name(true));
        TRY(require("]"));
        name = "[" + extension + "]";
      } else {
        ASSIGN(name, full_name(false));
      }
      if (!take(":") && !sees("{")) return expected("\":\"");
      ASSIGN(Value one, value(depth + 1));
      const auto [place, is_new] = places.try_emplace(name, made.members.size());
      if (is_new)
        made.members.push_back({name, false, std::move(one)});
      else
        add_to_list(made.members[place->second].value, std::move(one));
      if (!take(",")) take(";");
    }
    return made;
  }

  // A name that is given again makes a list of its values.
  static void add_to_list(Value& known, Value more) {
    if (known.kind != Value::Kind::kList) {
      Value list;
      list.kind = Value::Kind::kList;
      list.elements.push_back(std::move(known));
      known = std::move(list);
    }
    if (more.kind != Value::Kind::kList) return known.elements.push_back(std::move(more));
    for (auto& element : more.elements) known.elements.push_back(std::move(element));
  }

  io::ArrayInputStream input_;
  io::Tokenizer tokens_;
  std::optional<Error> lexical_;
  std::size_t types_ = 0;
  std::size_t members_ = 0;
  int depth_ = 0;
};

}  // namespace

std::string_view label_name(Label label) {
  constexpr std::array<std::string_view, 4> kNames = {"", "optional", "required", "repeated"};
  return kNames[static_cast<std::size_t>(label)];
}

bool is_scalar(std::string_view type) {
  constexpr std::array<std::string_view, 15> kScalars = {
      "bool",     "bytes",    "double", "fixed32", "fixed64", "float",  "int32", "int64",
      "sfixed32", "sfixed64", "sint32", "sint64",  "string",  "uint32", "uint64"};
  for (const auto one : kScalars)
    if (one == type) return true;
  return false;
}

Result<File> read_file(std::string_view text) {
  if (text.size() > kMaxSchemaBytes)
    return error(Code::kInvalidArgument,
                 "the text is longer than " + std::to_string(kMaxSchemaBytes >> 20) + " MB");
  return Reader(text).file();
}

}  // namespace tailrace::schema::protobuf
