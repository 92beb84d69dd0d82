#include "kafka/config_table.h"

#include <algorithm>
#include <numeric>

namespace tailrace::kafka {
namespace {

/// How many letters must be put in, taken out or exchanged to make one of the other.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

}  // namespace

const ConfigInfo* find_config(ConfigKind kind, std::string_view name) {
  const auto all = configs(kind);
  const auto found = std::ranges::lower_bound(all, name, {}, &ConfigInfo::name);
  return found != all.end() && found->name == name ? &*found : nullptr;
}

std::string_view nearest_config(ConfigKind kind, std::string_view name) {
  const auto near = [&](const ConfigInfo& config) {
    return distance(name.substr(0, 200), config.name);
  };
  return std::ranges::min_element(configs(kind), {}, near)->name;
}

}  // namespace tailrace::kafka
