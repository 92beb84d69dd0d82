// Columns of JSON values, one class a kind of type.
#include "engine/functions/json_columns.h"

#include <limits>
#include <utility>

#include "base/base64.h"
#include "engine/functions/decimal_rules.h"
#include "engine/functions/function.h"
#include "engine/functions/text_of.h"

namespace tailrace::engine {
namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;

/// Validity of a growing column: a byte a row from the first null on, packed at the end.
class Validity {
 public:
  void add(bool valid) {
    if (!valid && bytes_.empty()) bytes_.assign(static_cast<std::size_t>(size_), 1);
    if (!valid || !bytes_.empty()) bytes_.push_back(valid);
    nulls_ += !valid;
    ++size_;
  }
  std::int64_t size() const { return size_; }
  void truncate(std::int64_t size) {
    if (size >= size_) return;
    for (auto row = size; nulls_ > 0 && row < size_; ++row) nulls_ -= !bytes_[row];
    size_ = size;
    bytes_.resize(nulls_ > 0 ? static_cast<std::size_t>(size) : 0);
  }
  std::int64_t nulls() const { return nulls_; }
  std::shared_ptr<arrow::Buffer> bits() const {
    if (nulls_ == 0) return nullptr;
    auto buffer = zeroed_buffer((size() + 7) / 8);
    for (std::int64_t row = 0; row < size(); ++row) {
      if (bytes_[row]) arrow::bit_util::SetBit(buffer->mutable_data(), row);
    }
    return buffer;
  }

 private:
  std::int64_t size_ = 0;
  std::vector<std::uint8_t> bytes_;
  std::int64_t nulls_ = 0;
};

/// Where the rows of a growing column end, with room for as many as there were last time.
class Ends {
 public:
  void add(std::size_t end) { ends_.push_back(static_cast<std::int32_t>(end)); }
  std::int32_t last() const { return ends_.back(); }
  void truncate(std::int64_t size) {
    if (size + 1 < static_cast<std::int64_t>(ends_.size()))
      ends_.resize(static_cast<std::size_t>(size) + 1);
  }
  std::shared_ptr<arrow::Buffer> finish() {
    const std::size_t room = ends_.size();
    auto made = arrow::Buffer::FromVector(std::exchange(ends_, {}));
    ends_.reserve(room);
    ends_.push_back(0);
    return made;
  }

 private:
  std::vector<std::int32_t> ends_{0};
};

std::shared_ptr<arrow::Buffer> finish_chars(std::string& chars) {
  const std::size_t room = chars.size();
  auto made = arrow::Buffer::FromString(std::exchange(chars, {}));
  chars.reserve(room + room / 8);
  return made;
}

std::optional<std::string_view> big_number(element value) {
  std::string_view text;
  if (value.get_string().get(text) || !text.starts_with(kBigNumber)) return std::nullopt;
  return text.substr(kBigNumber.size());
}

void number_text(std::string& out, element value) {
  if (const auto big = big_number(value)) return void(out += *big);
  if (value.type() == element_type::INT64) return void(out += std::to_string(std::int64_t(value)));
  if (value.type() == element_type::UINT64)
    return void(out += std::to_string(std::uint64_t(value)));
  append_double(out, double(value));
}

/// A value, or null where a null stands.
bool read_value(JsonTokens& in, const JsonDemand* demand, JsonColumn& column) {
  if (in.peek() != 'n') return column.read(in, demand);
  JsonScalar null;
  if (!in.take_scalar(null) || !JsonTokens::meets(demand, null)) return false;
  column.append_null();
  return true;
}

class JsonStrings final : public JsonColumn {
 public:
  explicit JsonStrings(Type type)
      : type_(std::move(type)), binary_(type_->id() == arrow::Type::BINARY) {}
  bool append(element value) override {
    std::string_view text;
    if (value.type() == element_type::STRING && !value.get_string().get(text)) {
      if (text.starts_with(kBigNumber)) text = big_number_text(text.substr(kBigNumber.size()));
      if (binary_) {
        const auto bytes = decode_base64(text);
        if (!bytes) return false;
        chars_ += *bytes;
      } else {
        chars_.append(text);
      }
    } else if (binary_) {
      return false;
    } else {
      append_json(chars_, value);
    }
    return end(true);
  }
  bool read(JsonTokens& in, const JsonDemand* demand) override {
    if (binary_) return false;
    JsonScalar value;
    value.kind = kJsonText;
    if (in.peek() == '"' ? !in.take_text(value.text) : !in.take_scalar(value)) return false;
    // Whole numbers and words are printed as they stand.
    if (value.kind == kJsonReal || value.kind == kJsonNull) return false;
    if (!JsonTokens::meets(demand, value)) return false;
    chars_.append(value.text);
    return end(true);
  }
  void append_null() override { end(false); }
  std::int64_t size() const override { return valid_.size(); }
  void truncate(std::int64_t size) override {
    valid_.truncate(size);
    ends_.truncate(size);
    chars_.resize(static_cast<std::size_t>(ends_.last()));
  }
  Result<Array> finish() override {
    if (chars_.size() > std::numeric_limits<std::int32_t>::max()) {
      return error(Code::kResourceExhausted, "a batch's strings exceed 2 GiB: use smaller batches");
    }
    const Validity valid = std::exchange(valid_, {});
    return arrow::MakeArray(arrow::ArrayData::Make(
        type_, valid.size(), {valid.bits(), ends_.finish(), finish_chars(chars_)}, valid.nulls()));
  }

