// Hash of byte strings for tables with std::string keys that are asked with std::string_view.
#pragma once

#include <absl/hash/hash.h>

#include <cstddef>
#include <string_view>

namespace tailrace::engine {

struct ByteHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view bytes) const {
    return absl::Hash<std::string_view>()(bytes);
  }
};

}  // namespace tailrace::engine
