// A block: entries of weight (8 bytes) and key size (4 bytes), both of this machine, and key. Its
// name: partition, number (8 bytes, big endian).
#include "engine/cold_rows.h"

#include <cstring>

#include "base/check.h"

namespace tailrace::engine {
namespace {

constexpr std::size_t kBlockBytes = 64 << 10;

struct EntryHead {
  Weight weight;
  std::uint32_t key_bytes;
};
constexpr std::size_t kHeadBytes = sizeof(Weight) + sizeof(std::uint32_t);

void append_entry(std::string& to, std::string_view key, Weight weight) {
  const auto size = static_cast<std::uint32_t>(key.size());
  to.append(reinterpret_cast<const char*>(&weight), sizeof weight);
  to.append(reinterpret_cast<const char*>(&size), sizeof size);
  to += key;
}

Status visit_entries(std::string_view entries,
                     const std::function<void(std::string_view key, Weight weight)>& visit) {
  while (!entries.empty()) {
    EntryHead head;
    if (entries.size() < kHeadBytes) return error(Code::kDataLoss, "a block of rows is damaged");
    std::memcpy(&head.weight, entries.data(), sizeof head.weight);
    std::memcpy(&head.key_bytes, entries.data() + sizeof head.weight, sizeof head.key_bytes);
    entries.remove_prefix(kHeadBytes);
    if (entries.size() < head.key_bytes)
      return error(Code::kDataLoss, "a block of rows is damaged");
    visit(entries.substr(0, head.key_bytes), head.weight);
    entries.remove_prefix(head.key_bytes);
  }
  return {};
}

}  // namespace

std::string ColdRows::name_of(std::string_view partition, std::uint64_t number) const {
  std::string name(partition);
  for (int shift = 56; shift >= 0; shift -= 8) name += static_cast<char>(number >> shift);
  return name;
}

void ColdRows::add(std::string_view partition, Blocks& blocks, std::string_view key,
                   Weight weight) {
  auto at = open_.find(partition);
  if (at == open_.end()) {
    at = open_.emplace(std::string(partition), Block{name_of(partition, blocks.next++), {}}).first;
  }
  std::string& entries = at->second.entries;
  const std::size_t before = entries.size();
  append_entry(entries, key, weight);
  bytes_ += entries.size() - before;
  ++blocks.entries;
  blocks.rows += weight;
  if (entries.size() < kBlockBytes) return;
  full_.push_back(std::move(at->second));
  open_.erase(at);
}

Result<ColdRows::Sums> ColdRows::take_all(std::string_view partition, Blocks& blocks) {
  Sums sums;
  const auto sum_up = [&](std::string_view entries) {
    return visit_entries(entries, [&](std::string_view key, Weight weight) {
      const auto at = sums.try_emplace(key, 0).first;
      at->second += weight;
      if (at->second == 0) sums.erase(at);
    });
  };
  Status read;
  TRY(home_.store->scan(home_.prefix + name_of(partition, blocks.first),
                        home_.prefix + name_of(partition, blocks.next),
                        [&](std::string_view name, std::string_view entries) {
                          read = sum_up(entries);
                          gone_.emplace_back(name.substr(home_.prefix.size()));
                          return read.has_value();
                        }));
  TRY(read);
  const auto is_of = [&](const Block& block) {
    return block.name.size() == partition.size() + sizeof(std::uint64_t) &&
           block.name.starts_with(partition);
  };
  for (const Block& block : full_) {
    if (!is_of(block)) continue;
    TRY(sum_up(block.entries));
    bytes_ -= block.entries.size();
  }
  std::erase_if(full_, is_of);
  if (const auto at = open_.find(partition); at != open_.end()) {
    TRY(sum_up(at->second.entries));
    bytes_ -= at->second.entries.size();
    open_.erase(at);
  }
  blocks = {blocks.next, blocks.next, 0, 0};
  return sums;
}

void ColdRows::save(kv::BulkWriter& writer) {
  for (auto& [partition, block] : open_) full_.push_back(std::move(block));
  open_.clear();
  for (const std::string& name : gone_) writer.erase(home_.prefix + name);
  for (const Block& block : full_) writer.put(home_.prefix + block.name, block.entries);
  gone_.clear();
  full_.clear();
  bytes_ = 0;
}

}  // namespace tailrace::engine
