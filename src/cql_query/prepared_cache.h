// Prepared statements by their id, the most used of them.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "cql_query/prepared.h"

namespace tailrace::cql_query {

class PreparedCache {
 public:
  explicit PreparedCache(std::size_t most) : most_(most) {}

  /// Keeps it, and gives it the id that clients use: of a text and a keyspace always the same.
  PreparedPtr add(PreparedPtr prepared);
  /// Null: not here, or made for tables that have changed since.
  PreparedPtr find(std::string_view id, const cql_schema::Schema& schema);
  std::size_t size() const;

 private:
  struct Entry {
    PreparedPtr prepared;
    std::uint64_t used = 0;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view id) const { return std::hash<std::string_view>{}(id); }
  };
  void forget_oldest();

  std::size_t most_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Entry, Hash, std::equal_to<>> by_id_;
  std::uint64_t clock_ = 0;
};

}  // namespace tailrace::cql_query