 private:
  bool end(bool valid) {
    valid_.add(valid);
    ends_.add(chars_.size());
    return true;
  }
  Type type_;
  bool binary_;
  Validity valid_;
  Ends ends_;
  std::string chars_;
};

/// Numbers, dates and timestamps; `Convert` gives the value of an element or nothing.
template <typename T, typename Convert>
class JsonFixed : public JsonColumn {
 public:
  JsonFixed(Type type, Convert convert) : type_(std::move(type)), convert_(std::move(convert)) {}
  bool append(element value) override {
    std::optional<T> made = convert_(value);
    if (!made) return false;
    values_.push_back(*made);
    valid_.add(true);
    return true;
  }
  bool read(JsonTokens& in, const JsonDemand* demand) override {
    JsonScalar value;
    if (!in.take_scalar(value) || !JsonTokens::meets(demand, value)) return false;
    std::optional<T> made = convert_(value);
    if (!made) return false;
    values_.push_back(*made);
    valid_.add(true);
    return true;
  }
  void append_null() override {
    values_.push_back(T{});
    valid_.add(false);
  }
  std::int64_t size() const override { return valid_.size(); }
  void truncate(std::int64_t size) override {
    valid_.truncate(size);
    if (size < static_cast<std::int64_t>(values_.size()))
      values_.resize(static_cast<std::size_t>(size));
  }
  Result<Array> finish() override {
    const Validity valid = std::exchange(valid_, {});
    Sink<T> out(type_, valid.size());
    for (std::size_t row = 0; row < values_.size(); ++row)
      out.set(static_cast<std::int64_t>(row), values_[row]);
    values_.clear();
    ASSIGN(Array made, out.finish());
    made->data()->buffers[0] = valid.bits();
    made->data()->SetNullCount(valid.nulls());
    return arrow::MakeArray(made->data());
  }

 private:
  Type type_;
  Convert convert_;
  Validity valid_;
  std::vector<T> values_;
};

class JsonList : public JsonColumn {
 public:
  JsonList(Type type, std::unique_ptr<JsonColumn> values)
      : type_(std::move(type)), values_(std::move(values)) {}
  bool append(element value) override {
    simdjson::dom::array array;
    if (value.get_array().get(array)) return false;
    const std::int64_t mark = values_->size();
    for (const element one : array) {
      if (one.is_null()) {
        values_->append_null();
      } else if (!values_->append(one)) {
        values_->truncate(mark);
        return false;
      }
    }
    return end(true);
  }
  /// A single value where Spark takes one for an array of one: a root object for ARRAY<STRUCT<…>>.
  bool append_single(element value) { return values_->append(value) && end(true); }
  bool read(JsonTokens& in, const JsonDemand* demand) override {
    if (!in.take('[') || (demand && !demand->takes(kJsonList))) return false;
    const JsonDemand* items = demand ? demand->items : nullptr;
    if (!in.take(']')) {
      do {
        if (!read_value(in, items, *values_)) return false;
      } while (in.take(','));
      if (!in.take(']')) return false;
    }
    return end(true);
  }
  void append_null() override { end(false); }
  std::int64_t size() const override { return valid_.size(); }
  void truncate(std::int64_t size) override {
    valid_.truncate(size);
    ends_.truncate(size);
    values_->truncate(ends_.last());
  }
  Result<Array> finish() override {
    ASSIGN(Array values, values_->finish());
    const Validity valid = std::exchange(valid_, {});
    return arrow::MakeArray(arrow::ArrayData::Make(
        type_, valid.size(), {valid.bits(), ends_.finish()}, {values->data()}, valid.nulls()));
  }

