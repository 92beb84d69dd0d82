// Writing past the page cache (open(2), O_DIRECT), for large files that are synced at their end and
// not read again soon: cached pages for them cost time and push others out.
//
// Such writes want memory, place and length in multiples of the device's block; 4096 bytes is a
// multiple of every device's in use.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <string>

namespace tailrace::rt {

constexpr std::size_t kDirectAlignment = 4096;

struct FreeMemory {
  void operator()(char* memory) const { std::free(memory); }
};
using AlignedMemory = std::unique_ptr<char, FreeMemory>;

/// `bytes` (a multiple of kDirectAlignment) of aligned memory.
inline AlignedMemory aligned_memory(std::size_t bytes) {
  return AlignedMemory(static_cast<char*>(std::aligned_alloc(kDirectAlignment, bytes)));
}

/// Whether files in `folder` can be opened with O_DIRECT (a tmpfs of old kernels, for one,
/// refuses).
bool takes_direct_io(const std::string& folder);
/// Opens `path` with `flags` and O_DIRECT, or without where it is refused; −1 and errno as open(2).
int open_direct(const char* path, int flags);
/// From now on `fd` takes any write; for the end of a file.
void leave_direct(int fd);

}  // namespace tailrace::rt
