// JSON values straight into columns, by a plan compiled from the wanted type. Only named fields are
// materialised.
//
// A node holds one column; struct, array and map nodes hold children. append() gives false when the
// value does not fit the type, having added nothing; the parent then decides: null field in a
// struct, no value at all in an array or map.
#pragma once

#include <simdjson.h>

#include <memory>

#include "columns/types.h"
#include "engine/functions/json_tokens.h"

namespace tailrace::engine {

class JsonColumn {
 public:
  virtual ~JsonColumn() = default;
  virtual bool append(simdjson::dom::element value) = 0;
  /// As append(), for the value that is next. False when that is not plain or not as demanded: the
  /// whole row must be taken back then, by truncate() of the outermost column.
  virtual bool read(JsonTokens& in, const JsonDemand* demand) = 0;
  virtual void append_null() = 0;
  virtual std::int64_t size() const = 0;
  /// Takes back everything after the first `size` rows.
  virtual void truncate(std::int64_t size) = 0;
  /// The rows; none are left.
  virtual Result<Array> finish() = 0;

  /// What 2.0 is in a column of whole numbers: nothing, as in from_json of Spark, or 2, as JSON
  /// Schema has it.
  enum class Wholes { kWithoutPoint, kByValue };

  /// kUnimplemented for a type JSON has no values of.
  static Result<std::unique_ptr<JsonColumn>> make(const Type& type, std::int64_t now_us,
                                                  Wholes wholes = Wholes::kWithoutPoint);
};

/// Reads texts straight into a column, without a tree. One thread.
class JsonReader {
 public:
  /// Whether a row was added, that of the whole text; false when it is to be parsed.
  bool append(JsonColumn& column, std::string_view text, const JsonDemand* demand = nullptr);

 private:
  static constexpr std::uint32_t kManyMissed = 16;
  JsonTokens tokens_;
  std::uint32_t missed_ = 0;
};

/// The value as compact JSON text; numbers as Java prints them.
void append_json(std::string& out, simdjson::dom::element value);

/// A number that does not fit 64 bits, or a DOUBLE, is rewritten as a string with this prefix
/// before it is parsed.
inline constexpr std::string_view kBigNumber = "\x01#";

/// Such a number (without the prefix) as JSON text: one beyond a DOUBLE is infinity.
inline std::string_view big_number_text(std::string_view number) {
  if (number.find_first_of("eE.") == std::string_view::npos) return number;
  return number[0] == '-' ? "\"-Infinity\"" : "\"Infinity\"";
}

/// The first JSON value of a text in the forms Jackson takes and RFC 8259 does not: single quotes,
/// NaN and Infinity, numbers of any size, anything after the value; rewritten as strict JSON. False
/// when there is no end to it.
bool strict_json(std::string_view text, std::string& out);

}  // namespace tailrace::engine