 private:
  bool end(bool valid) {
    valid_.add(valid);
    ends_.add(static_cast<std::size_t>(values_->size()));
    return true;
  }
  Type type_;
  std::unique_ptr<JsonColumn> values_;
  Validity valid_;
  Ends ends_;
};

class JsonMap : public JsonColumn {
 public:
  JsonMap(Type type, std::unique_ptr<JsonColumn> items)
      : type_(std::move(type)), items_(std::move(items)) {}
  bool append(element value) override {
    simdjson::dom::object object;
    if (value.get_object().get(object)) return false;
    const std::int64_t mark = items_->size();
    for (const auto& [key, one] : object) {
      if (one.is_null()) {
        items_->append_null();
      } else if (!items_->append(one)) {
        items_->truncate(mark);
        truncate_keys(mark);
        return false;
      }
      chars_.append(key);
      key_ends_.add(chars_.size());
    }
    return end(true);
  }
  bool read(JsonTokens& in, const JsonDemand* demand) override {
    if (!in.take('{') || (demand && !demand->takes(kJsonObject))) return false;
    std::uint64_t found = 0;
    if (!in.take('}')) {
      do {
        std::string_view key;
        if (!in.take_name(key)) return false;
        chars_.append(key);
        key_ends_.add(chars_.size());
        const auto member = demand ? demand->member(key) : JsonDemand::Member();
        found |= member.required;
        if (!read_value(in, member.value, *items_)) return false;
      } while (in.take(','));
      if (!in.take('}')) return false;
    }
    return (!demand || found == demand->required) && end(true);
  }
  void append_null() override { end(false); }
  std::int64_t size() const override { return valid_.size(); }
  void truncate(std::int64_t size) override {
    valid_.truncate(size);
    ends_.truncate(size);
    items_->truncate(ends_.last());
    truncate_keys(ends_.last());
  }
  Result<Array> finish() override {
    ASSIGN(Array items, items_->finish());
    const auto count = items->length();
    auto keys = arrow::ArrayData::Make(arrow::utf8(), count,
                                       {nullptr, key_ends_.finish(), finish_chars(chars_)}, 0);
    auto entries =
        arrow::ArrayData::Make(type_->field(0)->type(), count, {nullptr}, {keys, items->data()}, 0);
    const Validity valid = std::exchange(valid_, {});
    return arrow::MakeArray(arrow::ArrayData::Make(
        type_, valid.size(), {valid.bits(), ends_.finish()}, {entries}, valid.nulls()));
  }

 private:
  void truncate_keys(std::int64_t size) {
    key_ends_.truncate(size);
    chars_.resize(static_cast<std::size_t>(key_ends_.last()));
  }
  bool end(bool valid) {
    valid_.add(valid);
    ends_.add(static_cast<std::size_t>(items_->size()));
    return true;
  }
  Type type_;
  std::unique_ptr<JsonColumn> items_;
  Validity valid_;
  Ends ends_;
  Ends key_ends_;
  std::string chars_;
};

class JsonStruct : public JsonColumn {
 public:
  JsonStruct(Type type, std::vector<std::unique_ptr<JsonColumn>> fields)
      : type_(std::move(type)),
        fields_(std::move(fields)),
        found_(fields_.size()),
        has_(fields_.size()),
        read_(fields_.size()) {}

