// What data files have that others do not: the Z-set difference of their rows.
//
// Rows are equal when their bytes are (columns/row_codec.h); 128 bits of a hash stand for them. A
// view that Spark has written anew gives its changed rows alone. Memory is bounded: what does not
// fit at once is looked at in parts, by ranges of the hash, and the files are read again for each.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "columns/types.h"

namespace tailrace::spark {

struct FilesChanged {
  std::vector<std::string> removed, added;  ///< paths
};

/// Gives rows of `removed` with weight -1 and of `added` with +1, less those of both. All that
/// leave come before all that come, or together with them.
Status difference(const FilesChanged& files, const Schema& schema, std::size_t memory_bytes,
                  const std::function<Status(Delta)>& emit);

}  // namespace tailrace::spark
