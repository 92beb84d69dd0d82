// OrderedTrace: a B-tree of entries over the store; scans merge the two.
#include <algorithm>

#include "base/check.h"
#include "columns/byte_order.h"
#include "engine/trace.h"

namespace tailrace::engine {

OrderedTrace::Entry& OrderedTrace::at(std::string_view key) {
  auto found = entries_.lower_bound(key);
  if (found != entries_.end() && found->first == key) return found->second;
  return entries_.emplace_hint(found, arena_.copy(key), Entry{})->second;
}

Status OrderedTrace::load(std::vector<std::string_view> keys) {
  if (complete_) return {};
  std::erase_if(keys, [&](std::string_view key) { return entries_.contains(key); });
  if (keys.empty()) return {};
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  std::vector<std::string> names;
  names.reserve(keys.size());
  for (std::string_view key : keys) names.push_back(home_.prefix + std::string(key));
  const std::vector<std::string_view> views(names.begin(), names.end());
  ASSIGN(auto values, home_.store->get_many(views));
  for (std::size_t i = 0; i < keys.size(); ++i) {
    Entry& entry = at(keys[i]);
    if (!values[i]) continue;
    entry.value = std::move(*values[i]);
    entry.present = true;
    value_bytes_ += entry.value.size();
  }
  return {};
}

const std::string* OrderedTrace::get(std::string_view key) const {
  const auto found = entries_.find(key);
  if (found == entries_.end() || !found->second.present) return nullptr;
  return &found->second.value;
}

void OrderedTrace::put(std::string_view key, std::string_view value) {
  auto found = entries_.lower_bound(key);
  if (found == entries_.end() || found->first != key) {
    found = entries_.emplace_hint(found, arena_.copy(key), Entry{});
  }
  Entry& entry = found->second;
  value_bytes_ += value.size() - entry.value.size();
  entry.value.assign(value);
  entry.present = true;
  if (!entry.dirty) dirty_.push_back(found->first);
  entry.dirty = true;
}

void OrderedTrace::erase(std::string_view key) {
  auto found = entries_.lower_bound(key);
  if (found == entries_.end() || found->first != key) {
    if (complete_) return;
    found = entries_.emplace_hint(found, arena_.copy(key), Entry{});
  }
  Entry& entry = found->second;
  value_bytes_ -= entry.value.size();
  entry.value.clear();
  entry.present = false;
  if (!entry.dirty) dirty_.push_back(found->first);
  entry.dirty = true;
}

Status OrderedTrace::scan(std::string_view begin, std::string_view end, const Visit& visit) const {
  if (!complete_) return scan_merged(begin, end, visit);
  for (auto it = entries_.lower_bound(begin); it != entries_.end(); ++it) {
    if (!end.empty() && it->first >= end) break;
    if (it->second.present && !visit(it->first, it->second.value)) break;
  }
  return {};
}

Status OrderedTrace::scan_merged(std::string_view begin, std::string_view end,
                                 const Visit& visit) const {
  auto it = entries_.lower_bound(begin);
  bool more = true;
  // Shows the cached entries before `key` (all when null); true when one is `key` itself, which
  // hides the store's.
  const auto show_cached_until = [&](const std::string_view* key) {
    while (more && it != entries_.end() && (end.empty() || it->first < end)) {
      if (key && it->first > *key) return false;
      const bool same = key && it->first == *key;
      if (it->second.present) more = visit(it->first, it->second.value);
      ++it;
      if (same) return true;
    }
    return false;
  };
  const std::string store_end =
      end.empty() ? kv::prefix_end(home_.prefix) : home_.prefix + std::string(end);
  TRY(home_.store->scan(home_.prefix + std::string(begin), store_end,
                        [&](std::string_view name, std::string_view value) {
                          const std::string_view key = name.substr(home_.prefix.size());
                          const bool hidden = show_cached_until(&key);
                          if (more && !hidden) more = visit(key, value);
                          return more;
                        }));
  show_cached_until(nullptr);
  return {};
}

void OrderedTrace::save(kv::BulkWriter& writer) {
  sort_by_bytes(dirty_, [](std::string_view key) { return key; });
  std::string name = home_.prefix;
  for (std::string_view key : dirty_) {
    const auto found = entries_.find(key);
    name.resize(home_.prefix.size());
    name += key;
    found->second.dirty = false;
    if (found->second.present) {
      writer.put(name, found->second.value);
      continue;
    }
    writer.erase(name);
    garbage_bytes_ += key.size();
    entries_.erase(found);
  }
  dirty_.clear();
  if (garbage_bytes_ > arena_.size_bytes() / 2) rebuild();
}

void OrderedTrace::rebuild() {
  Arena arena;
  absl::btree_map<std::string_view, Entry> entries;
  for (auto& [key, entry] : entries_) {
    entries.emplace_hint(entries.end(), arena.copy(key), std::move(entry));
  }
  entries_ = std::move(entries);
  arena_ = std::move(arena);
  garbage_bytes_ = 0;
}

void OrderedTrace::evict() {
  CHECK(dirty_.empty());
  entries_.clear();
  arena_ = {};
  value_bytes_ = garbage_bytes_ = 0;
  complete_ = false;
}

std::size_t OrderedTrace::size_bytes() const {
  return arena_.size_bytes() + value_bytes_ +
         entries_.size() * (sizeof(std::string_view) + sizeof(Entry) + 8);
}

}  // namespace tailrace::engine
