#include "dags/callables.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "dags/tree.h"

namespace tailrace::dags {
namespace {

bool word_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         (static_cast<unsigned char>(c) & 0x80) != 0;
}

/// The names before a `*`, without annotations and defaults, of what stands between a function's
/// parentheses; `at` is after the opening one.
std::vector<std::string> argument_names(const std::string& text, std::size_t at) {
  std::vector<std::string> names;
  int depth = 0;
  bool at_name = true;
  char quote = 0;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (quote) {
      if (c == '\\')
        ++at;
      else if (c == quote)
        quote = 0;
      continue;
    }
    if (c == '#') {
      at = std::min(text.find('\n', at), text.size()) - 1;
    } else if (c == '\'' || c == '"') {
      quote = c;
    } else if (c == '(' || c == '[' || c == '{') {
      ++depth;
    } else if (c == ')' || c == ']' || c == '}') {
      if (depth-- == 0) break;
    } else if (c == ',' && depth == 0) {
      at_name = true;
    } else if (at_name && c == '*') {
      break;
    } else if (at_name && word_byte(c)) {
      const std::size_t start = at;
      while (at < text.size() && word_byte(text[at])) ++at;
      names.push_back(text.substr(start, at - start));
      --at;
      at_name = false;
    }
  }
  return names;
}

std::string word_at(const std::string& text, std::size_t at) {
  std::size_t end = at;
  while (end < text.size() && word_byte(text[end])) ++end;
  return text.substr(at, end - at);
}

/// The names that an import of one line gives; an empty one where it may give any.
void imported(const std::string& line, std::vector<std::string>& names) {
  const std::size_t list = line.starts_with("from ") ? line.find(" import ") : 0;
  if (list == std::string::npos || line.find_first_of("*(\\") != std::string::npos) {
    names.emplace_back();
    return;
  }
  for (std::size_t at = list + (list > 0 ? 8 : 7); at < line.size();) {
    const std::size_t end = std::min(line.find(',', at), line.size());
    const std::string part = line.substr(at, end - at);
    const std::size_t as = part.find(" as ");
    const std::size_t start = part.find_first_not_of(' ', as == std::string::npos ? 0 : as + 4);
    if (start != std::string::npos) names.push_back(word_at(part, start));
    at = end + 1;
  }
}

}  // namespace

Result<const Callables::Module*> Callables::load(const std::string& file) {
  const auto seen = modules_.find(file);
  if (seen != modules_.end()) {
    if (!seen->second) return std::unexpected(seen->second.error());
    return &*seen->second;
  }
  auto& kept =
      modules_.emplace(file, error(Code::kNotFound, file + " cannot be read")).first->second;
  std::ifstream in(file, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (!in) return std::unexpected(kept.error());
  Module module;
  for (std::size_t at = 0; at < text.size(); at = std::min(text.find('\n', at), text.size()) + 1) {
    const auto starts = [&](std::string_view word) {
      return text.compare(at, word.size(), word) == 0;
    };
    const std::size_t skip = starts("async def ") ? 10 : starts("def ") ? 4 : 0;
    if (skip > 0) {
      const std::string name = word_at(text, at + skip);
      const std::size_t open = text.find('(', at);
      if (open != std::string::npos) module.functions[name] = {argument_names(text, open + 1)};
      module.names.push_back(name);
    } else if (starts("class ")) {
      module.names.push_back(word_at(text, at + 6));
    } else if (starts("from ") || starts("import ")) {
      imported(text.substr(at, text.find('\n', at) - at), module.names);
    } else if (starts("if ") || starts("try")) {
      module.names.emplace_back();  // may define anything
    } else if (word_byte(text[at])) {
      module.names.push_back(word_at(text, at));
    }
  }
  kept = std::move(module);
  return &*kept;
}

Result<Callables::Function> Callables::in_file(const std::string& file, const std::string& name) {
  ASSIGN(const Module* module, load(file));
  const auto found = module->functions.find(name);
  if (found != module->functions.end()) return found->second;
  if (std::ranges::find(module->names, name) != module->names.end() ||
      std::ranges::find(module->names, "") != module->names.end())
    return error(Code::kUnimplemented, name + " of " + file + " is no plain function");
  return error(Code::kNotFound,
               file + " has no function `" + name + "`" + suggestion(name, module->names));
}

std::optional<Result<Callables::Function>> Callables::by_path(const std::string& path) {
  const std::size_t dot = path.rfind('.');
  if (dot == std::string::npos || folder_.empty()) return std::nullopt;
  std::string module = path.substr(0, dot);
  std::ranges::replace(module, '.', '/');
  for (const char* ending : {".py", "/__init__.py"}) {
    const std::string file = folder_ + "/" + module + ending;
    std::error_code ignored;
    if (std::filesystem::is_regular_file(file, ignored)) return in_file(file, path.substr(dot + 1));
  }
  return std::nullopt;
}

}  // namespace tailrace::dags
