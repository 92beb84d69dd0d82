// What a contract asks of single rows, as SQL conditions: `required`, primary keys,
// logicalTypeOptions, and the quality rules that count rows and allow none. What it asks of all
// rows of a table together (rowCount, duplicateValues, `unique`, limits above zero) are measures.
//
// Only TRUE holds, as in any expectation; a null passes all but `required`, nullValues and
// missingValues. What is neither is kept, and the rule says why.
#pragma once

#include "pipeline/contracts/contract.h"
#include "pipeline/contracts/measures.h"
#include "yaml/file.h"

namespace tailrace::pipeline {

/// An object's rules, `required` and key columns first. `file` is checked by the standard;
/// `relation` is the object's relation in SQL, `row` what is before its columns' names ("" or
/// "`value`.").
struct RulesOf {
  const yaml::File& file;
  YAML::Node contract, object;
  std::string relation, row;
};
std::vector<ContractRule> make_rules(const RulesOf& of);

/// Of the same object; a topic has none. Contract, version and table are the caller's to say.
std::vector<Measure> make_measures(const RulesOf& of);

/// A name in backticks.
std::string quoted_column(std::string_view name);

/// A property's name in the data: physicalName, else name.
std::string data_name(const YAML::Node& node);

/// A rule of type sql that counts rows of its own table alone, `SELECT count(*) FROM table WHERE
/// condition`: the condition; "" for any other query.
std::string counted_rows(const std::string& query, std::string_view relation);

}  // namespace tailrace::pipeline
