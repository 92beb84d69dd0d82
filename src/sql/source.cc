// Offsets to line and column, and the small methods of the syntax tree.
#include "sql/source.h"

#include <algorithm>

#include "sql/ast.h"

namespace tailrace::sql {

std::string Source::place(std::size_t offset) const {
  offset = std::min(offset, text.size());
  const auto line =
      1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(offset), '\n');
  const std::size_t newline = offset == 0 ? std::string::npos : text.rfind('\n', offset - 1);
  const std::size_t column = newline == std::string::npos ? offset + 1 : offset - newline;
  return file + ":" + std::to_string(line) + ":" + std::to_string(column);
}

std::string_view Source::slice(Span span) const {
  if (span.begin >= span.end || span.end > text.size()) return {};
  return std::string_view(text).substr(span.begin, span.end - span.begin);
}

std::string Name::text() const {
  std::string joined;
  for (const auto& part : parts) joined += (joined.empty() ? "" : ".") + part;
  return joined;
}

std::string_view Statement::query_text() const {
  return query ? source->slice(query->span) : std::string_view{};
}

}  // namespace tailrace::sql