  bool append(element value) override {
    simdjson::dom::object object;
    if (value.get_object().get(object)) return false;
    std::fill(has_.begin(), has_.end(), false);
    std::size_t position = 0;
    for (const auto& [key, one] : object) {
      const int slot = slot_of(key, position++);
      if (slot < 0) continue;
      found_[slot] = one;  // The last of duplicates counts.
      has_[slot] = true;
    }
    for (std::size_t i = 0; i < fields_.size(); ++i) {
      if (!has_[i] || found_[i].is_null() || !fields_[i]->append(found_[i]))
        fields_[i]->append_null();
    }
    valid_.add(true);
    return true;
  }
  bool read(JsonTokens& in, const JsonDemand* demand) override {
    if (!in.take('{') || (demand && !demand->takes(kJsonObject))) return false;
    if (demand != demand_) expected_.clear();
    demand_ = demand;
    ++reading_;
    std::size_t position = 0, count = 0;
    std::uint64_t found = 0;
    if (!in.take('}')) {
      do {
        std::string_view key;
        if (!in.take_name(key)) return false;
        const Expected& one = expected(key, position++);
        found |= one.demand.required;
        if (one.slot < 0) {
          if (!in.skip(one.demand.value)) return false;
          continue;
        }
        if (std::exchange(read_[one.slot], reading_) == reading_) return false;  // twice
        ++count;
        if (!read_value(in, one.demand.value, *fields_[one.slot])) return false;
      } while (in.take(','));
      if (!in.take('}')) return false;
    }
    if (demand && found != demand->required) return false;
    for (std::size_t i = 0; count < fields_.size() && i < fields_.size(); ++i)
      if (read_[i] != reading_) fields_[i]->append_null();
    valid_.add(true);
    return true;
  }
  void append_null() override {
    for (auto& field : fields_) field->append_null();
    valid_.add(false);
  }
  /// A struct whose fields are all null: what Spark makes of a malformed record.
  void append_empty() {
    for (auto& field : fields_) field->append_null();
    valid_.add(true);
  }
  std::int64_t size() const override { return valid_.size(); }
  void truncate(std::int64_t size) override {
    valid_.truncate(size);
    for (auto& field : fields_) field->truncate(size);
  }
  Result<Array> finish() override {
    std::vector<std::shared_ptr<arrow::ArrayData>> children;
    for (auto& field : fields_) {
      ASSIGN(Array made, field->finish());
      children.push_back(made->data());
    }
    const Validity valid = std::exchange(valid_, {});
    return arrow::MakeArray(arrow::ArrayData::Make(type_, valid.size(), {valid.bits()},
                                                   std::move(children), valid.nulls()));
  }

 private:
  struct Seen {
    std::string key;
    int slot;
  };
  static constexpr std::size_t kMaxSeen = 256;

  /// Records mostly have the same keys in the same order, so the key seen last time at this
  /// position is tried first.
  int slot_of(std::string_view key, std::size_t position) {
    if (position < seen_.size() && seen_[position].key == key) return seen_[position].slot;
    const int slot = find_slot(key);
    if (position == seen_.size() && position < kMaxSeen)
      seen_.push_back({std::string(key), slot});
    else if (position < seen_.size())
      seen_[position] = {std::string(key), slot};
    return slot;
  }
  int find_slot(std::string_view key) const {
    int slot = -1;
    for (int i = 0; i < type_->num_fields(); ++i) {
      if (type_->field(i)->name() == key) slot = i;
    }
    return slot;
  }

  /// As slot_of, with what is demanded of the member.
  struct Expected {
    std::string key;
    int slot;
    JsonDemand::Member demand;
  };
  const Expected& expected(std::string_view key, std::size_t position) {
    if (position < expected_.size() && expected_[position].key == key) return expected_[position];
    Expected made{std::string(key), find_slot(key),
                  demand_ ? demand_->member(key) : JsonDemand::Member()};
    if (position < expected_.size()) return expected_[position] = std::move(made);
    if (position == expected_.size() && position < kMaxSeen)
      return expected_.emplace_back(std::move(made));
    return last_ = std::move(made);
  }

