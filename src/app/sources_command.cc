// `tailrace sources`: the types of sources and their options, for people and for scripts.
#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "base/edit_distance.h"
#include "connect/source_types.h"

namespace tailrace::app {
namespace {

constexpr std::size_t kColumns = 100;

nlohmann::ordered_json as_json(const connect::SourceType& type) {
  nlohmann::ordered_json options = nlohmann::ordered_json::array();
  for (const auto rows : {type.options, connect::shared_options()})
    for (const connect::OptionRow& row : rows)
      options.push_back({{"name", row.name},
                         {"needed", row.fallback == "needed"},
                         {"default", row.fallback == "needed" ? "" : row.fallback},
                         {"what", row.what}});
  return {{"type", type.type}, {"what", type.what}, {"options", std::move(options)}};
}

/// `text` from column `indent` on, in lines that are not too long.
std::string wrapped(std::string_view text, std::size_t indent) {
  std::string out;
  std::size_t column = indent;
  while (!text.empty()) {
    const auto space = std::min(text.find(' '), text.size());
    if (column > indent && column + 1 + space > kColumns) {
      out += "\n" + std::string(indent, ' ');
      column = indent;
    } else if (column > indent) {
      out += ' ';
      ++column;
    }
    out += text.substr(0, space);
    column += space;
    text.remove_prefix(std::min(space + 1, text.size()));
  }
  return out;
}

void print_type(const connect::SourceType& type) {
  std::size_t names = 0, fallbacks = 0;
  for (const auto rows : {type.options, connect::shared_options()}) {
    for (const connect::OptionRow& row : rows) {
      names = std::max(names, row.name.size());
      fallbacks = std::max(fallbacks, row.fallback.size());
    }
  }
  std::cout << "use: " << type.type << "\n  " << type.what << "\n\n";
  for (const auto rows : {type.options, connect::shared_options()}) {
    for (const connect::OptionRow& row : rows) {
      std::string what(row.what);
      std::erase(what, '`');
      std::cout << fmt::format("  {:<{}}  {:<{}}  {}\n", row.name, names, row.fallback, fallbacks,
                               wrapped(what, names + fallbacks + 6));
    }
  }
  std::cout << fmt::format(
      "\nIn tailrace.yml:\n  ingest:\n    - name: events\n      topic: events\n      use: {0}\n"
      "      {0}:\n",
      type.type);
  const auto needed = [](const connect::OptionRow& row) { return row.fallback == "needed"; };
  if (std::ranges::none_of(type.options, needed) && !type.options.empty())
    std::cout << fmt::format("        {}: {}\n", type.options[0].name, type.options[0].fallback);
  for (const connect::OptionRow& row : type.options)
    if (needed(row)) std::cout << fmt::format("        {}: …\n", row.name);
}

}  // namespace

int sources_command(const std::string& name, bool json) {
  const auto types = connect::source_types();
  if (name.empty()) {
    for (const connect::SourceType& type : types) {
      if (json)
        std::cout << as_json(type).dump() << "\n";
      else
        std::cout << fmt::format("{:<10}  {}\n", type.type, type.what);
    }
    return 0;
  }
  if (const connect::SourceType* type = connect::find_source_type(name)) {
    if (json)
      std::cout << as_json(*type).dump() << "\n";
    else
      print_type(*type);
    return 0;
  }
  const auto nearest = std::ranges::min_element(
      types, {}, [&](const connect::SourceType& type) { return edit_distance(name, type.type); });
  return fail(Error{Code::kNotFound,
                    fmt::format("no source is called \"{}\"; did you mean \"{}\"? There are {}",
                                name, nearest->type, connect::source_type_names())});
}

}  // namespace tailrace::app
