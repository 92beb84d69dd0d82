// A SQL text, and places in it as people write them: file:line:column.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace tailrace::sql {

/// Bytes [begin, end) of a Source's text.
struct Span {
  std::size_t begin = 0;
  std::size_t end = 0;
};

/// A file's text; statements keep it alive.
struct Source {
  std::string file;
  std::string text;

  /// "file:line:column" of a byte, both counted from 1; columns count bytes.
  std::string place(std::size_t offset) const;
  std::string_view slice(Span span) const;
};
using SourcePtr = std::shared_ptr<const Source>;

}  // namespace tailrace::sql
