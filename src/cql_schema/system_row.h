// One row of a virtual table in the making: values by column name, as protocol bytes.
#pragma once

#include <bit>
#include <map>

#include "base/bytes.h"
#include "cql_schema/system_tables.h"
#include "cql_types/parts.h"

namespace tailrace::cql_schema {

class SystemRow {
 public:
  SystemRow& text(std::string_view column, std::string_view value) {
    values_[std::string(column)] = value;
    return *this;
  }
  /// Bytes as they are: of a UUID, an address, a blob.
  SystemRow& bytes(std::string_view column, std::string_view value) { return text(column, value); }
  SystemRow& whole(std::string_view column, std::int32_t value) {
    append_be(values_[std::string(column)], value);
    return *this;
  }
  SystemRow& long_whole(std::string_view column, std::int64_t value) {
    append_be(values_[std::string(column)], value);
    return *this;
  }
  SystemRow& real(std::string_view column, double value) {
    append_be(values_[std::string(column)], std::bit_cast<std::uint64_t>(value));
    return *this;
  }
  SystemRow& yes(std::string_view column, bool value) {
    values_[std::string(column)] = std::string(1, value ? '\1' : '\0');
    return *this;
  }
  SystemRow& map(std::string_view column, const std::map<std::string, std::string>& value) {
    auto& out = values_[std::string(column)];
    cql_types::append_count(out, static_cast<std::int32_t>(value.size()));
    for (const auto& [key, one] : value) {
      cql_types::append_part(out, key);
      cql_types::append_part(out, one);
    }
    return *this;
  }
  /// A list, or a set whose elements are in order.
  SystemRow& list(std::string_view column, const std::vector<std::string>& elements) {
    auto& out = values_[std::string(column)];
    cql_types::append_count(out, static_cast<std::int32_t>(elements.size()));
    for (const auto& element : elements) cql_types::append_part(out, element);
    return *this;
  }

  /// In the order of the table's columns; null for those that have no value.
  Values take(const Table& table) {
    Values values;
    for (const auto& column : table.columns) {
      const auto found = values_.find(column.name);
      values.push_back(found == values_.end() ? std::nullopt
                                              : std::optional(std::move(found->second)));
    }
    return values;
  }

 private:
  std::map<std::string, std::string> values_;
};

}  // namespace tailrace::cql_schema
