// One DAG of a file: dag-factory's DagBuilder.
#pragma once

#include <memory>

#include "dags/callables.h"
#include "dags/tree.h"

namespace tailrace::dags {

struct Building {
  const Operators& operators;
  Callables& callables;
  Findings& findings;
  calendar::Micros now = 0;
};

/// `config` is the DAG's mapping with the defaults merged in. None after a fatal finding.
std::shared_ptr<const Dag> build_dag(const Node::Key& name, Node config, const Building& building);

}  // namespace tailrace::dags
