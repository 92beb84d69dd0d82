#include "kafka/coordinator_partition.h"

#include <cstddef>
#include <cstdlib>

namespace tailrace::kafka {
namespace {

/// The UTF-16 code units of UTF-8 text, which Java's hash goes over.
template <typename Unit>
void each_utf16_unit(std::string_view text, Unit unit) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<std::uint8_t>(text[i]);
    const std::size_t more = lead < 0xc0 ? 0 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
    std::uint32_t code = more == 0 ? lead : lead & (0x3fU >> more);
    for (std::size_t j = 1; j <= more && i + j < text.size(); ++j) {
      code = (code << 6) | (static_cast<std::uint8_t>(text[i + j]) & 0x3f);
    }
    i += 1 + more;
    if (code >= 0x10000) {
      unit(0xd800 + ((code - 0x10000) >> 10));
      unit(0xdc00 + ((code - 0x10000) & 0x3ff));
    } else {
      unit(code);
    }
  }
}

}  // namespace

std::int32_t coordinator_partition(std::string_view id, std::int32_t partitions) {
  std::uint32_t hash = 0;
  each_utf16_unit(id, [&](std::uint32_t unit) { hash = 31 * hash + unit; });
  const auto number = static_cast<std::int32_t>(hash);
  return number == INT32_MIN ? 0 : std::abs(number) % partitions;
}

}  // namespace tailrace::kafka
