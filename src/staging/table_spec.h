// What a staging table is: its columns, their types, its key.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tailrace::staging {

/// The types of columns: what each is in SQLite and in PostgreSQL is in README.md.
enum class Type { kText, kBigint, kDouble, kBoolean, kTimestamp, kDate, kNumeric, kJson, kUuid };
std::string_view name(Type type);  ///< as tailrace.yml has it: `text`, `bigint` …
std::optional<Type> type_named(std::string_view name);
std::vector<std::string_view> type_names();

struct Column {
  std::string name;
  Type type = Type::kText;
  /// Where it is in the record, as a JSON pointer: /login/uuid. Empty: the member of its name.
  std::string pointer = {};
};

/// A table as `staging:` of tailrace.yml has it.
struct TableSpec {
  std::string name;
  /// Empty: the columns are the records' members, and grow with them.
  std::vector<Column> columns = {};
  /// The primary key, of the columns. Empty: `_key`, the record's key; or `_id`, a number.
  std::vector<std::string> key = {};
  bool record_keys = true;  ///< where `key` is empty: `_key`; false: `_id`
  enum class Mode { kUpsert, kInsert } mode = Mode::kUpsert;  ///< kInsert: what is there stays
  bool before = false;  ///< changes carry the row as it was, too
};

/// Columns that begin with it are not in messages.
inline constexpr char kHidden = '_';
inline constexpr std::string_view kKeyColumn = "_key";
inline constexpr std::string_view kIdColumn = "_id";
inline constexpr std::size_t kMaxColumns = 300;
inline constexpr std::size_t kMaxNameBytes = 63;

}  // namespace tailrace::staging
