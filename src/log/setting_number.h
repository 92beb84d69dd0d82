// Numbers among the settings of a topic that the log keeps as texts.
#pragma once

#include <charconv>
#include <string>
#include <system_error>

#include "log/topic.h"

namespace tailrace::log {

/// Changes `value` when the setting is there and is a number of 0 or more.
template <typename T>
void read_number(const TopicSettings& settings, const char* name, T& value) {
  const auto found = settings.extra.find(name);
  if (found == settings.extra.end()) return;
  const std::string& text = found->second;
  T parsed{};
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), parsed);
  if (failure == std::errc() && end == text.data() + text.size() && parsed >= 0) value = parsed;
}

}  // namespace tailrace::log
