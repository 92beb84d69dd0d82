#include "jinja/value.h"

#include <bit>
#include <cmath>

#include "jinja/python.h"
#include "jinja/times.h"

namespace tailrace::jinja {
namespace {

constexpr std::size_t kFew = 8;  // a dict of fewer keys is searched in order

std::uint64_t rendering() {
  const Budget* now = budget();
  return now ? now->rendering : 0;
}

/// Counts how deep a walk over nested values is; beyond the limit it goes no further.
class Deeper {
 public:
  Deeper() { ++depth_; }
  ~Deeper() { --depth_; }
  bool too_deep() const { return depth_ > 200; }

 private:
  static thread_local int depth_;
};
thread_local int Deeper::depth_ = 0;

/// A walk over values that share their parts may be long: false when the rendering's steps are used
/// up, and then whatever comes next fails.
bool spend_walk(std::size_t count) {
  return spend(static_cast<std::int64_t>(count)).has_value();
}

bool equal_lists(const List& left, const List& right) {
  const Deeper deeper;
  if (left.size() != right.size() || deeper.too_deep() || !spend_walk(left.size())) return false;
  for (std::size_t i = 0; i < left.size(); ++i)
    if (!(left[i] == right[i])) return false;
  return true;
}

bool equal_dicts(const Dict& left, const Dict& right) {
  const Deeper deeper;
  if (left.size() != right.size() || deeper.too_deep() || !spend_walk(left.size())) return false;
  for (const auto& [key, value] : left.items()) {
    const Value* other = right.find(key);
    if (!other || !(*other == value)) return false;
  }
  return true;
}

std::size_t mixed(std::size_t seed, std::size_t next) {
  return seed ^ (next + 0x9e3779b97f4a7c15 + (seed << 6) + (seed >> 2));
}

/// How long a repr grows: beyond it is too long for any text of a template, which then says so.
std::size_t longest_repr() {
  const Budget* now = budget();
  return now ? now->max_output : std::size_t{1} << 26;
}

std::string joined(const List& list) {
  const Deeper deeper;
  if (deeper.too_deep()) return "...";
  std::string out;
  for (const Value& value : list) {
    if (out.size() > longest_repr()) break;
    if (!out.empty()) out += ", ";
    out += value.repr();
  }
  return out;
}

std::string dict_repr(const Dict& dict) {
  const Deeper deeper;
  if (deeper.too_deep()) return "{...}";
  std::string out = "{";
  for (const auto& [key, value] : dict.items()) {
    if (out.size() > longest_repr()) break;
    if (out.size() > 1) out += ", ";
    out += key.repr() + ": " + value.repr();
  }
  return out + "}";
}

}  // namespace

// --- Dict ----------------------------------------------------------------------------------------

std::size_t Dict::place(const Value& key) const {
  if (places_.empty()) {
    for (std::size_t i = 0; i < items_.size(); ++i)
      if (items_[i].first == key) return i;
    return items_.size();
  }
  const auto [begin, end] = places_.equal_range(key.hash());
  for (auto it = begin; it != end; ++it)
    if (items_[it->second].first == key) return it->second;
  return items_.size();
}

const Value* Dict::find(const Value& key) const {
  const std::size_t at = place(key);
  return at < items_.size() ? &items_[at].second : nullptr;
}

const Value* Dict::find(std::string_view key) const {
  return find(Value(key));
}

void Dict::set(Value key, Value value) {
  const std::size_t at = place(key);
  if (at < items_.size()) {
    items_[at].second = std::move(value);
    return;
  }
  items_.emplace_back(std::move(key), std::move(value));
  if (items_.size() == kFew) {
    for (std::size_t i = 0; i < items_.size(); ++i) places_.emplace(items_[i].first.hash(), i);
  } else if (items_.size() > kFew) {
    places_.emplace(items_.back().first.hash(), at);
  }
}

bool Dict::erase(const Value& key) {
  const std::size_t at = place(key);
  if (at == items_.size()) return false;
  items_.erase(items_.begin() + static_cast<std::ptrdiff_t>(at));
  places_.clear();
  if (items_.size() >= kFew)
    for (std::size_t i = 0; i < items_.size(); ++i) places_.emplace(items_[i].first.hash(), i);
  return true;
}

// --- Object --------------------------------------------------------------------------------------

std::string Undefined::sentence() const {
  return message.empty() ? text_repr(name) + " is undefined" : message;
}

Result<Value> Object::checked_attribute(std::string_view name) const {
  return attribute(name);
}

Result<Value> Object::item(const Value& key) const {
  if (const std::string* name = key.string()) {
    ASSIGN(Value found, checked_attribute(*name));
    if (!found.is_undefined()) return found;
  }
  return raised("KeyError", key.repr(), Code::kNotFound);
}

Result<Value> Object::call(const List&, const Named&) const {
  return type_error("'" + type_name() + "' object is not callable");
}

bool Object::truth() const {
  return length().value_or(1) != 0;
}

std::size_t Object::hash() const {
  return std::hash<const Object*>()(this);
}

/// Values that are to be destroyed when the destructors above have returned.
void bury(List buried) {
  static thread_local std::vector<List> waiting;
  static thread_local int depth = 0;
  if (depth > 100) {
    waiting.push_back(std::move(buried));
    return;
  }
  ++depth;
  buried.clear();
  while (depth == 1 && !waiting.empty()) {
    List next = std::move(waiting.back());
    waiting.pop_back();
    next.clear();
  }
  --depth;
}

template <>
Value::Held<List>::~Held() {
  bury(std::move(value));
}

template <>
Value::Held<Tuple>::~Held() {
  bury(std::move(value.items));
}

template <>
Value::Held<Dict>::~Held() {
  List values;
  values.reserve(2 * value.size());
  for (const auto& [key, held] : value.items()) values.insert(values.end(), {key, held});
  value = Dict();
  bury(std::move(values));
}

// --- Value ---------------------------------------------------------------------------------------

Value::Value(std::string value)
    : value_(std::make_shared<const Text>(Text{std::move(value), false})) {}

Value::Value(List value) : value_(std::make_shared<Held<List>>(std::move(value), rendering())) {}

Value::Value(Tuple value) : value_(std::make_shared<Held<Tuple>>(std::move(value), rendering())) {}

Value::Value(Dict value) : value_(std::make_shared<Held<Dict>>(std::move(value), rendering())) {}

Value::Value(calendar::Moment value)
    : value_(std::make_shared<const calendar::Moment>(std::move(value))) {}

Value::Value(Undefined value) : value_(std::make_shared<const Undefined>(std::move(value))) {}

Value Value::markup(std::string text) {
  Value made;
  made.value_ = std::make_shared<const Text>(Text{std::move(text), true});
  return made;
}

Value Value::enumerated(std::string text, std::string shown) {
  Value made;
  made.value_ = std::make_shared<const Text>(Text{std::move(text), false, std::move(shown)});
  return made;
}

bool Value::is_markup() const {
  const auto* held = std::get_if<std::shared_ptr<const Text>>(&value_);
  return held && (*held)->markup;
}

const std::string* Value::string() const {
  const auto* held = std::get_if<std::shared_ptr<const Text>>(&value_);
  return held ? &(*held)->text : nullptr;
}

const List* Value::list() const {
  const auto* held = std::get_if<std::shared_ptr<Held<List>>>(&value_);
  return held ? &(*held)->value : nullptr;
}

const Tuple* Value::tuple() const {
  const auto* held = std::get_if<std::shared_ptr<Held<Tuple>>>(&value_);
  return held ? &(*held)->value : nullptr;
}

const Dict* Value::dict() const {
  const auto* held = std::get_if<std::shared_ptr<Held<Dict>>>(&value_);
  return held ? &(*held)->value : nullptr;
}

const calendar::Moment* Value::moment() const {
  const auto* held = std::get_if<std::shared_ptr<const calendar::Moment>>(&value_);
  return held ? held->get() : nullptr;
}

const Undefined* Value::undefined() const {
  const auto* held = std::get_if<std::shared_ptr<const Undefined>>(&value_);
  return held ? held->get() : nullptr;
}

const std::shared_ptr<const Object>* Value::object() const {
  return std::get_if<std::shared_ptr<const Object>>(&value_);
}

std::optional<std::int64_t> Value::index() const {
  if (const auto* number = integer()) return *number;
  if (const bool* truth = boolean()) return *truth ? 1 : 0;
  return std::nullopt;
}

std::optional<double> Value::number() const {
  if (const double* value = real()) return *value;
  if (const auto whole = index()) return static_cast<double>(*whole);
  return std::nullopt;
}

bool Value::truth() const {
  if (is_none() || is_undefined()) return false;
  if (const auto value = number()) return *value != 0;
  if (const auto* text = string()) return !text->empty();
  if (const auto* items = list()) return !items->empty();
  if (const auto* items = tuple()) return !items->items.empty();
  if (const auto* items = dict()) return items->size() != 0;
  if (const auto* span = delta()) return span->micros != 0;
  if (const auto* held = object()) return (*held)->truth();
  return true;
}

std::string Value::text() const {
  if (const auto* held = std::get_if<std::shared_ptr<const Text>>(&value_))
    return (*held)->shown.empty() ? (*held)->text : (*held)->shown;
  if (is_undefined()) return "";
  if (const auto* at = moment()) return DateTime::of(*at).text();
  if (const auto* span = delta()) return delta_text(*span);
  if (const auto* held = object()) return (*held)->text();
  return repr();
}

std::string Value::repr() const {
  if (is_none()) return "None";
  if (const bool* value = boolean()) return *value ? "True" : "False";
  if (const auto* value = integer()) return std::to_string(*value);
  if (const double* value = real()) return float_repr(*value);
  if (const auto* text = string())
    return is_markup() ? "Markup(" + text_repr(*text) + ")" : text_repr(*text);
  if (const auto* items = list()) return "[" + joined(*items) + "]";
  if (const auto* items = tuple())
    return "(" + joined(items->items) + (items->items.size() == 1 ? ",)" : ")");
  if (const auto* items = dict()) return dict_repr(*items);
  if (const auto* at = moment()) return DateTime::of(*at).repr();
  if (const auto* span = delta()) return delta_repr(*span);
  if (const auto* held = object()) return (*held)->repr();
  return "Undefined";
}

std::string Value::type_name() const {
  if (is_none()) return "NoneType";
  if (boolean()) return "bool";
  if (integer()) return "int";
  if (real()) return "float";
  if (string()) return is_markup() ? "Markup" : "str";
  if (list()) return "list";
  if (tuple()) return "tuple";
  if (dict()) return "dict";
  if (moment()) return "DateTime";
  if (delta()) return "timedelta";
  if (const auto* held = object()) return (*held)->type_name();
  const Budget* now = budget();
  return now && now->strict_undefined ? "StrictUndefined" : "Undefined";
}

bool Value::operator==(const Value& other) const {
  if (const auto left = index(), right = other.index(); left && right) return *left == *right;
  if (const auto left = number(), right = other.number(); left && right) return *left == *right;
  if (string() && other.string()) return *string() == *other.string();
  if (list() && other.list()) return list() == other.list() || equal_lists(*list(), *other.list());
  if (tuple() && other.tuple()) return equal_lists(tuple()->items, other.tuple()->items);
  if (dict() && other.dict()) return dict() == other.dict() || equal_dicts(*dict(), *other.dict());
  if (delta() && other.delta()) return delta()->micros == other.delta()->micros;
  if (const auto left = time_value(*this), right = time_value(other); left && right)
    return left->same_time(*right);
  if (object() && other.object())
    return *object() == *other.object() || (*object())->equals(**other.object()) ||
           (*other.object())->equals(**object());
  return (is_none() && other.is_none()) || (is_undefined() && other.is_undefined());
}

std::size_t Value::hash() const {
  if (const auto whole = index()) return std::hash<std::int64_t>()(*whole);
  if (const double* value = real()) {
    const bool whole = std::floor(*value) == *value && std::abs(*value) < 9e18;
    return whole ? std::hash<std::int64_t>()(static_cast<std::int64_t>(*value))
                 : std::hash<double>()(*value);
  }
  if (const auto* text = string()) return std::hash<std::string>()(*text);
  if (const auto* items = tuple()) {
    std::size_t seed = 1;
    const Deeper deeper;
    if (deeper.too_deep() || !spend_walk(items->items.size())) return seed;
    for (const Value& value : items->items) seed = mixed(seed, value.hash());
    return seed;
  }
  if (const auto* span = delta()) return std::hash<std::int64_t>()(span->micros);
  if (const auto at = time_value(*this)) return std::hash<std::int64_t>()(at->stamp());
  if (const auto* held = object()) return (*held)->hash();
  return value_.index();
}

bool Value::hashable() const {
  if (list() || dict()) return false;
  const Deeper deeper;
  if (deeper.too_deep()) return false;
  if (const auto* items = tuple(); items && spend_walk(items->items.size()))
    for (const Value& value : items->items)
      if (!value.hashable()) return false;
  return true;
}

bool Value::same(const Value& other) const {
  if (value_.index() != other.value_.index()) return false;
  if (list()) return list() == other.list();
  if (dict()) return dict() == other.dict();
  if (object()) return *object() == *other.object();
  if (real())
    return std::bit_cast<std::uint64_t>(*real()) == std::bit_cast<std::uint64_t>(*other.real());
  return *this == other;
}

List* Value::changeable_list() const {
  const auto* held = std::get_if<std::shared_ptr<Held<List>>>(&value_);
  return held && (*held)->rendering != 0 && (*held)->rendering == rendering() ? &(*held)->value
                                                                              : nullptr;
}

Dict* Value::changeable_dict() const {
  const auto* held = std::get_if<std::shared_ptr<Held<Dict>>>(&value_);
  return held && (*held)->rendering != 0 && (*held)->rendering == rendering() ? &(*held)->value
                                                                              : nullptr;
}

}  // namespace tailrace::jinja
