// Parses Spark's DDL types: "name STRING, dob STRUCT<date: STRING, age: INT> NOT NULL COMMENT 'x'".
#include <algorithm>
#include <charconv>

#include "engine/expr.h"

namespace tailrace::engine {
namespace {

class DdlParser {
 public:
  explicit DdlParser(std::string_view text) : text_(text) {}

  Result<Type> whole() {
    // A lone type ("INT", "ARRAY<…>", "STRUCT<…>") or a list of columns.
    const std::size_t start = at_;
    if (auto type = parse_type(); type && at_end()) return type;
    at_ = start;
    ASSIGN(auto fields, parse_fields());
    if (!at_end()) return fault("unexpected text");
    return arrow::struct_(std::move(fields));
  }

 private:
  static constexpr int kMaxDepth = 64;

  void skip() {
    while (at_ < text_.size() && static_cast<unsigned char>(text_[at_]) <= ' ') ++at_;
  }
  bool at_end() {
    skip();
    return at_ == text_.size();
  }
  bool take(char c) {
    skip();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  std::unexpected<Error> fault(std::string_view what) const {
    return error(Code::kInvalidArgument, "[PARSE_SYNTAX_ERROR] " + std::string(what) +
                                             " at character " + std::to_string(at_ + 1) +
                                             " of the schema '" + std::string(text_) + "'");
  }

  std::string word() {
    skip();
    std::string out;
    if (at_ < text_.size() && text_[at_] == '`') {
      for (++at_; at_ < text_.size(); ++at_) {
        if (text_[at_] == '`' && (at_ + 1 == text_.size() || text_[++at_] != '`')) {
          if (text_[at_ - 1] == '`' || at_ + 1 == text_.size()) at_ += text_[at_] == '`' ? 1 : 0;
          return out;
        }
        out += text_[at_];
      }
      return out;
    }
    while (at_ < text_.size()) {
      const auto c = static_cast<unsigned char>(text_[at_]);
      if (!std::isalnum(c) && c != '_' && c < 0x80) break;
      out += text_[at_++];
    }
    return out;
  }

  bool take_word(std::string_view upper) {
    const std::size_t start = at_;
    if (to_upper(word()) == upper) return true;
    at_ = start;
    return false;
  }

  static std::string to_upper(std::string text) {
    std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::toupper(c); });
    return text;
  }

  Result<std::vector<Field>> parse_fields() {
    std::vector<Field> fields;
    do {
      std::string name = word();
      if (name.empty()) return fault("a column name is wanted");
      take(':');
      ASSIGN(Type type, parse_type());
      if (take_word("NOT") && !take_word("NULL")) return fault("NULL is wanted after NOT");
      if (take_word("COMMENT")) skip_text();
      fields.push_back(arrow::field(std::move(name), std::move(type)));
    } while (take(','));
    return fields;
  }

  void skip_text() {
    skip();
    const char quote = at_ < text_.size() ? text_[at_] : '\'';
    for (++at_; at_ < text_.size() && text_[at_] != quote; ++at_) {
      if (text_[at_] == '\\') ++at_;
    }
    at_ = std::min(at_ + 1, text_.size());
  }

  Result<Type> parse_type() {
    if (++depth_ > kMaxDepth) return fault("types are nested too deep");
    auto type = parse_named(to_upper(word()));
    --depth_;
    return type;
  }

  Result<Type> parse_named(const std::string& name) {
    if (name == "ARRAY") return parse_array();
    if (name == "MAP") return parse_map();
    if (name == "STRUCT") return parse_struct();
    if (name == "DECIMAL" || name == "DEC" || name == "NUMERIC") return parse_decimal_type();
    if (name == "VARCHAR" || name == "CHAR") {
      if (!take('(') || word().empty() || !take(')')) return fault("a length is wanted");
      return arrow::utf8();
    }
    static const std::pair<std::string_view, Type> kNames[] = {
        {"BOOLEAN", arrow::boolean()},
        {"TINYINT", arrow::int8()},
        {"BYTE", arrow::int8()},
        {"SMALLINT", arrow::int16()},
        {"SHORT", arrow::int16()},
        {"INT", arrow::int32()},
        {"INTEGER", arrow::int32()},
        {"BIGINT", arrow::int64()},
        {"LONG", arrow::int64()},
        {"FLOAT", arrow::float32()},
        {"REAL", arrow::float32()},
        {"DOUBLE", arrow::float64()},
        {"STRING", arrow::utf8()},
        {"BINARY", arrow::binary()},
        {"DATE", arrow::date32()},
        {"TIMESTAMP", timestamp_type()},
        {"TIMESTAMP_LTZ", timestamp_type()},
        {"TIMESTAMP_NTZ", arrow::timestamp(arrow::TimeUnit::MICRO)},
        {"VOID", arrow::null()},
    };
    for (const auto& [known, type] : kNames) {
      if (known == name) return type;
    }
    return error(Code::kInvalidArgument,
                 "[UNSUPPORTED_DATATYPE] Unsupported data type \"" + name + "\".");
  }

  Result<Type> parse_array() {
    if (!take('<')) return fault("'<' is wanted");
    ASSIGN(Type element, parse_type());
    if (!take('>')) return fault("'>' is wanted");
    return arrow::list(element);
  }

  Result<Type> parse_map() {
    if (!take('<')) return fault("'<' is wanted");
    ASSIGN(Type key, parse_type());
    if (!take(',')) return fault("',' is wanted");
    ASSIGN(Type item, parse_type());
    if (!take('>')) return fault("'>' is wanted");
    return arrow::map(key, item);
  }

  Result<Type> parse_struct() {
    if (!take('<')) return fault("'<' is wanted");
    if (take('>')) return arrow::struct_({});
    ASSIGN(auto fields, parse_fields());
    if (!take('>')) return fault("'>' is wanted");
    return arrow::struct_(std::move(fields));
  }

  Result<Type> parse_decimal_type() {
    int precision = 10;
    int scale = 0;
    if (take('(')) {
      if (!number(precision)) return fault("a precision is wanted");
      if (take(',') && !number(scale)) return fault("a scale is wanted");
      if (!take(')')) return fault("')' is wanted");
    }
    if (precision < 1 || precision > 38 || scale < 0 || scale > precision)
      return fault("no such DECIMAL");
    return arrow::decimal128(precision, scale);
  }

  bool number(int& out) {
    const std::string digits = word();
    return std::from_chars(digits.data(), digits.data() + digits.size(), out).ec == std::errc();
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

Result<Type> parse_ddl_type(std::string_view ddl) {
  return DdlParser(ddl).whole();
}

}  // namespace tailrace::engine
