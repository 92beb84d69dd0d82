#include "schema/protobuf/printer.h"

#include <algorithm>
#include <array>
#include <functional>
#include <limits>
#include <map>

namespace tailrace::schema::protobuf {
namespace {

constexpr std::int32_t kMaxFieldNumber = 536'870'911;
constexpr std::string_view kOwnOptions = "confluent.";

// The bytes of the UTF-8 character at the front of `text`; 0 when there is none.
std::size_t character_size(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const std::size_t size = byte(0) < 0x80 ? 1 : byte(0) >= 0xF0 ? 4 : byte(0) >= 0xE0 ? 3 : 2;
  if (size > 1 && (byte(0) < 0xC2 || byte(0) > 0xF4)) return 0;
  if (text.size() < size) return 0;
  for (std::size_t i = 1; i < size; ++i)
    if ((byte(i) & 0xC0) != 0x80) return 0;
  return size;
}

// What is neither a printable character nor one with an escape of its own is written in octal.
std::string escaped(std::string_view text) {
  constexpr std::string_view kPlain = "\a\b\f\n\r\t\v\\'\"";
  constexpr std::string_view kLetters = "abfnrtv\\'\"";
  std::string made;
  while (!text.empty()) {
    const auto known = kPlain.find(text.front());
    std::size_t size = character_size(text);
    if (known != kPlain.npos) {
      made += '\\';
      made += kLetters[known];
    } else if (size == 0 || (size == 1 && static_cast<unsigned char>(text.front()) < 0x20)) {
      const auto byte = static_cast<unsigned char>(text.front());
      made += {'\\', static_cast<char>('0' + (byte >> 6)), static_cast<char>('0' + (byte >> 3 & 7)),
               static_cast<char>('0' + (byte & 7))};
      size = 1;
    } else {
      made += text.substr(0, size);
    }
    text.remove_prefix(size);
  }
  return made;
}

// How a default is written, by the type of its field.
Value::Kind default_kind(std::string_view type) {
  if (type == "bool") return Value::Kind::kBoolean;
  if (type == "string" || type == "bytes") return Value::Kind::kText;
  return is_scalar(type) ? Value::Kind::kNumber : Value::Kind::kEnum;
}

template <typename T>
std::vector<T> by_number(std::vector<T> list) {
  std::ranges::stable_sort(list, {}, &T::number);
  return list;
}

class Printer {
 public:
  Printer(const File& file, const Names* names, Shown shown)
      : file_(file), names_(names), shown_(shown), scope_(file.package) {}

  std::string print() {
    if (file_.syntax && (!names_ || file_.is_proto3())) line("syntax = \"" + *file_.syntax + "\";");
    if (!file_.package.empty()) line("package " + file_.package + ";");
    imports();
    option_statements(file_.options, true);
    types(file_.messages, file_.enums);
    extends(file_.extends);
    if (!file_.services.empty()) line("");
    for (const auto& one : file_.services) service(one);
    return std::move(out_);
  }

  /// The first type that was not known.
  const std::optional<std::string>& unknown() const { return unknown_; }

 private:
  // Lines.

  // Appends, with the indentation at the start of each line.
  void text(std::string_view more) {
    for (const char c : more) {
      if (at_start_) out_.append(static_cast<std::size_t>(depth_) * 2, ' ');
      at_start_ = c == '\n';
      out_ += c;
    }
  }
  void line(std::string_view more) {
    text(more);
    text("\n");
  }
  void open(std::string_view head) {
    text(head);
    text(" {");
    opened_ = true;
    ++depth_;
  }
  void close() {
    // `{` and `}` stand on one line where there is nothing between them.
    opened_ = false;
    --depth_;
    line("}");
  }
  // A blank line before each kind of declaration, indented as the braces around it are; right
  // behind the brace it is the end of that line.
  void gap() {
    if (!opened_ && depth_ > 1) out_.append(static_cast<std::size_t>(depth_ - 1) * 2, ' ');
    opened_ = false;
    out_ += '\n';
    at_start_ = true;
  }

  // A file.

