// Strings as JSON.
#pragma once

#include <string>
#include <string_view>

namespace tailrace::engine {

/// In double quotes, escaped as Jackson does: no more than JSON asks for.
void append_quoted(std::string& out, std::string_view text);

}  // namespace tailrace::engine
