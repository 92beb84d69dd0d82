// Prepared statements by their id.
#include "cql_query/prepared_cache.h"

#include <algorithm>
#include <vector>

#include "base/bytes.h"
#include "cql_types/class_name.h"
#include "cql_types/token.h"

namespace tailrace::cql_query {
namespace {

/// 16 bytes.
std::string hash_of(const std::string& text) {
  std::string id;
  append_be(id, cql_types::murmur3_token("1" + text));
  append_be(id, cql_types::murmur3_token("2" + text));
  return id;
}

/// Of the text; another `attempt` gives others.
std::string id_of(const Prepared& prepared, int attempt) {
  return hash_of(std::to_string(attempt) + ' ' + prepared.keyspace + '\0' + prepared.text);
}

/// Of the names and types of what is selected, so that the rows of the same columns are understood
/// by whoever knows it.
std::string result_id_of(const Prepared& prepared) {
  std::string text;
  if (prepared.select) {
    for (const auto& column : *prepared.select->columns()) {
      text += column.name;
      text += '\0';
      text += cql_types::to_class_name(*column.type);
      text += '\0';
    }
  }
  return hash_of(text);
}

}  // namespace

PreparedPtr PreparedCache::add(PreparedPtr prepared) {
  const std::lock_guard lock(mutex_);
  for (int attempt = 0;; ++attempt) {
    std::string id = id_of(*prepared, attempt);
    const auto there = by_id_.find(id);
    if (there != by_id_.end() && (there->second.prepared->text != prepared->text ||
                                  there->second.prepared->keyspace != prepared->keyspace))
      continue;
    auto named = std::make_shared<Prepared>(*prepared);
    named->id = id;
    named->result_id = result_id_of(*named);
    by_id_[id] = {named, ++clock_};
    if (by_id_.size() > most_) forget_oldest();
    return named;
  }
}

PreparedPtr PreparedCache::find(std::string_view id, const cql_schema::Schema& schema) {
  const std::lock_guard lock(mutex_);
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return nullptr;
  if (!found->second.prepared->is_current(schema)) {
    by_id_.erase(found);
    return nullptr;
  }
  found->second.used = ++clock_;
  return found->second.prepared;
}

std::size_t PreparedCache::size() const {
  const std::lock_guard lock(mutex_);
  return by_id_.size();
}

/// A tenth of them at once, so that it costs little for each.
void PreparedCache::forget_oldest() {
  std::vector<std::uint64_t> used;
  for (const auto& [id, entry] : by_id_) used.push_back(entry.used);
  const auto nth = used.begin() + static_cast<std::ptrdiff_t>(used.size() / 10);
  std::ranges::nth_element(used, nth);
  std::erase_if(by_id_, [limit = *nth](const auto& entry) { return entry.second.used <= limit; });
}

}  // namespace tailrace::cql_query
