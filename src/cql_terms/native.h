// The families of native functions, each in a file of its own.
#pragma once

#include "cql_terms/function.h"

namespace tailrace::cql_terms {

void add_aggregates(NativeFunctions& functions);  // count, min, max, sum, avg
void add_arithmetic(NativeFunctions& functions);  // + - * / %, abs, exp, log, log10, round
void add_collection_functions(NativeFunctions& functions);  // map_keys, collection_sum, …
void add_conversions(NativeFunctions& functions);           // casts, blobs, JSON, token
void add_masks(NativeFunctions& functions);
void add_time_functions(NativeFunctions& functions);  // now, uuid, to_date, floor, …
void add_vector_functions(NativeFunctions& functions);

/// What a parameter of a factory takes, and how its type is found.
struct Parameter {
  enum class Kind : std::uint8_t {
    kFixed,  // one of `types`
    kAny,
    kAnyOrReceiver,  // the receiver's type where the argument has none
    kCollection,
    kSetOrList,
    kNumericSetOrList,
    kMap,
    kFloatVector,
  };
  Kind kind = Kind::kAny;
  std::vector<cql_types::Kind> types = {};
  bool optional = false;
  int same_as = -1;            // another parameter's place: its type where this has none
  bool prefers_other = false;  // … even where this has one

  std::string text() const;
};

using Maker = std::function<Outcome<FunctionPtr>(const std::vector<TypePtr>& arguments,
                                                 const TypePtr& receiver)>;
Factory factory(std::string name, std::vector<Parameter> parameters, Maker make);

/// The accumulators of aggregates over one argument; null where the type has none.
using MakeAccumulator = std::function<std::unique_ptr<Accumulator>()>;
MakeAccumulator min_or_max(const TypePtr& type, bool max);
MakeAccumulator sum_of(cql_types::Kind number);
MakeAccumulator average_of(cql_types::Kind number);

}  // namespace tailrace::cql_terms
