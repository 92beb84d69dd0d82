// An Avro schema as text: as the registry shows it, and in the specification's Parsing Canonical
// Form. The order of members is that of Avro for Java.
#include <algorithm>
#include <array>
#include <set>
#include <unordered_set>

#include "schema/avro/avro_schema.h"

namespace tailrace::schema::avro {
namespace {

using Names = std::unordered_set<std::string>;

// Writes each definition where its name is first used.
class Printer {
 public:
  /// `known` are names whose definition is left out.
  Printer(Names known, bool normalized) : known_(std::move(known)), normalized_(normalized) {}

  std::string print(const Type& root) && {
    type(root, "");
    return std::move(out_);
  }

 private:
  void type(const Type& type, std::string_view space) {
    if (type.defined) return named(type, space);
    if (type.kind == Kind::kUnion) return union_of(type, space);
    const bool holds = type.kind == Kind::kArray || type.kind == Kind::kMap;
    if (!holds && type.properties.empty()) return text(kind_name(type.kind));
    out_ += R"({"type":)";
    text(kind_name(type.kind));
    if (holds) {
      out_ += type.kind == Kind::kArray ? R"(,"items":)" : R"(,"values":)";
      this->type(*type.element, space);
    }
    properties(type.properties, type.logical);
    out_ += '}';
  }

  void union_of(const Type& type, std::string_view space) {
    out_ += '[';
    for (std::size_t i = 0; i < type.branches.size(); ++i) {
      if (i > 0) out_ += ',';
      this->type(*type.branches[i], space);
    }
    out_ += ']';
  }

  void named(const Type& type, std::string_view space) {
    const Definition& defined = *type.defined;
    if (!known_.insert(defined.full_name).second)
      return text(short_name(defined.space, defined.name, space));
    out_ += R"({"type":)";
    const bool error = defined.is_error && !normalized_;
    text(error ? "error" : kind_name(type.kind));
    member("name", defined.name);
    if (defined.space != space) member("namespace", defined.space);
    if (defined.doc && !(normalized_ && defined.doc->empty())) member("doc", *defined.doc);
    if (type.kind == Kind::kRecord) fields(defined);
    if (type.kind == Kind::kEnum) names("symbols", defined.symbols);
    if (type.kind == Kind::kFixed) out_ += ",\"size\":" + std::to_string(defined.size);
    if (defined.default_symbol) member("default", *defined.default_symbol);
    properties(type.properties, type.logical);
    aliases(defined.aliases, defined.space);
    out_ += '}';
  }

  void fields(const Definition& record) {
    out_ += R"(,"fields":[)";
    for (const Field& field : record.fields) {
      if (&field != record.fields.data()) out_ += ',';
      this->field(field, record.space);
    }
    out_ += ']';
  }

  void field(const Field& field, std::string_view space) {
    out_ += R"({"name":)";
    text(field.name);
    out_ += R"(,"type":)";
    type(*field.type, space);
    if (field.doc) member("doc", *field.doc);
    if (field.default_value) {
      out_ += R"(,"default":)";
      default_value(*field.default_value, field.type);
    }
    if (field.order == Order::kDescending) member("order", "descending");
    if (field.order == Order::kIgnore) member("order", "ignore");
    if (!field.aliases.empty()) names("aliases", ordered(field.aliases));
    properties(field.properties, {});
    out_ += '}';
  }

  // A default in its normal form has a point where its type has one.
  void default_value(const Json& value, const Type* of) {
    if (of->kind == Kind::kUnion && !of->branches.empty()) of = of->branches.front();
    const bool real = of->kind == Kind::kFloat || of->kind == Kind::kDouble;
    if (!normalized_) return append_json(out_, value);
    append_json(out_, real && value.is_number() ? Json(value.number()) : value, true);
  }

  void properties(const JsonObject& from, const LogicalType& logical) {
    if (!normalized_) {
      for (const auto& one : from) property(one.name, one.value);
      return;
    }
    std::set<std::string_view> written;
    if (logical.kind != Logical::kNone) written.insert("logicalType");
    if (logical.kind == Logical::kDecimal) written.insert({"precision", "scale"});
    static constexpr std::array<std::string_view, 3> kFirst = {"logicalType", "precision", "scale"};
    for (const auto name : kFirst)
      for (const auto& one : from)
        if (one.name == name && written.contains(name) && !is_scale_zero(one))
          property(one.name, one.value);
    std::vector<const JsonMember*> rest;
    for (const auto& one : from)
      if (!written.contains(one.name) || is_scale_zero(one)) rest.push_back(&one);
    std::ranges::sort(
        rest, {}, [](const auto* one) -> const auto& { return one->name; });
    for (const auto* one : rest) property(one->name, one->value);
  }

  // A scale of 0 is what no scale means, and stands among the other properties.
  static bool is_scale_zero(const JsonMember& one) {
    return one.name == "scale" && one.value.integer() && *one.value.integer() == 0;
  }

  void property(std::string_view name, const Json& value) {
    out_ += ',';
    text(name);
    out_ += ':';
    append_json(out_, value, normalized_);
  }

