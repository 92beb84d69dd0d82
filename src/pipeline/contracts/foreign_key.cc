#include "pipeline/contracts/foreign_key.h"

#include <fmt/format.h>

#include <vector>

#include "pipeline/contracts/rules.h"
#include "pipeline/names.h"

namespace tailrace::pipeline {
namespace {

std::vector<std::string> references_in(const YAML::Node& node) {
  std::vector<std::string> references;
  if (node && node.IsScalar()) references.push_back(node.Scalar());
  if (node && node.IsSequence())
    for (const auto& one : node) references.push_back(one.IsScalar() ? one.Scalar() : "");
  return references;
}

std::string name_of(const YAML::Node& node) {
  return node.IsMap() && node["name"] && node["name"].IsScalar() ? node["name"].Scalar() : "";
}

/// A property of an object of the contract, as a column in SQL; "" where there is none.
std::string property_column(const YAML::Node& object, std::string_view name) {
  for (const auto& property : object["properties"])
    if (same_name(name_of(property), name)) return quoted_column(data_name(property));
  return "";
}

/// The object's own columns that `from` names.
Result<std::vector<std::string>> referring(const YAML::Node& object, const YAML::Node& from) {
  std::vector<std::string> columns;
  for (const std::string& text : references_in(from)) {
    const std::string own = name_of(object) + ".";
    const std::string name = text.starts_with(own) ? text.substr(own.size()) : text;
    columns.push_back(property_column(object, name));
    if (columns.back().empty())
      return error(Code::kInvalidArgument, fmt::format("the object has no property `{}`", name));
  }
  return columns;
}

struct Referred {
  std::string table;
  std::vector<std::string> columns;
};

/// The table and columns that `to` names.
Result<Referred> referred(const YAML::Node& contract, const YAML::Node& to) {
  const auto refuse = [](const std::string& why) { return error(Code::kInvalidArgument, why); };
  Referred found;
  for (const std::string& text : references_in(to)) {
    const auto dot = text.find('.');
    if (dot == std::string::npos || text.find('/') != std::string::npos)
      return refuse(fmt::format("`{}` is looked for by object.property alone", text));
    const std::string name = text.substr(0, dot);
    std::string table, column;
    for (const auto& object : contract["schema"])
      if (same_name(name_of(object), name)) {
        table = data_name(object);
        column = property_column(object, text.substr(dot + 1));
      }
    if (table.empty()) return refuse(fmt::format("the contract has no object `{}`", name));
    if (column.empty()) return refuse(fmt::format("there is no property `{}`", text));
    if (!found.table.empty() && found.table != table)
      return refuse("`to` names columns of several objects");
    found.table = table;
    found.columns.push_back(column);
  }
  return found;
}

}  // namespace

Result<std::string> foreign_key_query(const ForeignKeyOf& of, const YAML::Node& relationship) {
  std::vector<std::string> from = {of.column};
  if (of.column.empty()) {
    ASSIGN(from, referring(of.object, relationship["from"]));
  }
  ASSIGN(const Referred to, referred(of.contract, relationship["to"]));
  if (from.empty() || from.size() != to.columns.size())
    return error(Code::kInvalidArgument, "`from` and `to` are of different length");
  std::string keys, matches, there;
  for (std::size_t i = 0; i < from.size(); ++i) {
    keys += fmt::format("{} AS k{}, ", to.columns[i], i);
    matches += fmt::format("{}c.{} = p.k{}", i == 0 ? "" : " AND ", from[i], i);
    there += fmt::format("c.{} IS NOT NULL AND ", from[i]);
  }
  return fmt::format(
      "SELECT count(*) FROM {} AS c LEFT JOIN (SELECT DISTINCT {}1 AS found FROM {}) AS p ON {} "
      "WHERE {}p.found IS NULL",
      quoted_column(of.relation), keys, quoted_column(to.table), matches, there);
}

}  // namespace tailrace::pipeline
