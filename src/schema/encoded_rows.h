// Records that a format's encoder made of rows.
#pragma once

#include <string>
#include <vector>

namespace tailrace::schema {

/// Records one after another.
struct EncodedRows {
  std::string bytes;
  std::vector<std::size_t> ends;  ///< of each record in `bytes`
};

}  // namespace tailrace::schema
