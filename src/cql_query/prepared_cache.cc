// Prepared statements by their id.
#include "cql_query/prepared_cache.h"

#include <algorithm>
#include <vector>

#include "base/bytes.h"
#include "cql_types/token.h"

namespace tailrace::cql_query {
namespace {

/// 16 bytes of the text; another `attempt` gives others.
std::string id_of(const Prepared& prepared, int attempt) {
  const std::string text = std::to_string(attempt) + ' ' + prepared.keyspace + '\0' + prepared.text;
  std::string id;
  append_be(id, cql_types::murmur3_token("1" + text));
  append_be(id, cql_types::murmur3_token("2" + text));
  return id;
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
