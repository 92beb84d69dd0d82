// Memory as sysconf and the control group of a container tell it.
#include "rt/memory.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <string>

namespace tailrace::rt {

std::uint64_t limited_memory(std::uint64_t machine, std::string_view group_limit) {
  std::uint64_t limit = 0;
  const auto [end, error] =
      std::from_chars(group_limit.data(), group_limit.data() + group_limit.size(), limit);
  return error == std::errc() && limit > 0 ? std::min(machine, limit) : machine;
}

std::uint64_t machine_memory() {
  const long pages = ::sysconf(_SC_PHYS_PAGES), bytes = ::sysconf(_SC_PAGESIZE);
  std::uint64_t machine = 0;
  if (pages > 0 && bytes > 0)
    machine = static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(bytes);
  std::string limit;
  std::ifstream file("/sys/fs/cgroup/memory.max");
  std::getline(file, limit);
  return limited_memory(machine, limit);
}

}  // namespace tailrace::rt
