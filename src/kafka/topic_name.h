// What is wrong with a topic's name, in Kafka's words.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tailrace::kafka {

/// nullopt for a good name.
std::optional<std::string> topic_name_problem(std::string_view name);

}  // namespace tailrace::kafka
