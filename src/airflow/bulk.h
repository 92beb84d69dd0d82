// Several things created, changed and deleted by one request, as Airflow's bulk endpoints do it.
#pragma once

#include <functional>
#include <set>
#include <string>

#include "airflow/call.h"

namespace tailrace::airflow {

struct BulkAction {
  std::string what;  ///< create, update, delete
  std::vector<Json> entities;
  std::vector<std::string> mask;
  std::string on_existence, on_non_existence;  ///< fail, skip, overwrite; empty: not of this action
};

/// Faults of an entity: those of a body.
using CheckEntity = std::function<Answer<void>(const Json& entity, bool is_update)>;
/// Adds to {"success": […], "errors": […]}.
using CarryOut = std::function<void(const BulkAction& action, Json& result)>;

/// Where Airflow reads a body for who may do it, too, it tells each fault twice.
Refusal twice(Refusal refusal);

/// Checks the whole body first (422), then carries its actions out one after the other.
Answer<Reply> bulk(Call& call, const CheckEntity& check, const CarryOut& carry_out,
                   bool faults_twice = true);
/// An error among a result's.
void note(Json& result, const Refusal& refusal);

/// A kind of thing with names. An entity is what a single request's body would be.
struct Bulk {
  std::string name;    ///< the member that has an entity's name
  std::string called;  ///< `variables with these keys`
  std::function<std::set<std::string>()> there;
  CheckEntity check;
  /// Also in the place of one that is there.
  std::function<Answer<void>(const Json& entity)> create;
  /// Of the members in `mask` alone; empty: of all that are given.
  std::function<Answer<void>(const Json& entity, const std::vector<std::string>& mask)> update;
  std::function<Answer<void>(const std::string& name)> drop;
};

/// What is refused after the check stands in the answer beside what was
/// done: an action whose names must (not) be there does all of it or nothing.
Answer<Reply> bulk(Call& call, const Bulk& of);

}  // namespace tailrace::airflow