  void imports() {
    if (file_.imports.empty() && file_.public_imports.empty() && file_.weak_imports.empty()) return;
    line("");
    const auto each = [&](std::vector<std::string> paths, std::string_view how) {
      if (names_) {
        std::ranges::sort(paths);
        const auto again = std::ranges::unique(paths);
        paths.erase(again.begin(), again.end());
      }
      for (const auto& path : paths)
        line("import " + std::string(how) + "\"" + escaped(path) + "\";");
    };
    each(file_.imports, "");
    each(file_.public_imports, "public ");
    each(file_.weak_imports, "weak ");
  }

  void types(const std::vector<Message>& messages, const std::vector<Enum>& enums) {
    std::vector<const Message*> shown;
    for (const auto& one : messages) {
      // A map is written as one; the message that stands for its entries is not.
      const NamedType* type = names_ ? names_->type_at(scope_.text(), one.name) : nullptr;
      if (!type || !type->is_map()) shown.push_back(&one);
    }
    if (shown.empty() && enums.empty()) return;
    gap();
    for (const auto* one : shown) message(*one);
    for (const auto& one : enums) enumeration(one);
  }

  void message(const Message& one) {
    scope_.enter(one.name);
    open("message " + one.name);
    if (!one.reserved.empty()) gap();
    reserved(one.reserved);
    option_statements(one.options, true);
    fields(one.fields);
    oneofs(one.oneofs);
    groups(one.groups);
    extensions(one.extensions);
    extends(one.extends);
    types(one.messages, one.enums);
    close();
    scope_.leave();
  }

  void enumeration(const Enum& one) {
    scope_.enter(one.name);
    open("enum " + one.name);
    if (!one.reserved.empty() || !one.options.empty() || !one.values.empty()) gap();
    reserved(one.reserved);
    option_statements(one.options, false);
    auto values = one.values;
    if (names_)
      std::ranges::sort(values, [](const EnumValue& a, const EnumValue& b) {
        return a.number != b.number ? a.number < b.number : a.name < b.name;
      });
    for (const auto& value : values) {
      text(value.name + " = " + std::to_string(value.number));
      options(filtered(value.options));
      line(";");
    }
    close();
    scope_.leave();
  }

  void reserved(std::vector<Reserved> list) {
    if (names_) list = sorted_apart(list);
    for (const auto& statement : list) {
      text("reserved ");
      bool first = true;
      for (const auto& one : statement) {
        if (!first) text(", ");
        first = false;
        if (const auto* name = std::get_if<std::string>(&one))
          text("\"" + escaped(*name) + "\"");
        else
          text(range(std::get<Range>(one)));
      }
      line(";");
    }
  }

  // One statement for each number or name: numbers by their start, then names.
  static std::vector<Reserved> sorted_apart(const std::vector<Reserved>& list) {
    std::vector<Reserved> made;
    for (const auto& statement : list)
      for (const auto& one : statement) made.push_back({one});
    const auto key = [](const Reserved& one) -> std::pair<std::int32_t, std::string> {
      if (const auto* name = std::get_if<std::string>(&one.front()))
        return {std::numeric_limits<std::int32_t>::max(), *name};
      const auto& range = std::get<Range>(one.front());
      std::string shown = std::to_string(range.first);
      if (range.written_as_range) shown += ".." + std::to_string(range.last);
      return {range.first, shown};
    };
    std::ranges::stable_sort(made, {}, key);
    return made;
  }

  std::string range(const Range& one) const {
    std::string made = std::to_string(one.first);
    if (!one.written_as_range || (names_ && one.first == one.last)) return made;
    return made + " to " + (one.last < kMaxFieldNumber ? std::to_string(one.last) : "max");
  }

  void fields(const std::vector<Field>& list) {
    if (list.empty()) return;
    gap();
    for (const auto& one : names_ ? by_number(list) : list) field(one);
  }

  void oneofs(std::vector<OneOf> list) {
    if (names_) {
      std::erase_if(list,
                    [](const OneOf& one) { return one.fields.empty() && one.groups.empty(); });
      for (auto& one : list) {
        one.fields = by_number(std::move(one.fields));
        one.groups = by_number(std::move(one.groups));
      }
      std::ranges::stable_sort(list, {}, [](const OneOf& one) {
        return one.fields.empty() ? one.groups.front().number : one.fields.front().number;
      });
    }
    if (!list.empty()) gap();
    for (const auto& one : list) {
      open("oneof " + one.name);
      option_statements(one.options, true);
      fields(one.fields);
      groups(one.groups);
      close();
    }
  }