  void aliases(const std::vector<std::string>& full_names, std::string_view space) {
    if (full_names.empty()) return;
    std::vector<std::string> shown;
    for (const auto& full : ordered(full_names)) {
      const auto point = full.rfind('.');
      if (point == std::string::npos)
        shown.push_back(short_name("", full, space));
      else
        shown.push_back(short_name(full.substr(0, point), full.substr(point + 1), space));
    }
    names("aliases", shown);
  }

  // The full name, where the name alone would mean another type.
  static std::string short_name(std::string_view space, std::string_view name,
                                std::string_view enclosing) {
    static constexpr std::array<std::string_view, 6> kComplex = {"record", "enum",  "array",
                                                                 "map",    "union", "fixed"};
    const bool a_kind = primitive_kind(name) || std::ranges::count(kComplex, name) > 0;
    if (space.empty() || (space == enclosing && !a_kind)) return std::string(name);
    return std::string(space) + "." + std::string(name);
  }

  std::vector<std::string> ordered(std::vector<std::string> names) const {
    if (normalized_) std::ranges::sort(names);
    return names;
  }

  void names(std::string_view of, const std::vector<std::string>& list) {
    out_ += ',';
    text(of);
    out_ += ":[";
    for (const auto& one : list) {
      if (&one != list.data()) out_ += ',';
      text(one);
    }
    out_ += ']';
  }

  void member(std::string_view name, std::string_view value) {
    out_ += ',';
    text(name);
    out_ += ':';
    text(value);
  }

  void text(std::string_view value) { append_json_text(out_, value); }

  Names known_;
  bool normalized_;
  std::string out_;
};

// Specification, "Transforming into Parsing Canonical Form".
class ParsingForm {
 public:
  std::string print(const Type& root) && {
    type(root);
    return std::move(out_);
  }

 private:
  void type(const Type& type) {
    if (type.defined) return named(type);
    if (type.kind == Kind::kUnion) {
      out_ += '[';
      for (std::size_t i = 0; i < type.branches.size(); ++i) {
        if (i > 0) out_ += ',';
        this->type(*type.branches[i]);
      }
      out_ += ']';
    } else if (type.element) {
      out_ +=
          type.kind == Kind::kArray ? R"({"type":"array","items":)" : R"({"type":"map","values":)";
      this->type(*type.element);
      out_ += '}';
    } else {
      quote(kind_name(type.kind));
    }
  }

  void named(const Type& type) {
    const Definition& defined = *type.defined;
    if (!known_.insert(defined.full_name).second) return quote(defined.full_name);
    out_ += R"({"name":)";
    quote(defined.full_name);
    out_ += R"(,"type":)";
    quote(kind_name(type.kind));
    if (type.kind == Kind::kEnum) symbols(defined);
    if (type.kind == Kind::kFixed) out_ += ",\"size\":" + std::to_string(defined.size);
    if (type.kind == Kind::kRecord) fields(defined);
    out_ += '}';
  }

  void symbols(const Definition& defined) {
    out_ += R"(,"symbols":[)";
    for (const auto& symbol : defined.symbols) {
      if (&symbol != defined.symbols.data()) out_ += ',';
      quote(symbol);
    }
    out_ += ']';
  }

  void fields(const Definition& defined) {
    out_ += R"(,"fields":[)";
    for (const auto& field : defined.fields) {
      if (&field != defined.fields.data()) out_ += ',';
      out_ += R"({"name":)";
      quote(field.name);
      out_ += R"(,"type":)";
      type(*field.type);
      out_ += '}';
    }
    out_ += ']';
  }

  void quote(std::string_view name) {
    out_ += '"';
    out_ += name;
    out_ += '"';
  }

  Names known_;
  std::string out_;
};

constexpr std::uint64_t kEmptyFingerprint = 0xc15d213aa4d7a795;

constexpr auto kFingerprints = [] {
  std::array<std::uint64_t, 256> table{};
  for (std::uint64_t byte = 0; byte < 256; ++byte) {
    std::uint64_t value = byte;
    for (int bit = 0; bit < 8; ++bit)
      value = (value >> 1) ^ (kEmptyFingerprint & (0 - (value & 1)));
    table[byte] = value;
  }
  return table;
}();

}  // namespace

std::string AvroSchema::canonical() const {
  return Printer(referenced_, false).print(root());
}
std::string AvroSchema::normalized() const {
  return Printer(referenced_, true).print(root());
}
std::string AvroSchema::record_name() const {
  return std::string(root().full_name());
}
bool AvroSchema::equivalent(const ParsedSchema& other) const {
  return other.format() == Format::kAvro &&
         resolved() == static_cast<const AvroSchema&>(other).resolved();
}
std::string AvroSchema::resolved() const {
  return Printer({}, false).print(root());
}
std::string AvroSchema::parsing_form() const {
  return ParsingForm().print(root());
}
std::uint64_t AvroSchema::fingerprint() const {
  return crc_64_avro(parsing_form());
}

std::uint64_t crc_64_avro(std::string_view bytes) {
  std::uint64_t value = kEmptyFingerprint;
  for (const char c : bytes)
    value = (value >> 8) ^ kFingerprints[(value ^ static_cast<unsigned char>(c)) & 0xff];
  return value;
}

}  // namespace tailrace::schema::avro
