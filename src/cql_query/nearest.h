// ORDER BY … ANN OF: how near the vectors of rows are to the one asked for, by the similarity of
// their index. All rows are compared: the answer is exact.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cql_query/restrictions.h"
#include "cql_schema/schema.h"

namespace tailrace::cql_query {

struct Nearest {
  enum class Similarity : std::uint8_t { kCosine, kDotProduct, kEuclidean };

  int column = -1;
  cql_terms::TermPtr vector;
  Similarity similarity = Similarity::kCosine;
};

/// What the index of a column compares by.
Nearest::Similarity similarity_of(const cql_schema::Index& index);

/// The vector asked for, bound.
class NearestTo {
 public:
  static Outcome<NearestTo> bind(const Nearest& nearest, const cql_schema::Table& table,
                                 const Bindings& bindings);

  /// A key that orders the nearest first; empty for a vector that has no distance.
  std::string key_of(std::string_view vector) const;

 private:
  Nearest::Similarity similarity_{};
  std::vector<float> asked_;
};

}  // namespace tailrace::cql_query
