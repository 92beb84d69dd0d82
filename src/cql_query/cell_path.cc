#include "cql_query/cell_path.h"

#include "base/bytes.h"
#include "cql_types/sort_key.h"
#include "cql_types/uuid.h"

namespace tailrace::cql_query {
namespace {

using cql_types::Kind;

// Types whose order is that of their bytes.
bool is_own_path(const cql_types::Type& type) {
  return type.kind == Kind::kText || type.kind == Kind::kAscii || type.kind == Kind::kBlob;
}

bool path_tells_key(const cql_types::Type& type) {
  return is_own_path(type) || cql_types::keeps_bytes(type);
}

std::unexpected<Error> damaged() {
  return error(Code::kDataLoss, "a cell of a collection is damaged: it holds no element");
}

}  // namespace

Outcome<void> append_element_path(std::string& path, const cql_types::Type& key_type,
                                  std::string_view key) {
  if (is_own_path(key_type)) {
    path += key;
    return {};
  }
  TRY(cql_types::append_sort_key(path, key_type, key, false));
  return {};
}

std::string_view element_value(const cql_types::Type& key_type, std::string_view key,
                               std::string_view value, std::string& buffer) {
  if (path_tells_key(key_type)) return value;
  buffer.clear();
  append_be(buffer, static_cast<std::uint32_t>(key.size()));
  buffer.append(key).append(value);
  return buffer;
}

std::string list_path(std::uint64_t place, std::uint64_t rest) {
  std::string path;
  append_be(path, place);
  append_be(path, rest);
  return path;
}

std::string list_path(std::string_view timeuuid) {
  const auto [place, rest] = cql_types::timeuuid_order(timeuuid);
  return list_path(place, rest);
}

std::string field_path(std::size_t field) {
  std::string path;
  append_be(path, static_cast<std::uint16_t>(field));
  return path;
}

std::size_t field_of(std::string_view path) {
  return path.size() == 2 ? load_be<std::uint16_t>(path.data()) : SIZE_MAX;
}

Result<Element> element_of(const cql_types::Type& collection, const cql_store::Cell& cell,
                           std::string& buffer) {
  const cql_types::Type& type = collection.key();
  if (is_own_path(type)) return Element{cell.path, cell.value};
  if (!path_tells_key(type)) {
    if (cell.value.size() < 4) return damaged();
    const auto length = load_be<std::uint32_t>(cell.value.data());
    if (length > cell.value.size() - 4) return damaged();
    return Element{cell.value.substr(4, length), cell.value.substr(4 + length)};
  }
  std::string_view path = cell.path;
  ASSIGN(auto key, cql_types::take_sort_key(path, type, false));
  if (!key || !path.empty()) return damaged();
  buffer = std::move(*key);
  return Element{buffer, cell.value};
}

}  // namespace tailrace::cql_query