  Type type_;
  std::vector<std::unique_ptr<JsonColumn>> fields_;
  std::vector<element> found_;
  std::vector<std::uint8_t> has_;
  std::vector<Seen> seen_;
  const JsonDemand* demand_ = nullptr;
  std::vector<Expected> expected_;
  Expected last_;
  std::vector<std::uint64_t> read_;  ///< by field: the last row whose value was read
  std::uint64_t reading_ = 0;
  Validity valid_;
};

template <typename T>
std::optional<T> to_integer(element value) {
  std::int64_t number;
  if (value.type() != element_type::INT64 || value.get_int64().get(number)) return std::nullopt;
  if (number < std::numeric_limits<T>::min() || number > std::numeric_limits<T>::max())
    return std::nullopt;
  return static_cast<T>(number);
}

template <typename T>
std::optional<T> to_integer(const JsonScalar& value) {
  if (value.kind != kJsonInteger || value.integer < std::numeric_limits<T>::min() ||
      value.integer > std::numeric_limits<T>::max())
    return std::nullopt;
  return static_cast<T>(value.integer);
}

template <typename T>
std::optional<T> whole_of(double number) {
  constexpr double kBeyond = 9223372036854775808.0;  // 2^63
  if (!(number >= -kBeyond && number < kBeyond)) return std::nullopt;
  const auto whole = static_cast<std::int64_t>(number);
  if (static_cast<double>(whole) != number || whole < std::numeric_limits<T>::min() ||
      whole > std::numeric_limits<T>::max())
    return std::nullopt;
  return static_cast<T>(whole);
}

/// As to_integer, and reals that are whole.
template <typename T>
std::optional<T> to_whole(element value) {
  if (value.type() != element_type::DOUBLE) return to_integer<T>(value);
  return whole_of<T>(value.get_double().value_unsafe());
}
template <typename T>
std::optional<T> to_whole(const JsonScalar& value) {
  return value.kind == kJsonReal ? whole_of<T>(value.real) : to_integer<T>(value);
}

template <typename T>
std::optional<T> named_floating(std::string_view text) {
  if (text == "NaN") return std::numeric_limits<T>::quiet_NaN();
  if (text == "Infinity" || text == "+INF" || text == "INF" || text == "+Infinity") {
    return std::numeric_limits<T>::infinity();
  }
  if (text == "-Infinity" || text == "-INF") return -std::numeric_limits<T>::infinity();
  return std::nullopt;
}

template <typename T>
std::optional<T> to_floating(element value) {
  double number;
  std::string_view text;
  if (!value.get_double().get(number)) return static_cast<T>(number);
  if (value.get_string().get(text)) return std::nullopt;
  if (const auto big = big_number(value)) return static_cast<T>(parse_double(*big).value_or(0));
  return named_floating<T>(text);
}
template <typename T>
std::optional<T> to_floating(const JsonScalar& value) {
  if (value.kind == kJsonReal) return static_cast<T>(value.real);
  if (value.kind == kJsonInteger) return static_cast<T>(static_cast<double>(value.integer));
  return value.kind == kJsonText ? named_floating<T>(value.text) : std::nullopt;
}

bool text_of_value(element value, std::string_view& text) {
  return !value.get_string().get(text);
}
bool text_of_value(const JsonScalar& value, std::string_view& text) {
  text = value.text;
  return value.kind == kJsonText;
}

std::optional<bool> to_bool(element value) {
  bool truth;
  return value.get_bool().get(truth) ? std::nullopt : std::optional(truth);
}
std::optional<bool> to_bool(const JsonScalar& value) {
  return value.kind == kJsonBool ? std::optional(value.truth) : std::nullopt;
}

template <typename Value>
std::optional<std::int64_t> to_timestamp(const Value& value, bool zoned, std::int64_t now_us) {
  std::string_view text;
  if (text_of_value(value, text)) {
    bool had_zone = false;
    const auto made = parse_timestamp(text, now_us, &had_zone);
    return !zoned && had_zone ? std::nullopt : made;
  }
  const auto seconds = zoned ? to_integer<std::int64_t>(value) : std::nullopt;
  return seconds ? std::optional(*seconds * 1'000'000) : std::nullopt;
}

std::optional<Decimal128> decimal_of_text(std::string_view text, DecimalShape shape) {
  const auto parsed = parse_decimal(text);
  return parsed ? rescale(parsed->value, parsed->scale, shape) : std::nullopt;
}

std::optional<Decimal128> to_decimal(const JsonScalar& value, DecimalShape shape) {
  if (value.kind == kJsonText || value.kind == kJsonInteger)
    return decimal_of_text(value.text, shape);
  if (value.kind != kJsonReal) return std::nullopt;
  std::string text;
  append_double(text, value.real);
  return decimal_of_text(text, shape);
}

std::optional<Decimal128> to_decimal(element value, DecimalShape shape) {
  std::string text;
  std::string_view given;
  if (value.type() == element_type::BOOL || value.is_array() || value.is_object())
    return std::nullopt;
  if (!big_number(value) && !value.get_string().get(given)) {
    text = given;
  } else {
    number_text(text, value);
  }
  return decimal_of_text(text, shape);
}

template <typename T, typename Convert>
std::unique_ptr<JsonColumn> fixed(const Type& type, Convert convert) {
  return std::make_unique<JsonFixed<T, Convert>>(type, std::move(convert));
}

template <typename T>
std::unique_ptr<JsonColumn> integers(const Type& type, JsonColumn::Wholes wholes) {
  if (wholes == JsonColumn::Wholes::kByValue)
    return fixed<T>(type, [](const auto& value) { return to_whole<T>(value); });
  return fixed<T>(type, [](const auto& value) { return to_integer<T>(value); });
}

}  // namespace

