// Name lookup and the nearest names for a message.
#include "sql/bind/scope.h"

#include <algorithm>

#include "base/edit_distance.h"
#include "sql/parser.h"

namespace tailrace::sql {
namespace {

// `qualifier` ends with the parts: users matches db.users, db.users matches too.
bool qualifies(const std::vector<std::string>& qualifier, const std::vector<std::string>& parts,
               std::size_t count) {
  if (count == 0 || count > qualifier.size()) return false;
  return std::equal(parts.begin(), parts.begin() + static_cast<std::ptrdiff_t>(count),
                    qualifier.end() - static_cast<std::ptrdiff_t>(count), same_name);
}

Found find_column(const Scope& scope, const std::vector<std::string>& parts,
                  std::size_t qualifier) {
  Found found;
  if (!scope.columns || parts.size() <= qualifier) return found;
  for (const auto& column : *scope.columns) {
    if (!same_name(column.name, parts[qualifier])) continue;
    if (qualifier == 0 ? column.hidden : !qualifies(column.qualifier, parts, qualifier)) continue;
    found.ambiguous = found.expr != nullptr;
    found.expr = column.expr;
    found.used = qualifier + 1;
    if (found.ambiguous) break;
  }
  return found;
}

}  // namespace

Found find_name(const Scope& scope, const std::vector<std::string>& parts) {
  for (auto variable = scope.variables.rbegin(); variable != scope.variables.rend(); ++variable) {
    if (same_name(variable->name, parts[0])) return {variable->expr, 1, false};
  }
  for (std::size_t qualifier = std::min<std::size_t>(3, parts.size() - 1);; --qualifier) {
    Found found = find_column(scope, parts, qualifier);
    if (found.expr) return found;
    if (qualifier == 0) break;
  }
  for (const auto& alias : scope.aliases) {
    if (same_name(alias.name, parts[0])) return {alias.expr, 1, false};
  }
  return {};
}

std::vector<const ScopeColumn*> star_columns(const Scope& scope,
                                             const std::vector<std::string>& qualifier) {
  std::vector<const ScopeColumn*> found;
  if (!scope.columns) return found;
  for (const auto& column : *scope.columns) {
    const bool taken = qualifier.empty() ? !column.hidden
                                         : qualifies(column.qualifier, qualifier, qualifier.size());
    if (taken) found.push_back(&column);
  }
  return found;
}

std::vector<std::string> scope_names(const Scope& scope) {
  std::vector<std::string> names;
  if (scope.columns) {
    for (const auto& column : *scope.columns) names.push_back(column.name);
  }
  for (const auto& alias : scope.aliases) names.push_back(alias.name);
  return names;
}

std::string suggestion(const std::string& wanted, std::vector<std::string> names) {
  if (names.empty() || wanted.size() > 200) return {};
  const std::string target = lower(wanted);
  std::stable_sort(names.begin(), names.end(), [&](const auto& a, const auto& b) {
    return edit_distance(target, lower(a)) < edit_distance(target, lower(b));
  });
  names.erase(std::unique(names.begin(), names.end()), names.end());
  std::string text = " Did you mean one of the following? [";
  for (std::size_t i = 0; i < std::min<std::size_t>(5, names.size()); ++i)
    text += (i ? ", `" : "`") + names[i] + "`";
  return text + "].";
}

}  // namespace tailrace::sql
