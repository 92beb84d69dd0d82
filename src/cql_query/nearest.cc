#include "cql_query/nearest.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/bytes.h"

namespace tailrace::cql_query {
namespace {

using cql_types::invalid;
using Similarity = Nearest::Similarity;

std::vector<float> floats_of(std::string_view bytes) {
  std::vector<float> all(bytes.size() / sizeof(float));
  for (std::size_t i = 0; i < all.size(); ++i)
    all[i] = std::bit_cast<float>(load_be<std::uint32_t>(bytes.data() + i * sizeof(float)));
  return all;
}

bool is_zero(const std::vector<float>& vector) {
  return std::ranges::all_of(vector, [](float one) { return one == 0; });
}

}  // namespace

Similarity similarity_of(const cql_schema::Index& index) {
  const auto given = index.options.find("similarity_function");
  if (given == index.options.end()) return Similarity::kCosine;
  std::string name = given->second;
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
  if (name == "euclidean") return Similarity::kEuclidean;
  return name == "dot_product" ? Similarity::kDotProduct : Similarity::kCosine;
}

Outcome<NearestTo> NearestTo::bind(const Nearest& nearest, const cql_schema::Table& table,
                                   const Bindings& bindings) {
  const auto& column = table.columns[static_cast<std::size_t>(nearest.column)];
  ASSIGN(const auto value, nearest.vector->bind(bindings));
  if (value.is_null()) return invalid("Unsupported null value for column " + column.name);
  if (value.is_unset()) return invalid("Unsupported unset value for column " + column.name);
  NearestTo made;
  made.similarity_ = nearest.similarity;
  made.asked_ = floats_of(value.bytes);
  if (nearest.similarity == Similarity::kCosine && is_zero(made.asked_))
    return invalid("Zero vectors cannot be indexed or queried with cosine similarity");
  return made;
}

std::string NearestTo::key_of(std::string_view vector) const {
  const auto other = floats_of(vector);
  if (other.size() != asked_.size()) return {};
  double product = 0, square = 0, own_square = 0, distance = 0;
  for (std::size_t i = 0; i < other.size(); ++i) {
    const double a = asked_[i], b = other[i];
    product += a * b;
    own_square += a * a;
    square += b * b;
    distance += (a - b) * (a - b);
  }
  double near = 0;
  switch (similarity_) {
    case Similarity::kCosine:
      if (square == 0) return {};
      near = product / std::sqrt(own_square) / std::sqrt(square);
      break;
    case Similarity::kDotProduct:
      near = product;
      break;
    case Similarity::kEuclidean:
      near = -distance;
  }
  if (std::isnan(near)) return {};
  // The bits of a double, which order as numbers do once those below zero are inverted.
  auto bits = std::bit_cast<std::uint64_t>(-near);
  bits = (bits >> 63U) != 0 ? ~bits : bits | 1ULL << 63U;
  std::string key;
  append_be(key, bits);
  return key;
}

}  // namespace tailrace::cql_query
