// The page cache, emptied of a folder's tables, for tests of what waits for the disk.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

namespace tailrace::kv {

/// False where the file system keeps all in memory, as tmpfs does. Nothing of the tables may be
/// dirty: the store was flushed or closed.
inline bool forget_tables(const std::string& folder) {
  bool forgot = false;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().extension() != ".sst") continue;
    const int file = ::open(entry.path().c_str(), O_RDONLY | O_CLOEXEC);
    ::fsync(file);
    ::posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
    const std::size_t size = entry.file_size();
    void* const mapped = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, file, 0);
    std::vector<unsigned char> resident((size + 4095) / 4096);
    forgot = ::mincore(mapped, size, resident.data()) == 0 &&
             std::ranges::none_of(resident, [](unsigned char page) { return (page & 1U) != 0; });
    ::munmap(mapped, size);
    ::close(file);
    if (!forgot) return false;
  }
  return forgot;
}

}  // namespace tailrace::kv
