// Whether a project keeps its contracts: their objects against topics and tables, their columns
// against schemas and SQL, primary keys against served keys, retention against the topic's.
#pragma once

#include <vector>

#include "pipeline/graph.h"

namespace tailrace::pipeline {

struct Finding {
  enum class Level {
    kError,    ///< the project does not give what the contract says: it does not run
    kWarning,  ///< it may not
    kKept,     ///< part of the contract that is kept and shown, and not looked after
  };
  Level level = Level::kError;
  std::string what;  ///< "contracts/orders.yml:12:9: …"
};

/// In the order of the contracts.
std::vector<Finding> contract_findings(const Project& project, const Graph& graph);

/// kInvalidArgument with all errors among the findings, a line each.
Status check_contracts(const Project& project, const Graph& graph);

/// The rules of the tables' contracts become expectations of the statements that make them. Errors
/// name the contract's place.
Status add_contract_rules(const Project& project, std::vector<sql::Statement>& statements);

/// A topic's rules as expectations of its relation.
Result<std::vector<sql::ExpectationClause>> topic_rules(const Project& project,
                                                        const std::string& topic);

/// A topic's rules, bound to the columns of its relation.
Result<std::vector<engine::Expectation>> topic_expectations(const Project& project,
                                                            const TopicRelation& topic);

/// One line of a contract for people: title, status, owner, what it is of, how many rules.
std::string contract_line(const Contract& contract);
/// "latency 4 d of orders.created".
std::string level_text(const ServiceLevel& level);

}  // namespace tailrace::pipeline
