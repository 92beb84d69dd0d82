// Several things created, changed and deleted by one request, as Airflow's bulk endpoints do it.
#pragma once

#include <functional>
#include <set>
#include <string>

#include "airflow/call.h"

namespace tailrace::airflow {

/// A kind of thing with names. An entity is what a single request's body would be.
struct Bulk {
  std::string name;    ///< the member that has an entity's name
  std::string called;  ///< `variables with these keys`
  std::function<std::set<std::string>()> there;
  /// Faults of an entity: those of a body.
  std::function<Answer<void>(const Json& entity, bool is_update)> check;
  /// Also in the place of one that is there.
  std::function<Answer<void>(const Json& entity)> create;
  /// Of the members in `mask` alone; empty: of all that are given.
  std::function<Answer<void>(const Json& entity, const std::vector<std::string>& mask)> update;
  std::function<Answer<void>(const std::string& name)> drop;
};

/// Checks the whole body first (422). What is refused later stands in the answer beside what was
/// done: an action whose names must (not) be there does all of it or nothing.
Answer<Reply> bulk(Call& call, const Bulk& of);

}  // namespace tailrace::airflow
