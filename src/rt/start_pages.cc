#include "rt/start_pages.h"

#include <sys/mman.h>

#include <charconv>
#include <cstdint>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>

namespace tailrace::rt {
namespace {

struct Mapping {
  std::uintptr_t from = 0, to = 0;
  bool of_a_file = false, read_only = false;
  std::size_t resident = 0, own = 0;  ///< bytes
};

/// "55d0c8a00000-55d0c8b00000 r-xp 00001000 fe:01 1234   /usr/bin/x"; none: another line.
std::optional<Mapping> heading(std::string_view line) {
  Mapping mapping;
  const char* end = line.data() + line.size();
  const auto from = std::from_chars(line.data(), end, mapping.from, 16);
  if (from.ec != std::errc() || from.ptr == end || *from.ptr != '-') return std::nullopt;
  const auto to = std::from_chars(from.ptr + 1, end, mapping.to, 16);
  if (to.ec != std::errc() || end - to.ptr < 5 || *to.ptr != ' ') return std::nullopt;
  mapping.read_only = to.ptr[1] == 'r' && to.ptr[2] == '-' && to.ptr[4] == 'p';
  mapping.of_a_file = line.find(" /") != std::string_view::npos;
  return mapping;
}

/// "Rss:     1234 kB" as bytes.
std::optional<std::size_t> bytes_of(std::string_view line, std::string_view field) {
  if (!line.starts_with(field)) return std::nullopt;
  line.remove_prefix(field.size());
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  std::size_t kib = 0;
  std::from_chars(line.data(), line.data() + line.size(), kib);
  return kib * 1024;
}

std::size_t forget(const Mapping& mapping) {
  if (!mapping.of_a_file || !mapping.read_only || mapping.own > 0) return 0;
  void* at = reinterpret_cast<void*>(mapping.from);  // NOLINT: an address of /proc/self/smaps
  return madvise(at, mapping.to - mapping.from, MADV_DONTNEED) == 0 ? mapping.resident : 0;
}

}  // namespace

std::size_t forget_start_pages() {
  std::ifstream maps("/proc/self/smaps");
  std::size_t gone = 0;
  std::optional<Mapping> current;
  for (std::string line; std::getline(maps, line);) {
    if (const auto next = heading(line)) {
      if (current) gone += forget(*current);
      current = next;
    } else if (current) {
      if (const auto resident = bytes_of(line, "Rss:")) current->resident = *resident;
      if (const auto own = bytes_of(line, "Anonymous:")) current->own = *own;
      if (const auto swapped = bytes_of(line, "Swap:")) current->own += *swapped;
    }
  }
  if (current) gone += forget(*current);
  return gone;
}

}  // namespace tailrace::rt
