#include "schema/avro/inference.h"

#include <algorithm>
#include <cctype>
#include <set>

#include "schema/avro/names.h"

namespace tailrace::schema::avro {

/// What was seen in one place.
struct Inference::Shape {
  struct Member {
    std::string name;
    std::unique_ptr<Shape> shape;
  };
  bool null = false, boolean = false, whole = false, fraction = false, text = false;
  bool object = false, array = false;
  std::vector<Member> members;     ///< of objects, in the order they came
  std::unique_ptr<Shape> element;  ///< of arrays

  Shape& member(const std::string& name) {
    for (Member& one : members)
      if (one.name == name) return *one.shape;
    members.push_back({name, std::make_unique<Shape>()});
    return *members.back().shape;
  }

  void add(const Json& value) {
    null = null || value.is_null();
    boolean = boolean || value.boolean();
    text = text || value.text();
    if (value.is_number()) (value.integer() ? whole : fraction) = true;
    if (const JsonArray* items = value.array()) {
      array = true;
      if (!element) element = std::make_unique<Shape>();
      for (const Json& item : *items) element->add(item);
    }
    if (const JsonObject* all = value.object()) {
      object = true;
      for (const JsonMember& one : *all)
        if (is_name(one.name, NameRule::kAscii)) member(one.name).add(one.value);
    }
  }
};

namespace {

using Shape = Inference::Shape;

class Writing {
 public:
  std::string record(const Shape& shape, const std::string& name, int depth) {
    const std::string pad(static_cast<std::size_t>(depth) * 2, ' ');
    std::string out = R"({"type": "record", "name": ")" + unique(name) + R"(", "fields": [)";
    bool first = true;
    for (const Shape::Member& one : shape.members) {
      out += (first ? "\n" : ",\n") + pad + R"(  {"name": ")" + one.name + R"(", "type": )" +
             nullable(*one.shape, name + "_" + one.name, depth + 1) + R"(, "default": null})";
      first = false;
    }
    return out + "]}";
  }

 private:
  /// `["null", …]` of all that was seen.
  std::string nullable(const Shape& shape, const std::string& name, int depth) {
    std::vector<std::string> kinds = {R"("null")"};
    if (shape.boolean) kinds.emplace_back(R"("boolean")");
    if (shape.fraction)
      kinds.emplace_back(R"("double")");
    else if (shape.whole)
      kinds.emplace_back(R"("long")");
    if (shape.array)
      kinds.push_back(R"({"type": "array", "items": )" +
                      nullable(*shape.element, name + "_item", depth) + "}");
    if (shape.object && !shape.members.empty()) kinds.push_back(record(shape, name, depth));
    if (shape.object && shape.members.empty())
      kinds.emplace_back(R"({"type": "map", "values": ["null", "string"]})");
    if (shape.text || kinds.size() == 1) kinds.emplace_back(R"("string")");
    std::string out = "[";
    for (const std::string& kind : kinds) out += (out.size() > 1 ? ", " : "") + kind;
    return out + "]";
  }

  std::string unique(std::string name) {
    while (!names_.insert(name).second) name += "_";
    return name;
  }

  std::set<std::string> names_;
};

}  // namespace

Inference::Inference() : shape_(std::make_unique<Shape>()) {}
Inference::~Inference() = default;

Status Inference::add(std::string_view document) {
  ASSIGN(const Json json, parse_json(document));
  if (!json.object()) return error(Code::kInvalidArgument, "it is no JSON object");
  shape_->add(json);
  ++documents_;
  return {};
}

std::string Inference::schema(const std::string& name) const {
  return Writing().record(*shape_, name, 0) + "\n";
}

std::string record_name(std::string_view text) {
  std::string name;
  bool upper = true;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (!std::isalnum(byte) || byte >= 0x80) {
      upper = true;
      continue;
    }
    if (name.empty() && std::isdigit(byte)) name += '_';
    name += upper ? static_cast<char>(std::toupper(byte)) : c;
    upper = false;
  }
  return name.empty() ? "Record" : name;
}

}  // namespace tailrace::schema::avro
