// How alike two vectors of floats are, from 0 to 1.
#include <cmath>

#include "base/bytes.h"
#include "cql_terms/native.h"
#include "cql_terms/number.h"

namespace tailrace::cql_terms {

using cql_types::invalid;
using cql_types::Kind;

namespace {

using Floats = std::vector<float>;

Floats floats_of(std::string_view bytes) {
  Floats out;
  for (std::size_t i = 0; i + 4 <= bytes.size(); i += 4)
    out.push_back(std::bit_cast<float>(load_be<std::uint32_t>(bytes.data() + i)));
  return out;
}

float dot(const Floats& a, const Floats& b) {
  float sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

bool is_zero(const Floats& vector) {
  for (const float value : vector)
    if (value != 0) return false;
  return true;
}

float cosine(const Floats& a, const Floats& b) {
  const double norms = static_cast<double>(dot(a, a)) * static_cast<double>(dot(b, b));
  return (1 + static_cast<float>(static_cast<double>(dot(a, b)) / std::sqrt(norms))) / 2;
}

float euclidean(const Floats& a, const Floats& b) {
  float distance = 0;
  for (std::size_t i = 0; i < a.size(); ++i) distance += (a[i] - b[i]) * (a[i] - b[i]);
  return 1 / (1 + distance);
}

float dot_product(const Floats& a, const Floats& b) {
  return (1 + dot(a, b)) / 2;
}

Factory similarity(const std::string& name, float (*compared)(const Floats&, const Floats&),
                   bool takes_zero) {
  return factory(
      name,
      {{Parameter::Kind::kFloatVector, {}, false, 1},
       {Parameter::Kind::kFloatVector, {}, false, 0}},
      [=](const std::vector<TypePtr>& types, const TypePtr&) -> Outcome<FunctionPtr> {
        if (types[0]->dimension != types[1]->dimension)
          return invalid("All arguments must have the same vector dimensions");
        Function function;
        function.name = name;
        function.arguments = types;
        function.result = native_type(Kind::kFloat);
        function.scalar = [=](std::span<const Part> values, const Bindings&) -> Outcome<Made> {
          if (!values[0] || !values[1]) return std::nullopt;
          const auto a = floats_of(*values[0]), b = floats_of(*values[1]);
          if (a.size() != b.size())
            return invalid("All arguments must have the same vector dimensions");
          if (!takes_zero && (is_zero(a) || is_zero(b)))
            return invalid("Function system." + name + " doesn't support all-zero vectors.");
          return float_bytes(compared(a, b));
        };
        return std::make_shared<const Function>(std::move(function));
      });
}

}  // namespace

void add_vector_functions(NativeFunctions& functions) {
  functions.add(similarity("similarity_cosine", cosine, false));
  functions.add(similarity("similarity_euclidean", euclidean, true));
  functions.add(similarity("similarity_dot_product", dot_product, true));
}

}  // namespace tailrace::cql_terms
