// Data contracts: files of the Open Data Contract Standard 3 (Bitol) in the project's folder
// `contracts/`, as data.
//
// A contract's schema objects are bound to a topic or a table of the project by physicalName, else
// name. Their columns are compared with what the project has (agreement.h); what they ask of rows
// are rules, which become expectations of the table or topic (rules.h). The rest is kept and shown.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/plan.h"

namespace tailrace::pipeline {

struct Project;

struct ContractColumn {
  std::string name;                         ///< physicalName, else name; "" for the items of a list
  std::string logical_type, physical_type;  ///< "" where the contract does not say
  bool required = false;                    ///< never null; a primary key is, too
  bool unique = false;
  int key_position = 0;                     ///< from 1, in the primary key; 0: not of it
  std::vector<ContractColumn> fields = {};  ///< of an object
  std::vector<ContractColumn> items = {};   ///< of an array: one, or none
  std::string place;
};

/// What a row is held to.
struct ContractRule {
  std::string name;  ///< the expectation's: the rule's id or name, else COLUMN_required …
  std::string condition = {};  ///< SQL that is true for a good row; "": the rule is kept only
  engine::Expectation::Action action = engine::Expectation::Action::kWarn;
  std::string kept = {};  ///< what of the rule is not evaluated and why; "" when it all is
  std::string place;      ///< file:line:column
};

struct ContractObject {
  std::string name;  ///< as the contract calls it
  bool is_topic = false;
  std::string target;  ///< the topic, or the table
  std::vector<ContractColumn> columns = {};
  std::vector<ContractRule> rules = {};
  std::string place;
};

/// A promise about the whole: latency, retention, availability …
struct ServiceLevel {
  std::string property, value, unit;
  std::string element;  ///< OBJECT.COLUMN, several by commas; "": of all objects
  std::string driver;
  std::string place;
};

struct Contract {
  std::string file;  ///< as messages show it
  std::string id, name, version, status, domain;
  std::string owner;  ///< the team, or those of it who are owners; "" where nobody is named
  std::vector<ContractObject> objects = {};
  std::vector<ServiceLevel> levels = {};

  /// id and version, for messages: "orders 1.2.0".
  std::string title() const { return (name.empty() ? id : name) + " " + version; }
};

/// The files contracts/*.yml, *.yaml and *.json of a project whose topics are read. All that is
/// against the standard is one kInvalidArgument, a line each: file:line:column and the nearest key.
Result<std::vector<Contract>> load_contracts(const Project& project);

/// The rules of the contracts of a table, or of a topic.
std::vector<const ContractRule*> contract_rules(const Project& project, bool topic,
                                                std::string_view target);

}  // namespace tailrace::pipeline
