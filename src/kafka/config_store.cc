#include "kafka/config_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "rt/file.h"

namespace tailrace::kafka {
namespace {

constexpr std::size_t kMostBytes = 64 << 20;
constexpr std::array<std::pair<ResourceType, std::string_view>, 3> kKinds = {{
    {ResourceType::kBroker, "broker"},
    {ResourceType::kGroup, "group"},
    {ResourceType::kClientMetrics, "client-metrics"},
}};

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) <= ' ' || c == '%' || c == '=') {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out;
}

std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned value = 0;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(text.data() + i + 1, text.data() + i + 3, value, 16).ec == std::errc()) {
      out += static_cast<char>(value);
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace

Status ConfigStore::open() {
  auto text = rt::read_whole(rt::posix_files(), path_, kMostBytes);
  const std::unique_lock lock(mutex_);
  if (!text && text.error().code == Code::kNotFound) {
    // As `kafka-storage format` leaves a cluster of today (KIP-966).
    all_[{ResourceType::kBroker, ""}]["min.insync.replicas"] = "1";
    return {};
  }
  if (!text) return std::unexpected(text.error());
  auto all = decode(*text);
  if (!all) return std::unexpected(all.error().in(path_));
  all_ = std::move(*all);
  return {};
}

ConfigMap ConfigStore::get(ResourceType type, const std::string& resource) const {
  const std::unique_lock lock(mutex_);
  const auto found = all_.find({type, resource});
  return found == all_.end() ? ConfigMap() : found->second;
}

Status ConfigStore::set(ResourceType type, const std::string& resource, ConfigMap values) {
  const std::unique_lock lock(mutex_);
  auto all = all_;
  if (values.empty()) {
    all.erase({type, resource});
  } else {
    all[{type, resource}] = std::move(values);
  }
  TRY(rt::write_atomically(rt::posix_files(), path_, encode(all)));
  all_ = std::move(all);
  return {};
}

std::vector<std::string> ConfigStore::resources(ResourceType type) const {
  const std::unique_lock lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [key, values] : all_) {
    if (key.first == type) names.push_back(key.second);
  }
  return names;
}

std::string ConfigStore::encode(const All& all) {
  std::string text;
  for (const auto& [kind, word] : kKinds) {
    for (const auto& [key, values] : all) {
      if (key.first != kind) continue;
      for (const auto& [name, value] : values) {
        text +=
            fmt::format("{} {} {}={}\n", word, escaped(key.second), escaped(name), escaped(value));
      }
    }
  }
  return text;
}

Result<ConfigStore::All> ConfigStore::decode(std::string_view text) {
  All all;
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const auto first = line.find(' ');
    const auto second = line.find(' ', first + 1);
    const auto equals = line.find('=', second + 1);
    const auto* const kind =
        std::ranges::find(kKinds, line.substr(0, first), &decltype(kKinds)::value_type::second);
    if (second == std::string_view::npos || equals == std::string_view::npos ||
        kind == kKinds.end()) {
      return error(Code::kDataLoss, fmt::format("'{}' is no setting", line));
    }
    all[{kind->first, unescaped(line.substr(first + 1, second - first - 1))}]
       [unescaped(line.substr(second + 1, equals - second - 1))] =
           unescaped(line.substr(equals + 1));
  }
  return all;
}

}  // namespace tailrace::kafka
