// Accepted ids: tables in memory, appended to files.
#include "connect/inbox_ids.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "auth/digest.h"
#include "base/bytes.h"
#include "base/log.h"
#include "log/batch.h"

namespace tailrace::connect {
namespace {

constexpr std::size_t kFileEntries = 65'536;
constexpr std::size_t kBodyBytes = 24;
constexpr std::size_t kEntryBytes = kBodyBytes + 4;
constexpr std::size_t kFirstSlots = 256;

}  // namespace

const InboxIds::Entry* InboxIds::Table::find(const Digest& digest) const {
  if (slots_.empty()) return nullptr;
  std::uint64_t hash = 0;
  std::memcpy(&hash, digest.data(), sizeof hash);
  for (std::size_t at = hash & (slots_.size() - 1); slots_[at] != 0;
       at = (at + 1) & (slots_.size() - 1)) {
    if (entries_[slots_[at] - 1].digest == digest) return &entries_[slots_[at] - 1];
  }
  return nullptr;
}

void InboxIds::Table::place(std::uint32_t entry) {
  std::uint64_t hash = 0;
  std::memcpy(&hash, entries_[entry - 1].digest.data(), sizeof hash);
  std::size_t at = hash & (slots_.size() - 1);
  // The newer one of a digest is found.
  while (slots_[at] != 0 && entries_[slots_[at] - 1].digest != entries_[entry - 1].digest)
    at = (at + 1) & (slots_.size() - 1);
  slots_[at] = entry;
}

void InboxIds::Table::add(const Entry& entry) {
  entries_.push_back(entry);
  newest_ms_ = std::max(newest_ms_, entry.at_ms);
  if (entries_.size() * 2 > slots_.size()) {
    slots_.assign(std::max(kFirstSlots, slots_.size() * 2), 0);
    for (std::uint32_t i = 1; i < entries_.size(); ++i) place(i);
  }
  place(static_cast<std::uint32_t>(entries_.size()));
}

InboxIds::Digest InboxIds::digest_of(std::string_view id) {
  Digest digest;
  std::memcpy(digest.data(), auth::sha256(id).data(), digest.size());
  return digest;
}

std::string InboxIds::encode(const Entry& entry) {
  std::string out(entry.digest.data(), entry.digest.size());
  append_be<std::int64_t>(out, entry.at_ms);
  append_be<std::uint32_t>(out, log::crc32c(out));
  return out;
}

std::string InboxIds::path_of(std::uint64_t number) const {
  return fmt::format("{}/{:010}", folder_, number);
}

Result<std::unique_ptr<InboxIds>> InboxIds::open(const std::string& folder, std::int64_t keep_ms,
                                                 std::int64_t most, rt::FileSystem& files) {
  std::unique_ptr<InboxIds> ids(new InboxIds(folder, keep_ms, most, files));
  TRY(files.make_folder(folder));
  ASSIGN(const auto names, files.list(folder));
  for (const std::string& name : names) {
    if (name.size() != 10 || name.find_first_not_of("0123456789") != std::string::npos) continue;
    TRY(ids->load(std::stoull(name)));
  }
  if (ids->tables_.empty()) ids->tables_.emplace_back(1);
  return ids;
}

Status InboxIds::load(std::uint64_t number) {
  ASSIGN(const std::string bytes, rt::read_whole(files_, path_of(number), 1 << 30));
  Table& table = tables_.emplace_back(number);
  std::size_t damaged = 0;
  for (std::size_t at = 0; at + kEntryBytes <= bytes.size(); at += kEntryBytes) {
    const std::string_view body = std::string_view(bytes).substr(at, kBodyBytes);
    if (load_be<std::uint32_t>(bytes.data() + at + kBodyBytes) != log::crc32c(body)) {
      ++damaged;
      continue;
    }
    Entry entry;
    std::memcpy(entry.digest.data(), body.data(), entry.digest.size());
    entry.at_ms = load_be<std::int64_t>(body.data() + entry.digest.size());
    table.add(entry);
  }
  count_ += table.size();
  if (damaged > 0)
    LOG_OF(warn, log_of("file", path_of(number)),
           "{}: {} ids of deliveries are damaged; what is sent again by them is taken again",
           path_of(number), damaged);
  return {};
}

bool InboxIds::knows(std::string_view id, std::int64_t now_ms) const {
  const Digest digest = digest_of(id);
  return std::ranges::any_of(tables_, [&](const Table& table) {
    const Entry* entry = table.find(digest);
    return entry != nullptr && entry->at_ms > now_ms - keep_ms_;
  });
}

void InboxIds::add(std::string_view id, std::int64_t now_ms) {
  if (tables_.back().size() >= kFileEntries) {
    tables_.emplace_back(tables_.back().number() + 1);
    forget(now_ms);
  }
  tables_.back().add({digest_of(id), now_ms});
  ++count_;
  ++unwritten_;
}

// Only what is written: sync() counts the others from the end.
void InboxIds::forget(std::int64_t now_ms) {
  while (tables_.size() > 1) {
    const Table& oldest = tables_.front();
    const std::size_t left = count_ - oldest.size();
    if (left < unwritten_) return;
    if (oldest.newest_ms() > now_ms - keep_ms_ && left < static_cast<std::size_t>(most_)) return;
    forgotten_.push_back(oldest.number());
    count_ = left;
    tables_.pop_front();
  }
}

// A tail that is no whole entry is cut off, or what follows would not be found.
Status InboxIds::open_last(std::uint64_t number) {
  if (file_ && file_number_ == number) return {};
  ASSIGN(file_, files_.open_writable(path_of(number)));
  file_number_ = number;
  TRY(file_->truncate(file_->size() / kEntryBytes * kEntryBytes));
  return files_.sync_folder(folder_);
}

Status InboxIds::write(Table& table, std::size_t from) {
  TRY(open_last(table.number()));
  std::string bytes;
  for (std::size_t i = from; i < table.size(); ++i) bytes += encode(table.entry(i));
  const std::uint64_t size = file_->size();
  Status written = file_->append(bytes);
  if (written) written = file_->sync();
  if (written) {
    unwritten_ -= table.size() - from;
  } else if (!file_->truncate(size)) {
    file_.reset();  // what is half there is cut off when it is opened
  }
  return written;
}

Status InboxIds::sync() {
  std::size_t first = tables_.size();
  std::size_t before = 0;  // unwritten ones from `first` on
  while (first > 0 && before < unwritten_) before += tables_[--first].size();
  for (; first < tables_.size() && unwritten_ > 0; ++first) {
    std::size_t behind = 0;
    for (std::size_t i = first + 1; i < tables_.size(); ++i) behind += tables_[i].size();
    TRY(write(tables_[first], tables_[first].size() - (unwritten_ - behind)));
  }
  for (; !forgotten_.empty(); forgotten_.pop_back()) TRY(files_.remove(path_of(forgotten_.back())));
  return {};
}

}  // namespace tailrace::connect
