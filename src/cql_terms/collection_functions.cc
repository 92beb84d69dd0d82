// Functions of one collection: its keys, values and size, the least, greatest, sum and average of
// its elements.
#include "base/bytes.h"
#include "cql_terms/native.h"
#include "cql_terms/prepared.h"

namespace tailrace::cql_terms {

using cql_types::CollectionReader;
using cql_types::Kind;
using cql_types::native_type;

namespace {

FunctionPtr of_collection(const std::string& name, const TypePtr& type, TypePtr result,
                          Function::Scalar scalar) {
  Function function;
  function.name = name;
  function.arguments = {type};
  function.result = std::move(result);
  function.scalar = std::move(scalar);
  return std::make_shared<const Function>(std::move(function));
}

// The keys (0) or the values (1) of a map.
Factory half_of_map(const std::string& name, std::size_t half) {
  return factory(name, {{Parameter::Kind::kMap}},
                 [=](const std::vector<TypePtr>& types, const TypePtr&) -> Outcome<FunctionPtr> {
                   const auto& part = types[0]->parameters[half];
                   const auto result =
                       half == 0 ? cql_types::set_of(part, true) : cql_types::list_of(part, true);
                   return of_collection(
                       name, types[0], result,
                       [=](std::span<const Part> values, const Bindings&) -> Outcome<Made> {
                         if (!values[0]) return std::nullopt;
                         std::vector<Part> parts;
                         CollectionReader reader(*values[0], 2);
                         std::size_t i = 0;
                         for (Part read; reader.next(read); ++i)
                           if (i % 2 == half) parts.push_back(read);
                         return pack(*result, parts);
                       });
                 });
}

Factory count() {
  return factory("collection_count", {{Parameter::Kind::kCollection}},
                 [](const std::vector<TypePtr>& types, const TypePtr&) -> Outcome<FunctionPtr> {
                   return of_collection(
                       "collection_count", types[0], native_type(Kind::kInt),
                       [](std::span<const Part> values, const Bindings&) -> Outcome<Made> {
                         if (!values[0]) return std::nullopt;
                         std::string out;
                         append_be(out, CollectionReader(*values[0], 1).size());
                         return out;
                       });
                 });
}

using OfElement = MakeAccumulator (*)(const TypePtr& element);

Factory of_elements(const std::string& name, Parameter::Kind parameter, OfElement accumulator_of) {
  return factory(name, {{parameter}},
                 [=](const std::vector<TypePtr>& types, const TypePtr&) -> Outcome<FunctionPtr> {
                   const auto element = types[0]->parameters[0];
                   const auto make = accumulator_of(element);
                   return of_collection(
                       name, types[0], element,
                       [=](std::span<const Part> values, const Bindings&) -> Outcome<Made> {
                         if (!values[0]) return std::nullopt;
                         const auto accumulator = make();
                         CollectionReader reader(*values[0], 1);
                         for (Part part; reader.next(part);) TRY(accumulator->add(part));
                         return accumulator->take();
                       });
                 });
}

}  // namespace

void add_collection_functions(NativeFunctions& functions) {
  functions.add(half_of_map("map_keys", 0));
  functions.add(half_of_map("map_values", 1));
  functions.add(count());
  functions.add(of_elements("collection_min", Parameter::Kind::kSetOrList,
                            [](const TypePtr& type) { return min_or_max(type, false); }));
  functions.add(of_elements("collection_max", Parameter::Kind::kSetOrList,
                            [](const TypePtr& type) { return min_or_max(type, true); }));
  functions.add(of_elements("collection_sum", Parameter::Kind::kNumericSetOrList,
                            [](const TypePtr& type) { return sum_of(type->kind); }));
  functions.add(of_elements("collection_avg", Parameter::Kind::kNumericSetOrList,
                            [](const TypePtr& type) { return average_of(type->kind); }));
}

}  // namespace tailrace::cql_terms
