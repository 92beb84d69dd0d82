#include "schema/testing/random_avro.h"

#include <algorithm>
#include <array>

namespace tailrace::schema::testing {
namespace {

constexpr std::array<std::string_view, 8> kPrimitives = {"null",  "boolean", "int",   "long",
                                                         "float", "double",  "bytes", "string"};
constexpr int kMaxDepth = 4;

const std::string* word_of(const Json& type) {
  return type.text() ? type.text() : type.find_text("type");
}

Json text(std::string_view value) {
  return Json(std::string(value));
}

Json with(const Json& from, std::string_view name, Json value) {
  JsonObject made = *from.object();
  const auto found = std::ranges::find(made, name, &JsonMember::name);
  if (found == made.end())
    made.push_back({std::string(name), std::move(value)});
  else
    found->value = std::move(value);
  return made;
}

Json without(const Json& from, std::string_view name) {
  JsonObject made = *from.object();
  std::erase_if(made, [&](const auto& member) { return member.name == name; });
  return made;
}

}  // namespace

Json RandomAvro::schema() {
  names_.clear();
  usable_.clear();
  if (!columns_only_ && one_in(8)) return type(1);
  return record(0);
}

Json RandomAvro::primitive(bool may_be_logical) {
  const auto word = kPrimitives[columns_only_ ? 1 + below(7) : below(8)];
  if (!may_be_logical || !one_in(4)) return text(word);
  JsonObject made{{"type", text(word)}};
  const auto logical = [&](std::string_view name) { made.push_back({"logicalType", text(name)}); };
  if (word == "int") logical(one_in(2) ? "date" : "time-millis");
  if (word == "long") {
    static constexpr std::array<std::string_view, 6> kTimes = {"time-micros",
                                                               "timestamp-millis",
                                                               "timestamp-micros",
                                                               "local-timestamp-millis",
                                                               "local-timestamp-micros",
                                                               "timestamp-nanos"};
    logical(kTimes[below(kTimes.size())]);
  }
  if (word == "string" && one_in(2)) logical("uuid");
  if (word == "bytes") {
    logical("decimal");
    made.push_back({"precision", Json(std::int64_t(4 + below(30)))});
    if (one_in(2)) made.push_back({"scale", Json(std::int64_t(below(4)))});
  }
  if (!columns_only_ && one_in(3))
    made.push_back({"x-" + std::string(word), Json(std::int64_t(1))});
  return made;
}

Json RandomAvro::type(int depth) {
  if (depth >= kMaxDepth) return primitive();
  switch (below(12)) {
    case 0:
      return JsonObject{{"type", text("array")}, {"items", type(depth + 1)}};
    case 1:
      return JsonObject{{"type", text("map")}, {"values", type(depth + 1)}};
    case 2:
      return record(depth + 1);
    case 3:
      return named("enum", "E");
    case 4:
      return named("fixed", "X");
    case 5:
    case 6:
      return union_of(depth);
    case 7:
      if (!columns_only_ && !usable_.empty()) return text(usable_[below(usable_.size())]);
      [[fallthrough]];
    default:
      return primitive();
  }
}

Json RandomAvro::union_of(int depth) {
  if (columns_only_) {
    Json other = type(depth + 1);
    while (other.array()) other = type(depth + 1);
    JsonArray pair{text("null"), other};
    if (one_in(2)) std::swap(pair[0], pair[1]);
    return pair;
  }
  JsonArray branches;
  std::set<std::string> seen;
  const std::size_t count = 1 + below(4);
  for (std::size_t i = 0; i < count; ++i) {
    Json branch = type(depth + 1);
    if (branch.array()) continue;
    const auto* word = word_of(branch);
    const auto* name = branch.find_text("name");
    if (seen.insert(name ? *name : *word).second) branches.push_back(std::move(branch));
  }
  return branches;
}

Json RandomAvro::with_doc(JsonObject made) {
  if (one_in(6)) made.push_back({"doc", text(one_in(3) ? "" : "a \"doc\"\n\x01 é")});
  if (one_in(8)) made.push_back({"owner", JsonObject{{"b", Json(1.5)}, {"a", Json(true)}}});
  return made;
}

// An enum or a fixed.
Json RandomAvro::named(std::string_view kind, std::string_view prefix) {
  const std::string name = std::string(prefix) + std::to_string(below(3));
  if (!names_.insert(name).second) return primitive();
  JsonObject made{{"type", text(kind)}, {"name", text(name)}};
  if (one_in(4)) made.push_back({"namespace", text(one_in(2) ? "a" : "a.b")});
  if (kind == "fixed") {
    const bool duration = one_in(6);
    made.push_back({"size", Json(std::int64_t(duration ? 12 : 1 + below(20)))});
    if (duration) made.push_back({"logicalType", text("duration")});
    return with_doc(std::move(made));
  }
  JsonArray symbols;
  for (const auto symbol : {"A", "B", "C", "D"})
    if (!one_in(3)) symbols.push_back(text(symbol));
  if (symbols.empty()) symbols.push_back(text("A"));
  if (one_in(4)) made.push_back({"default", symbols[below(symbols.size())]});
  made.push_back({"symbols", std::move(symbols)});
  return with_doc(std::move(made));
}

Json RandomAvro::record(int depth) {
  std::string name = "R" + std::to_string(below(5));
  if (!names_.insert(name).second) return primitive();
  JsonObject made{{"type", text("record")}, {"name", text(name)}};
  if (one_in(3)) made.push_back({"namespace", text(one_in(2) ? "a" : "a.b")});
  if (!columns_only_ && one_in(5))
    made.push_back({"aliases", JsonArray{text("R" + std::to_string(below(5)))}});
  usable_.push_back(name);
  JsonArray fields;
  const std::size_t count = columns_only_ ? 1 + below(6) : below(6);
  for (std::size_t i = 0; i < count; ++i) fields.push_back(field("f" + std::to_string(i), depth));
  made.push_back({"fields", std::move(fields)});
  return with_doc(std::move(made));
}

Json RandomAvro::field(const std::string& name, int depth) {
  JsonObject made{{"name", text(name)}, {"type", type(depth + 1)}};
  const bool swapped_later = columns_only_ && made[1].value.array();
  if (!swapped_later && one_in(3)) made.push_back({"default", default_for(made[1].value)});
  if (!columns_only_ && one_in(8))
    made.push_back({"aliases", JsonArray{text("f" + std::to_string(below(7)))}});
  if (one_in(10)) made.push_back({"order", text(one_in(2) ? "ignore" : "descending")});
  return with_doc(std::move(made));
}

Json RandomAvro::default_for(const Json& type) {
  if (!columns_only_ && one_in(25)) return Json(std::int64_t(7));
  if (const auto* branches = type.array())
    return branches->empty() ? Json() : default_for(branches->front());
  const std::string word = word_of(type) ? *word_of(type) : "";
  if (word == "boolean") return Json(true);
  const auto* logical = type.find_text("logicalType");
  if (logical && *logical == "timestamp-nanos") return Json(std::int64_t(1000 * below(100)));
  if (word == "int" || word == "long") return Json(std::int64_t(below(100)));
  if (word == "float" || word == "double") {
    static constexpr std::array<double, 6> kReals = {0, 1.5, 1e10, -2.5e-7, 100, 123456789.125};
    return one_in(4) ? Json(std::int64_t(3)) : Json(kReals[below(kReals.size())]);
  }
  if (word == "string" || word == "bytes") return text(word == "bytes" ? "\x01" : "x");
  if (word == "array") return JsonArray{};
  if (word == "map") return JsonObject{};
  if (word == "enum") return type.find("symbols")->array()->front();
  if (word == "fixed")
    return text(std::string(static_cast<std::size_t>(*type.find("size")->integer()), 'z'));
  if (word == "record") {
    JsonObject made;
    for (const auto& field : *type.find("fields")->array())
      if (!field.find("default") || one_in(2))
        made.push_back({*field.find_text("name"), default_for(*field.find("type"))});
    return made;
  }
  return Json();
}

Json RandomAvro::changed(const Json& from) {
  Json made = from;
  for (std::size_t i = 1 + below(3); i > 0; --i) made = change(made);
  return made;
}

// Goes down at random, and changes where it stops.
Json RandomAvro::change(const Json& from) {
  if (from.array()) return changed_union(from);
  const std::string word = word_of(from) ? *word_of(from) : "";
  if (word == "record" && from.object()) return change_record(from);
  if (word == "enum" && from.object()) return change_enum(from);
  if (word == "array" && !one_in(4)) return with(from, "items", change(*from.find("items")));
  if (word == "map" && !one_in(4)) return with(from, "values", change(*from.find("values")));
  if (word == "fixed" && from.object()) {
    if (columns_only_ || one_in(2)) return with(from, "size", Json(std::int64_t(1 + below(20))));
    return with(from, "name", text("X" + std::to_string(below(3))));
  }
  if (word == "int") return text(one_in(3) ? "string" : "long");
  if (word == "long") return text(one_in(2) ? "double" : "int");
  if (word == "string") return text(one_in(2) ? "bytes" : "int");
  if (one_in(3)) return JsonArray{text("null"), from};
  return primitive(!columns_only_);
}

Json RandomAvro::changed_union(const Json& from) {
  JsonArray made = *from.array();
  switch (columns_only_ ? 2 + below(2) : below(4)) {
    case 0:
      if (!made.empty()) made.erase(made.begin() + static_cast<std::ptrdiff_t>(below(made.size())));
      break;
    case 1:
      made.push_back(primitive());
      break;
    case 2:
      std::ranges::shuffle(made, random_);
      break;
    default:
      if (made.size() == 1) return made.front();
      if (!made.empty()) {
        auto& one = made[below(made.size())];
        const bool is_null = one.text() && *one.text() == "null";
        if (!columns_only_ || !is_null) one = change(one);
      }
  }
  return made;
}

Json RandomAvro::change_record(const Json& from) {
  JsonArray fields = *from.find("fields")->array();
  const auto place = [&] {
    return fields.begin() + static_cast<std::ptrdiff_t>(below(fields.size()));
  };
  // The name stays where values are to be read.
  const std::size_t from_case = columns_only_ ? 2 : 0;
  switch (from_case + below((fields.empty() ? 3 : 9) - from_case)) {
    case 0:
      return with(from, "name", text("R" + std::to_string(below(5))));
    case 1:
      return with(from, "aliases", JsonArray{text(one_in(2) ? "R1" : "a.R1"), text("R2")});
    case 2: {
      fields.push_back(JsonObject{{"name", text(new_name())}, {"type", primitive()}});
      if (one_in(2))
        fields.back() = with(fields.back(), "default", default_for(*fields.back().find("type")));
      break;
    }
    case 3:
      fields.erase(place());
      break;
    case 4:
      std::ranges::shuffle(fields, random_);
      break;
    default: {
      const auto at = place();
      *at = change_field(*at);
    }
  }
  return with(from, "fields", std::move(fields));
}

// One that an alias may mean, or, where values are to be read, one that is new.
std::string RandomAvro::new_name() {
  return "f" + std::to_string(columns_only_ ? 20 + below(20) : below(9));
}

Json RandomAvro::change_field(const Json& from) {
  switch (below(8)) {
    case 0:
      return with(with(from, "name", text("f7")), "aliases", JsonArray{*from.find("name")});
    case 1:
      return with(from, "name", text(new_name()));
    case 2:
      return without(from, "default");
    case 3:
      if (columns_only_ && from.find("type")->array()) return from;
      return with(from, "default", default_for(*from.find("type")));
    default: {
      const Json made = with(from, "type", change(*from.find("type")));
      return columns_only_ ? without(made, "default") : made;
    }
  }
}

Json RandomAvro::change_enum(const Json& from) {
  JsonArray symbols = *from.find("symbols")->array();
  switch (below(columns_only_ ? 4 : 5)) {
    case 0:
      return with(from, "default", symbols.front());
    case 1:
      return without(from, "default");
    case 2:
      symbols.push_back(text("F"));
      break;
    case 3:
      if (symbols.size() > 1) symbols.pop_back();
      break;
    default:
      return with(from, "name", text("E" + std::to_string(below(3))));
  }
  return with(from, "symbols", std::move(symbols));
}

}  // namespace tailrace::schema::testing