  void groups(const std::vector<Group>& list) {
    if (list.empty()) return;
    gap();
    for (const auto& one : names_ ? by_number(list) : list) {
      std::string head(label_name(one.label));
      if (!head.empty()) head += " ";
      open(head + "group " + one.name + " = " + std::to_string(one.number));
      fields(one.fields);
      close();
    }
  }

  void extensions(const std::vector<Extensions>& list) {
    if (shown_ == Shown::kNoExtensions || list.empty()) return;
    gap();
    std::vector<Extensions> shown;
    for (const auto& one : list) {
      if (!names_) shown.push_back(one);
      if (names_)
        for (const auto& range : one.ranges) shown.push_back({{range}, one.options});
    }
    if (names_)
      std::ranges::stable_sort(shown, {},
                               [](const Extensions& one) { return one.ranges.front().first; });
    for (const auto& one : shown) {
      text("extensions ");
      for (const auto& each : one.ranges)
        text((&each == one.ranges.data() ? "" : ", ") + range(each));
      options(filtered(one.options));
      line(";");
    }
  }

  void extends(const std::vector<Extend>& list) {
    if (shown_ == Shown::kNoExtensions || list.empty()) return;
    gap();
    for (const auto& one : names_ ? joined(list) : list) {
      open("extend " + one.name);
      fields(one.fields);
      groups(one.groups);
      close();
    }
  }

  // All that extend one message, together.
  std::vector<Extend> joined(const std::vector<Extend>& list) {
    std::vector<Extend> made;
    std::map<std::string, std::size_t> places;
    for (const auto& one : list) {
      const std::string name = resolved(one.name);
      const auto [place, is_new] = places.try_emplace(name, made.size());
      if (is_new) made.push_back({name, {}, {}});
      Extend& known = made[place->second];
      known.fields.insert(known.fields.end(), one.fields.begin(), one.fields.end());
      known.groups.insert(known.groups.end(), one.groups.begin(), one.groups.end());
    }
    return made;
  }

  void service(const Service& one) {
    open("service " + one.name);
    option_statements(one.options, true);
    if (!one.rpcs.empty()) gap();
    for (const auto& rpc : one.rpcs) {
      const auto side = [&](const std::string& type, bool streams) {
        return std::string(streams ? "(stream " : "(") + (names_ ? resolved(type) : type) + ")";
      };
      text("rpc " + rpc.name + " " + side(rpc.request, rpc.request_streams) + " returns " +
           side(rpc.response, rpc.response_streams));
      const Options shown = filtered(rpc.options);
      if (shown.empty()) {
        line(";");
        continue;
      }
      line(" {");
      ++depth_;
      for (const auto& option : shown) statement(option);
      --depth_;
      line("};");
    }
    close();
  }

  // A field.

  void field(const Field& one) {
    std::string type = one.written_type();
    std::string_view plain = one.type;  // decides how a default is written
    bool is_map = one.is_map();
    if (names_) type = normal_type(one, is_map);
    if (one.label != Label::kNone && !(names_ && is_map))
      text(std::string(label_name(one.label)) + " ");
    text(type + " " + one.name + " = " + std::to_string(one.number));
    Options shown = one.options;
    if (one.default_value)
      shown.push_back({"default", false, {default_kind(plain), *one.default_value, {}, {}}});
    if (one.json_name)
      shown.push_back({"json_name", false, {Value::Kind::kText, *one.json_name, {}, {}}});
    options(filtered(shown));
    line(";");
  }

  std::string normal_type(const Field& one, bool& is_map) {
    if (!is_map && is_scalar(one.type)) return one.type;
    std::string key = one.key;
    std::string value = one.type;
    if (!is_map) {
      std::string full = resolved(one.type);
      const NamedType* type = names_->type(full.substr(1));
      if (!type || !type->is_map()) return full;
      is_map = true;
      key = type->key->type;
      value = type->value->type;
    }
    if (const auto full = names_->find_type(scope_.text(), value)) value = "." + *full;
    return "map<" + key + ", " + value + ">";
  }

