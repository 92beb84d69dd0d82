#include "cql_schema/storage_attached.h"

#include <algorithm>

#include "cql_schema/java_order.h"
#include "cql_schema/properties.h"
#include "cql_schema/refusal.h"

namespace tailrace::cql_schema {
namespace {

using cql_types::Kind;
using cql_types::Outcome;
using Target = Index::Target;

constexpr const char* kVectorWarning =
    "SAI ANN indexes on vector columns are experimental and are not recommended for production "
    "use.\n"
    "They don't yet support SELECT queries with:\n"
    " * Consistency level higher than ONE/LOCAL_ONE.\n"
    " * Paging.\n"
    " * No LIMIT clauses.\n"
    " * PER PARTITION LIMIT clauses.\n"
    " * GROUP BY clauses.\n"
    " * Aggregation functions.\n"
    " * Filters on columns without a SAI index.";

bool is_analysis(const std::string& option) {
  return option == "normalize" || option == "case_sensitive" || option == "ascii";
}

std::string options_text(const Options& options) {
  std::string text = "{";
  for (const auto& [name, value] : options) {
    if (text.size() > 1) text += ", ";
    text += fmt::format("'{}': '{}'", name, value);
  }
  return text + "}";
}

bool can_be_term(const cql_types::Type& type) {
  if (cql_types::is_native(type.kind))
    return type.kind != Kind::kBlob && type.kind != Kind::kCounter && type.kind != Kind::kDuration;
  return type.kind != Kind::kCustom && !type.is_multi_cell();
}

// What of the column is looked for.
std::vector<TypePtr> terms(const TypePtr& type, Target target) {
  if (!type->is_multi_cell()) return {type};
  switch (target) {
    case Target::kKeys:
      return {type->parameters[0]};
    case Target::kEntries:
      return type->parameters;
    default:
      return {type->parameters.back()};
  }
}

Outcome<void> check_analysis(const Options& given, const Column& column,
                             const cql_types::Type& term) {
  if (given.empty()) return {};
  if (column.position >= 0)
    return invalid("Analysis options are not supported on primary key columns, but found {}",
                   options_text(given));
  if (term.kind != Kind::kText && term.kind != Kind::kAscii)
    return invalid("CQL type {} cannot be analyzed.", to_cql(term));
  for (const auto& [name, value] : given) {
    const auto word = lower(value);
    if (word != "true" && word != "false" && !value.empty())
      return invalid("Illegal value for boolean option: {} = {}", name, value);
  }
  return {};
}

std::string upper(std::string text) {
  for (char& c : text)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  return text;
}

Outcome<void> check_vector_options(const Options& options, const cql_types::Type& term) {
  const auto has = [&](const char* name) { return options.contains(name); };
  if (!has("maximum_node_connections") && !has("construction_beam_width") &&
      !has("similarity_function") && !has("optimize_for"))
    return {};
  if (term.kind != Kind::kVector)
    return invalid("CQL type {} cannot have vector options", to_cql(term));
  if (has("maximum_node_connections"))
    return invalid(
        "Maximum node connections cannot be set without enabling "
        "SAI_VECTOR_ALLOW_CUSTOM_PARAMETERS");
  if (has("construction_beam_width"))
    return invalid(
        "Construction beam width cannot be set without enabling "
        "SAI_VECTOR_ALLOW_CUSTOM_PARAMETERS");
  if (has("similarity_function")) {
    const auto word = upper(options.at("similarity_function"));
    if (word != "EUCLIDEAN" && word != "DOT_PRODUCT" && word != "COSINE")
      return invalid(
          "Similarity function {} was not recognized for index null. Valid values are: EUCLIDEAN, "
          "DOT_PRODUCT, COSINE",
          word);
  }
  if (has("optimize_for")) {
    const auto word = upper(options.at("optimize_for"));
    if (word != "LATENCY" && word != "RECALL")
      return invalid(
          "optimize_for '{}' was not recognized for index null. Valid values are: LATENCY, RECALL",
          word);
  }
  return {};
}

Outcome<void> check_vector(const Options& options, const cql_types::Type& type) {
  if (type.element().kind != Kind::kFloat)
    return invalid("SAI ANN indexes are only allowed on vector columns with float elements");
  const auto function = options.find("similarity_function");
  const bool cosine = function == options.end() || upper(function->second) == "COSINE";
  if (type.dimension == 1 && cosine)
    return invalid("Cosine similarity is not supported for single-dimension vectors");
  return {};
}

// Options that no index of this kind has.
Outcome<void> check_names(const Options& options) {
  constexpr std::string_view kKnown[] = {"target",
                                         "class_name",
                                         "maximum_node_connections",
                                         "construction_beam_width",
                                         "similarity_function",
                                         "optimize_for",
                                         "case_sensitive",
                                         "normalize",
                                         "ascii"};
  std::vector<std::string> unknown;
  for (const auto& [name, value] : options)
    if (std::find(std::begin(kKnown), std::end(kKnown), name) == std::end(kKnown))
      unknown.push_back(name);
  if (unknown.empty()) return {};
  return misconfigured("Properties specified {} are not understood by StorageAttachedIndex",
                       java_list(java_order(unknown)));
}

}  // namespace

bool is_storage_attached(const std::string& class_name) {
  const auto word = lower(class_name);
  return word == "sai" || word == "storageattachedindex" ||
         class_name == "org.apache.cassandra.index.sai.StorageAttachedIndex";
}

Outcome<void> check_storage_attached(const Index& index, const Table& table,
                                     std::vector<std::string>& warnings) {
  TRY(check_names(index.options));
  const auto& target = index.options.at("target");
  if (target.find(',') != std::string::npos)
    return invalid("A storage-attached index cannot be created over multiple columns: {}", target);
  const int at = table.find(index.column);
  if (at < 0) return invalid("Failed to retrieve target column for: {}", target);
  const auto& column = table.columns[static_cast<std::size_t>(at)];
  for (const auto& other : table.indexes)
    if (other.name != index.name && other.kind == "CUSTOM" &&
        is_storage_attached(other.options.at("class_name")) &&
        other.options.at("target").find(',') == std::string::npos && other.column == index.column &&
        other.target == index.target)
      return invalid("Cannot create more than one storage-attached index on the same column: {}",
                     column.name);
  const auto types = terms(column.type, index.target);
  Options analysis;
  for (const auto& [name, value] : index.options)
    if (is_analysis(name)) analysis[name] = value;
  TRY(check_analysis(analysis, column, *types[0]));
  TRY(check_vector_options(index.options, *types[0]));
  for (const auto& type : types)
    if (!can_be_term(*type)) return invalid("Unsupported type: {}", to_cql(*type));
  if (types[0]->kind != Kind::kVector) return {};
  TRY(check_vector(index.options, *types[0]));
  warnings.emplace_back(kVectorWarning);
  return {};
}

}  // namespace tailrace::cql_schema
