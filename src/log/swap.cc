#include "log/swap.h"

#include <algorithm>
#include <charconv>
#include <ranges>

#include "base/log.h"
#include "log/batch.h"
#include "log/segment.h"

namespace tailrace::log {
namespace {

constexpr std::string_view kCleaned = ".cleaned";
constexpr std::string_view kSwap = ".swap";

std::string path(const std::string& folder, Offset base, std::string_view suffix,
                 std::string_view state = {}) {
  return folder + "/" + offset_name(base) + std::string(suffix) + std::string(state);
}

/// The .log goes first: without its .txnindex it must never be read.
Status remove_old(rt::FileSystem& files, const std::string& folder, Offset base) {
  for (const auto suffix : kSegmentSuffixes | std::views::reverse) {
    TRY(files.remove(path(folder, base, suffix)));
  }
  return files.remove(path(folder, base, ".snapshot"));
}

/// Renames what of a segment has the state's name.
Status take_plain_names(rt::FileSystem& files, const std::string& folder, Offset base) {
  for (const auto suffix : kSegmentSuffixes) {
    const auto from = path(folder, base, suffix, kSwap);
    ASSIGN(const bool there, files.exists(from));
    if (there) TRY(files.rename(from, path(folder, base, suffix)));
  }
  return {};
}

/// The offset after the last batch of a file.
Result<Offset> end_of(rt::FileSystem& files, const std::string& file, Offset base) {
  ASSIGN(const auto data, files.open_readable(file));
  ASSIGN(const auto size, data->size());
  Offset end = base;
  std::string header(kBatchHeaderBytes, '\0');
  for (std::uint64_t at = 0; at < size;) {
    ASSIGN(const auto got, data->read_at(at, header.data(), header.size()));
    const auto facts = peek_batch(std::string_view(header).substr(0, got));
    if (!facts) return error(Code::kDataLoss, file + " is corrupt");
    end = facts->last + 1;
    at += facts->size;
  }
  return end;
}

std::optional<Offset> base_of(std::string_view name) {
  std::int64_t value = 0;
  if (name.size() < 20) return std::nullopt;
  const auto [end, failure] = std::from_chars(name.data(), name.data() + 20, value);
  if (failure != std::errc() || end != name.data() + 20 || value < 0) return std::nullopt;
  return Offset(value);
}

}  // namespace

Status swap_in(rt::FileSystem& files, const std::string& folder, Offset base,
               std::span<const Offset> others, bool& committed) {
  committed = false;
  for (const auto suffix : kSegmentSuffixes) {
    committed = suffix == ".log";
    TRY(files.rename(path(folder, base, suffix, kCleaned), path(folder, base, suffix, kSwap)));
  }
  for (const Offset other : others) TRY(remove_old(files, folder, other));
  TRY(files.sync_folder(folder));
  return take_plain_names(files, folder, base);
}

Result<bool> finish_swaps(rt::FileSystem& files, const std::string& folder,
                          const std::vector<std::string>& names) {
  bool changed = false;
  for (const auto& name : names) {
    if (!name.ends_with(".log.swap")) continue;
    const auto base = base_of(name);
    if (!base) continue;
    ASSIGN(const Offset end, end_of(files, folder + "/" + name, *base));
    for (const auto& other : names) {
      const auto old = base_of(other);
      const bool segment = other.ends_with(".log");
      if (segment && old && *old > *base && *old < end) TRY(remove_old(files, folder, *old));
    }
    TRY(files.sync_folder(folder));
    TRY(take_plain_names(files, folder, *base));
    LOG(info, "{}: finished putting the cleaned segment {} in place", folder, base->value);
    changed = true;
  }
  for (const auto& name : names) {
    if (!name.ends_with(kCleaned) && !name.ends_with(kSwap)) continue;
    TRY(files.remove(folder + "/" + name));
    changed = true;
  }
  if (changed) TRY(files.sync_folder(folder));
  return changed;
}

}  // namespace tailrace::log