Result<std::unique_ptr<JsonColumn>> JsonColumn::make(const Type& type, std::int64_t now_us,
                                                     Wholes wholes) {
  using Id = arrow::Type::type;
  switch (type->id()) {
    case Id::STRING:
    case Id::BINARY:
      return std::make_unique<JsonStrings>(type);
    case Id::BOOL:
      return fixed<bool>(type, [](const auto& value) { return to_bool(value); });
    case Id::INT8:
      return integers<std::int8_t>(type, wholes);
    case Id::INT16:
      return integers<std::int16_t>(type, wholes);
    case Id::INT32:
      return integers<std::int32_t>(type, wholes);
    case Id::INT64:
      return integers<std::int64_t>(type, wholes);
    case Id::FLOAT:
      return fixed<float>(type, [](const auto& value) { return to_floating<float>(value); });
    case Id::DOUBLE:
      return fixed<double>(type, [](const auto& value) { return to_floating<double>(value); });
    case Id::DECIMAL128:
      return fixed<Decimal128>(type, [shape = decimal_of(*type)](const auto& value) {
        return to_decimal(value, shape);
      });
    case Id::DATE32:
      return fixed<std::int32_t>(type, [](const auto& value) -> std::optional<std::int32_t> {
        std::string_view text;
        return text_of_value(value, text) ? parse_date(text) : std::nullopt;
      });
    case Id::TIMESTAMP:
      return fixed<std::int64_t>(
          type, [zoned = type->Equals(*timestamp_type()), now_us](const auto& value) {
            return to_timestamp(value, zoned, now_us);
          });
    case Id::LIST: {
      ASSIGN(auto values, make(type->field(0)->type(), now_us, wholes));
      return std::make_unique<JsonList>(type, std::move(values));
    }
    case Id::MAP: {
      const auto& map = static_cast<const arrow::MapType&>(*type);
      if (!is_string_type(*map.key_type())) break;
      ASSIGN(auto items, make(map.item_type(), now_us, wholes));
      return std::make_unique<JsonMap>(type, std::move(items));
    }
    case Id::STRUCT: {
      std::vector<std::unique_ptr<JsonColumn>> fields;
      for (const Field& field : type->fields()) {
        ASSIGN(auto made, make(field->type(), now_us, wholes));
        fields.push_back(std::move(made));
      }
      return std::make_unique<JsonStruct>(type, std::move(fields));
    }
    default:
      break;
  }
  return error(Code::kUnimplemented, "from_json to " + spark_name(*type));
}

bool JsonReader::append(JsonColumn& column, std::string_view text, const JsonDemand* demand) {
  // Where texts are seldom plain, few are tried.
  if (missed_ >= kManyMissed && ++missed_ % kManyMissed != 0) return false;
  const std::int64_t mark = column.size();
  if (tokens_.begin(text) && column.read(tokens_, demand) && tokens_.done()) {
    missed_ = 0;
    return true;
  }
  column.truncate(mark);
  if (missed_ < kManyMissed) ++missed_;
  return false;
}

}  // namespace tailrace::engine