  std::string resolved(const std::string& name) {
    if (auto full = names_->find_type(scope_.text(), name)) return "." + *full;
    if (!unknown_) unknown_ = name;
    return "." + name;
  }

  // Options.

  Options filtered(const Options& list) const {
    Options made = list;
    std::erase_if(made, [&](const Option& one) {
      if (!one.parenthesized || shown_ == Shown::kAll) return false;
      return shown_ == Shown::kNoCustomOptions || !one.name.starts_with(kOwnOptions);
    });
    return names_ ? normal_options(made, *names_, scope_.text()) : made;
  }

  void option_statements(const Options& list, bool after_gap) {
    const Options shown = filtered(list);
    if (!shown.empty() && after_gap) gap();
    for (const auto& one : shown) statement(one);
  }

  void statement(const Option& one) {
    text("option ");
    option(one);
    line(";");
  }

  // In brackets behind a field.
  void options(const Options& shown) {
    if (shown.empty()) return;
    text(" ");
    each_in_brackets(shown, true, [&](const Option& one) { option(one); });
  }

  // `[one]`, or one a line; a single one is on the line of its brackets where `tight`.
  void each_in_brackets(const auto& list, bool tight, const auto& print_one) {
    text("[");
    if (list.size() == 1 && tight) {
      print_one(list.front());
    } else {
      line("");
      ++depth_;
      for (const auto& one : list) {
        print_one(one);
        line(&one == &list.back() ? "" : ",");
      }
      --depth_;
    }
    text("]");
  }

  void option(const Option& one) {
    text(one.parenthesized ? "(" + one.name + ")" : one.name);
    if (one.value.kind == Value::Kind::kNested) {
      text(".");
      return option(one.value.members.front());
    }
    text(" = ");
    if (one.value.kind == Value::Kind::kList)
      each_in_brackets(one.value.elements, true, [&](const Value& each) { value(each); });
    else
      value(one.value);
  }

  void value(const Value& one) {
    switch (one.kind) {
      case Value::Kind::kText:
        return text("\"" + escaped(one.text) + "\"");
      case Value::Kind::kBoolean:
      case Value::Kind::kEnum:
        return text(one.text);
      case Value::Kind::kNumber:
        return text(names_ ? normal_number(one.text) : one.text);
      case Value::Kind::kList:
        if (names_ && one.elements.size() == 1) return value(one.elements.front());
        return each_in_brackets(one.elements, false, [&](const Value& each) { value(each); });
      case Value::Kind::kMap:
      case Value::Kind::kNested:
        return map(one);
    }
  }

  void map(const Value& one) {
    const Options shown = names_ ? normal_members(one.members) : one.members;
    line("{");
    ++depth_;
    for (const auto& member : shown) {
      text(member.name + ": ");
      value(member.value);
      line(&member == &shown.back() ? "" : ",");
    }
    --depth_;
    text("}");
  }

  Options normal_members(const Options& members) const {
    std::map<std::string, Value> sorted;
    for (const auto& member : members) {
      if (member.value.kind == Value::Kind::kList && member.value.elements.empty()) continue;
      std::string name = member.name;
      if (name.starts_with('[') && name.ends_with(']')) {
        const auto full = names_->find_extension(scope_.text(), name.substr(1, name.size() - 2));
        if (full) name = "[" + *full + "]";
      }
      sorted.emplace(std::move(name), member.value);
    }
    Options made;
    for (auto& [name, value] : sorted) made.push_back({name, false, std::move(value)});
    return made;
  }

  const File& file_;
  const Names* names_;  ///< not null where the form is normal
  const Shown shown_;
  Scope scope_;
  std::string out_;
  int depth_ = 0;
  bool at_start_ = true;
  bool opened_ = false;  ///< the line ends with a brace
  std::optional<std::string> unknown_;
};

}  // namespace

std::string printed(const File& file, Shown shown) {
  return Printer(file, nullptr, shown).print();
}

Result<std::string> printed_normal(const File& file, const Names& names) {
  Printer printer(file, &names, Shown::kAll);
  std::string made = printer.print();
  if (printer.unknown())
    return error(Code::kInvalidArgument, "\"" + *printer.unknown() + "\" is not defined");
  return made;
}

}  // namespace tailrace::schema::protobuf
