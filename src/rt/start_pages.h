// Memory that only the start of the program needed.
#pragma once

#include <cstddef>

namespace tailrace::rt {

/// Lets go of the pages of programs and libraries that the loader and static initialisers have
/// mapped: whole read-only mappings of files in which no page is our own (no relocation was written
/// to it). What is used again comes back from the page cache without a disk. To be called once a
/// service is ready: it then holds what it uses, not the 40 MB that its libraries' starts touched.
/// Returns the bytes let go. madvise(2), MADV_DONTNEED; where /proc is not there it does nothing.
std::size_t forget_start_pages();

}  // namespace tailrace::rt
