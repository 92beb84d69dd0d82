// A contract's foreign keys as queries: how many rows have a key that is in no row of the table
// they refer to. Rows with a null in their key refer to nothing.
#pragma once

#include <string>

#include "base/result.h"
#include "yaml/file.h"

namespace tailrace::pipeline {

/// Of whom a relationship is.
struct ForeignKeyOf {
  YAML::Node contract, object;
  std::string relation;  ///< the object's, in SQL
  std::string column;    ///< SQL of the property that it is of; "" where `from` names them
};

/// A query of one number. kInvalidArgument: why it cannot be asked; references are followed as
/// object.property within the contract.
Result<std::string> foreign_key_query(const ForeignKeyOf& of, const YAML::Node& relationship);

}  // namespace tailrace::pipeline
