// The order in which Java's HashMap gives its keys: some of Cassandra's sentences and texts list
// options in it.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tailrace::cql_schema {

/// String.hashCode of text in UTF-8.
std::int32_t java_hash(std::string_view text);

/// Keys of one map, put into a HashMap one after the other, in the map's own order.
std::vector<std::string> java_order(const std::vector<std::string>& keys);
/// Keys that are left in a HashMap made as a copy of a map of `size` keys.
std::vector<std::string> java_copy_order(const std::vector<std::string>& keys, std::size_t size);

/// Names as bytes in ByteBuffers: a copy of a HashMap of the first `copied` of them, into which the
/// others were put.
std::vector<std::string> java_buffer_order(const std::vector<std::string>& names,
                                           std::size_t copied);

/// As Java prints a set of strings: "[a, b]".
std::string java_list(const std::vector<std::string>& words);

template <typename Value>
std::vector<std::string> keys_of(const std::map<std::string, Value>& map) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : map) keys.push_back(key);
  return keys;
}

}  // namespace tailrace::cql_schema
