#include "schema/testing/random_protobuf.h"

#include <algorithm>
#include <set>

#include "schema/protobuf/printer.h"

namespace tailrace::schema::testing {
namespace {

using namespace protobuf;

constexpr const char* kOther =
    "syntax = \"proto3\";\npackage other.place;\n"
    "message Street { string name = 1; int32 number = 2; }\n"
    "message Place { Street street = 1; string city = 2; Kind kind = 3;\n"
    "  message Inner { int64 x = 1; } Inner inner = 4; }\n"
    "enum Kind { KIND_NONE = 0; KIND_HOME = 1; }\n";
constexpr const char* kOtherChanged =
    "syntax = \"proto3\";\npackage other.place;\n"
    "message Street { string name = 1; string number = 2; string post_code = 3; }\n"
    "message Place { Street street = 1; bytes city = 2; Kind kind = 3;\n"
    "  message Inner { sint64 x = 1; } Inner inner = 4; }\n"
    "enum Kind { KIND_NONE = 0; KIND_HOME = 1; KIND_WORK = 2; }\n";
constexpr const char* kOptions =
    "syntax = \"proto2\";\npackage opts;\nimport \"google/protobuf/descriptor.proto\";\n"
    "message Rule { optional string text = 1; repeated int32 numbers = 2; optional Rule inner = 3; "
    "optional double real = 4; optional bool yes = 5; extensions 100 to 200; }\n"
    "extend google.protobuf.FieldOptions { optional Rule rule = 50001; optional string tag = 50002;"
    " repeated string tags = 50003; optional double weight = 50004; }\n"
    "extend google.protobuf.MessageOptions { optional Rule mrule = 50001; }\n"
    "extend google.protobuf.FileOptions { optional Rule frule = 50001; }\n";

bool is_key(std::string_view type) {
  return is_scalar(type) && type != "float" && type != "double" && type != "bytes";
}

template <typename List>
std::set<std::int32_t> numbers_of(const List& fields) {
  std::set<std::int32_t> made;
  for (const auto& one : fields) made.insert(one.number);
  return made;
}

std::set<std::int32_t> numbers_of_message(const Message& message) {
  auto made = numbers_of(message.fields);
  for (const auto& oneof : message.oneofs) made.merge(numbers_of(oneof.fields));
  made.merge(numbers_of(message.groups));
  return made;
}

std::set<std::string> names_of_message(const Message& message) {
  std::set<std::string> made;
  for (const auto& one : message.fields) made.insert(one.name);
  for (const auto& oneof : message.oneofs) {
    made.insert(oneof.name);
    for (const auto& one : oneof.fields) made.insert(one.name);
  }
  return made;
}

}  // namespace

std::vector<Reference> RandomProtobuf::references(bool changed) {
  return {{"other/place.proto", changed ? kOtherChanged : kOther}, {"opts.proto", kOptions}};
}

File RandomProtobuf::file() {
  File made;
  made.syntax = one_in(3) ? "proto2" : "proto3";
  proto3_ = made.is_proto3();
  if (!proto3_ && one_in(3)) made.syntax.reset();
  if (!one_in(3)) made.package = pick({"a", "a.b", "shop.v1"});
  const std::string root = made.package.empty() ? "." : "." + made.package + ".";
  usable_ = {"string", "string",  "int32",    "int64", "bool",   "double", "bytes",   "uint32",
             "sint64", "fixed32", "sfixed64", "float", "uint64", "sint32", "fixed64", "sfixed32"};
  made.imports = {"other/place.proto", "opts.proto"};
  if (one_in(2)) made.imports.insert(made.imports.begin(), "google/protobuf/timestamp.proto");
  if (one_in(6)) made.public_imports = {"google/type/date.proto"};
  for (const auto* one : {"other.place.Place", ".other.place.Street", "other.place.Place.Inner"})
    usable_.emplace_back(one);
  if (made.imports.size() > 2) usable_.emplace_back("google.protobuf.Timestamp");
  if (!made.public_imports.empty()) usable_.emplace_back("google.type.Date");
  if (proto3_) usable_.emplace_back("other.place.Kind");
  std::vector<std::string> words = {"User", "Order", "Item", "Address"};
  std::ranges::shuffle(words, random_);
  words.resize(1 + below(4));
  for (const auto& word : words) {
    const std::string kind = word + "Kind";
    if (one_in(3)) {
      made.enums.push_back(enumeration(kind));
      usable_.push_back(one_in(2) ? kind : root + kind);
    }
    made.messages.push_back(message(word, 0));
    usable_.push_back(one_in(2) ? word : root + word);
  }
  if (one_in(3))
    made.options.push_back({"java_package", false, {Value::Kind::kText, "com.a", {}, {}}});
  if (one_in(4))
    made.options.push_back({"java_multiple_files", false, {Value::Kind::kBoolean, "true", {}, {}}});
  if (one_in(5)) {
    auto more = options("opts.frule");
    made.options.insert(made.options.end(), more.begin(), more.end());
  }
  if (columns_only_) return made;
  if (one_in(5)) {
    Service service{"Shop", {}, {}};
    service.rpcs.push_back({"Get",
                            made.messages.front().name,
                            root + made.messages.back().name,
                            one_in(3),
                            one_in(3),
                            {}});
    if (one_in(2))
      service.rpcs.back().options.push_back(
          {"deprecated", false, {Value::Kind::kBoolean, "true", {}, {}}});
    made.services.push_back(std::move(service));
  }
  if (one_in(6)) {
    Extend extend{"google.protobuf.FieldOptions", {}, {}};
    Field own;
    own.label = proto3_ ? Label::kNone : Label::kOptional;
    own.type = "string";
    own.name = "own_tag";
    own.number = 50010;
    extend.fields.push_back(own);
    made.imports.emplace_back("google/protobuf/descriptor.proto");
    made.extends.push_back(extend);
  }
  return made;
}

Enum RandomProtobuf::enumeration(const std::string& name) {
  Enum made;
  made.name = name;
  std::string upper;
  for (const char c : name) upper += static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
  const std::size_t count = 1 + below(4);
  for (std::size_t i = 0; i < count; ++i)
    made.values.push_back({upper + "_" + std::to_string(i), static_cast<std::int32_t>(i), {}});
  if (count > 2) std::swap(made.values[1], made.values[2]);
  if (one_in(4)) made.reserved.push_back({Range{20, 20, false}, Range{30, 40, true}});
  if (one_in(5)) made.reserved.push_back({std::string("OLD_NAME"), std::string("A_NAME")});
  if (one_in(5))
    made.options.push_back({"deprecated", false, {Value::Kind::kBoolean, "true", {}, {}}});
  if (one_in(5))
    made.values.back().options.push_back(
        {"deprecated", false, {Value::Kind::kBoolean, "true", {}, {}}});
  return made;
}

std::string RandomProtobuf::type() {
  return usable_[one_in(2) ? below(usable_.size()) : below(16)];
}

Value RandomProtobuf::value(int depth) {
  Value made;
  made.kind = Value::Kind::kMap;
  if (!one_in(3))
    made.members.push_back(
        {"text", false, {Value::Kind::kText, pick({"a'b", "x\ty", "é"}), {}, {}}});
  if (one_in(2)) {
    Value list{Value::Kind::kList, "", {}, {}};
    for (std::size_t i = below(3); i > 0; --i)
      list.elements.push_back({Value::Kind::kNumber, pick({"1", "0x10", "-7", "017"}), {}, {}});
    made.members.push_back({"numbers", false, list});
  }
  if (one_in(3))
    made.members.push_back(
        {"real",
         false,
         {Value::Kind::kNumber, pick({"1.50", "1e3", "0.12345", "2", "-0.5"}), {}, {}}});
  if (one_in(3)) made.members.push_back({"yes", false, {Value::Kind::kBoolean, "true", {}, {}}});
  if (depth < 2 && one_in(3)) made.members.push_back({"inner", false, value(depth + 1)});
  std::ranges::shuffle(made.members, random_);
  return made;
}

Options RandomProtobuf::options(std::string_view of) {
  Options made;
  const std::string name(of);
  if (one_in(2)) {
    made.push_back({name, true, value(0)});
  } else {
    Value nested{Value::Kind::kNested, "", {}, {}};
    nested.members.push_back({"text", false, {Value::Kind::kText, "plain", {}, {}}});
    made.push_back({name, true, nested});
    if (one_in(2)) {
      Value real{Value::Kind::kNested, "", {}, {}};
      real.members.push_back({"real", false, {Value::Kind::kNumber, "2.5", {}, {}}});
      Value inner{Value::Kind::kNested, "", {}, {}};
      inner.members.push_back({"inner", false, real});
      made.push_back({name, true, inner});
    }
  }
  return made;
}

Field RandomProtobuf::field(const Message& of, bool in_oneof) {
  Field made;
  const auto numbers = numbers_of_message(of);
  const auto names = names_of_message(of);
  do {
    made.number = 1 + static_cast<std::int32_t>(one_in(6) ? below(200) : below(14));
  } while (numbers.contains(made.number));
  do {
    made.name = pick({"id", "name", "first_name", "at", "value", "kind", "total", "line"}) +
                (one_in(3) ? std::to_string(below(5)) : "");
    if (one_in(20)) made.name += "_x" + std::to_string(below(100));
  } while (names.contains(made.name));
  made.type = type();
  if (!in_oneof && one_in(7)) {
    made.key = pick({"string", "int32", "bool", "uint64"});
    return made;
  }
  if (!in_oneof) {
    const auto roll = below(6);
    made.label = roll == 0               ? Label::kRepeated
                 : roll == 1 && !proto3_ ? Label::kRequired
                 : !proto3_ || roll == 2 ? Label::kOptional
                                         : Label::kNone;
  }
  const bool plain = made.label != Label::kRepeated;
  if (!proto3_ && plain && one_in(5)) {
    if (made.type == "string") made.default_value = pick({"x", "a \"b\"", ""});
    if (made.type == "int32") made.default_value = pick({"5", "-3", "0x1F"});
    if (made.type == "double") made.default_value = pick({"1.50", "inf", "2e2"});
    if (made.type == "bool") made.default_value = "true";
  }
  if (one_in(10)) made.json_name = made.name + "J";
  if (one_in(8))
    made.options.push_back(
        {"deprecated", false, {Value::Kind::kBoolean, pick({"true", "false"}), {}, {}}});
  if (made.label == Label::kRepeated && is_key(made.type) && made.type != "string" && one_in(3))
    made.options.push_back({"packed", false, {Value::Kind::kBoolean, "true", {}, {}}});
  if (!columns_only_ && one_in(8)) {
    auto more = options("opts.rule");
    made.options.insert(made.options.end(), more.begin(), more.end());
  }
  if (one_in(12))
    made.options.push_back(
        {pick({"opts.tag", ".opts.tag"}), true, {Value::Kind::kText, "t", {}, {}}});
  if (one_in(14)) {
    made.options.push_back({"opts.tags", true, {Value::Kind::kText, "t2", {}, {}}});
    made.options.push_back({"opts.tags", true, {Value::Kind::kText, "t1", {}, {}}});
  }
  if (one_in(14))
    made.options.push_back(
        {"opts.weight",
         true,
         {Value::Kind::kNumber, pick({"1.0", "0.0005", "100000000", "-3", "1e30"}), {}, {}}});
  return made;
}

Message RandomProtobuf::message(const std::string& name, int depth) {
  Message made;
  made.name = name;
  const std::size_t own = usable_.size();
  if (depth < 2 && one_in(3)) {
    const std::string word = pick({"Part", "Meta", "Item"});
    made.messages.push_back(message(word, depth + 1));
    usable_.push_back(word);
  }
  if (depth < 2 && one_in(4)) {
    std::string kind = pick({"Level", "Color"});
    made.enums.push_back(enumeration(kind + std::to_string(depth)));
    usable_.push_back(kind + std::to_string(depth));
  }
  if (!columns_only_ && one_in(6)) usable_.push_back(name);
  for (std::size_t i = below(6); i > 0; --i) made.fields.push_back(field(made, false));
  for (std::size_t i = one_in(3) ? 1 + below(2) : 0; i > 0; --i) {
    OneOf oneof{"choice" + std::to_string(i), {}, {}, {}};
    made.oneofs.push_back(oneof);
    for (std::size_t k = 1 + below(3); k > 0; --k) {
      Field one = field(made, true);
      made.oneofs.back().fields.push_back(std::move(one));
    }
  }
  if (!proto3_ && !columns_only_ && one_in(6)) {
    Group group{Label::kOptional, "Grp" + std::to_string(depth), 300, {}};
    Message inner;
    for (std::size_t i = 1 + below(2); i > 0; --i) {
      group.fields.push_back(field(inner, false));
      inner.fields.push_back(group.fields.back());
    }
    made.groups.push_back(std::move(group));
  }
  if (one_in(6))
    made.reserved.push_back(
        {Range{1000, 1000, false}, Range{1010, 1020, true}, Range{990, 990, true}});
  if (one_in(8)) made.reserved.push_back({std::string("old"), std::string("Older")});
  if (!proto3_ && one_in(8))
    made.extensions.push_back({{Range{2000, 3000, true}, Range{1500, 1500, false}}, {}});
  if (!proto3_ && one_in(12)) made.extensions.push_back({{Range{5000, 536'870'911, true}}, {}});
  if (one_in(8))
    made.options.push_back({"deprecated", false, {Value::Kind::kBoolean, "true", {}, {}}});
  if (one_in(10)) made.options = options("opts.mrule");
  usable_.resize(own);
  return made;
}

// Changes.

File RandomProtobuf::changed(File from) {
  proto3_ = from.is_proto3();
  usable_.assign({"string", "int32", "int64", "bool", "double", "bytes", "uint32", "sint64",
                  "fixed32", "sfixed64", "float", "uint64", "sint32", "fixed64", "sfixed32",
                  "string", "other.place.Place", "other.place.Street"});
  for (const auto& one : from.messages) usable_.push_back(one.name);
  for (const auto& one : from.enums) usable_.push_back(one.name);
  for (std::size_t i = 1 + below(3); i > 0; --i) change(from);
  return from;
}

void RandomProtobuf::change(File& file) {
  switch (below(14)) {
    case 0:
      file.package = pick({"a", "a.b", "", "shop.v2"});
      return;
    case 1:
      std::ranges::shuffle(file.messages, random_);
      return;
    case 2:
      if (file.messages.size() > 1)
        file.messages.erase(file.messages.begin() +
                            static_cast<std::ptrdiff_t>(below(file.messages.size())));
      return;
    case 3:
      if (!file.enums.empty()) {
        auto& one = file.enums[below(file.enums.size())];
        one.values.push_back({one.name + "_NEW", 9, {}});
      }
      return;
    case 4:
      if (!file.messages.empty()) {
        auto& one = file.messages[below(file.messages.size())];
        one.name = pick({"User", "Thing"});
      }
      return;
    default:
      if (!file.messages.empty()) change(file.messages[below(file.messages.size())]);
  }
}

void RandomProtobuf::change(Message& message) {
  if (!message.messages.empty() && one_in(4))
    return change(message.messages[below(message.messages.size())]);
  const auto at = [&](auto& list) {
    return list.begin() + static_cast<std::ptrdiff_t>(below(list.size()));
  };
  auto& fields = message.fields;
  switch (below(12)) {
    case 0:
      fields.push_back(field(message, false));
      return;
    case 1:
      if (!fields.empty()) fields.erase(at(fields));
      return;
    case 2:
      if (!fields.empty()) at(fields)->type = type();
      return;
    case 3:
      if (!fields.empty() && !at(fields)->is_map()) {
        auto& one = *at(fields);
        if (!one.is_map())
          one.label = proto3_     ? pick({"a", "b"}) == "a" ? Label::kNone : Label::kRepeated
                      : one_in(3) ? Label::kRequired
                      : one_in(2) ? Label::kOptional
                                  : Label::kRepeated;
      }
      return;
    case 4:
      if (!fields.empty()) at(fields)->name += "_renamed";
      return;
    case 5:
      if (!fields.empty()) at(fields)->number += 20;
      return;
    case 6:
    case 7:  // into a oneof
      if (!fields.empty()) {
        const auto which = at(fields);
        if (which->is_map() || which->label == Label::kRepeated) return;
        Field moved = *which;
        moved.label = Label::kNone;
        if (message.oneofs.empty() || one_in(3))
          message.oneofs.push_back(
              {"choice" + std::to_string(5 + message.oneofs.size()), {}, {}, {}});
        at(message.oneofs)->fields.push_back(moved);
        fields.erase(which);
        std::erase_if(message.oneofs, [](const OneOf& one) { return one.fields.empty(); });
      }
      return;
    case 8:  // out of a oneof
      if (!message.oneofs.empty()) {
        const auto which = at(message.oneofs);
        Field moved = which->fields.back();
        moved.label = proto3_ ? Label::kNone : Label::kOptional;
        fields.push_back(moved);
        which->fields.pop_back();
        if (which->fields.empty()) message.oneofs.erase(which);
      }
      return;
    case 9:
      if (!message.oneofs.empty()) {
        if (one_in(2))
          message.oneofs.erase(at(message.oneofs));
        else if (at(message.oneofs)->fields.size() > 1)
          at(message.oneofs)->name += "_o";
      }
      return;
    case 10:
      if (!message.oneofs.empty()) {
        auto& oneof = *at(message.oneofs);
        if (oneof.fields.size() > 1 && one_in(2))
          oneof.fields.pop_back();
        else
          oneof.fields.push_back(field(message, true));
      }
      return;
    default:
      if (!message.messages.empty())
        message.messages.erase(at(message.messages));
      else
        message.messages.push_back({"Added", {}, {}, {}, {}, {}, {}, {}, {}, {}});
  }
}

// Lines of the canonical text are given other spaces, quotes and comments, and their numbers other
// spellings; statements stay in their order.
std::string RandomProtobuf::written(const File& file) {
  const std::string plain = protobuf::printed(file);
  std::string made;
  bool quoted = false;
  for (std::size_t i = 0; i < plain.size(); ++i) {
    const char c = plain[i];
    if (c == '"' && (i == 0 || plain[i - 1] != '\\')) quoted = !quoted;
    made += c;
    if (quoted) continue;
    if (c == ' ' && one_in(30)) made += pick({"  ", "\t", " /* a note; } */ ", "\n "});
    if (c == '\n' && one_in(12))
      made += pick({"\n", "// a line { of comment\n", "  \n", "/* two\n lines */\n"});
    if (c == ';' && plain[i + 1] == '\n' && one_in(25) && i > 30)
      made += pick({";", " // behind", " "});
  }
  return made;
}

}  // namespace tailrace::schema::testing
