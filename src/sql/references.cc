// The relations a statement reads, for the order of a pipeline's graph.
#include <algorithm>

#include "sql/parser.h"
#include "sql/sql.h"

namespace tailrace::sql {
namespace {

class Collector {
 public:
  void query(const Query& query) {
    const std::size_t named = names_.size();
    for (const auto& cte : query.ctes) {
      this->query(*cte.query);
      names_.push_back(cte.name);
    }
    if (query.select && query.select->from) relation(*query.select->from);
    for (const auto& branch : query.branches) this->query(*branch);
    names_.resize(named);
  }

  std::vector<Reference> found;

 private:
  void relation(const Relation& relation) {
    if (relation.kind == Relation::Kind::kJoin) {
      this->relation(*relation.left);
      this->relation(*relation.right);
    } else if (relation.kind == Relation::Kind::kSubquery) {
      query(*relation.query);
    } else {
      const auto& parts = relation.name.parts;
      const bool named = parts.size() == 1 &&
                         std::any_of(names_.begin(), names_.end(),
                                     [&](const auto& name) { return same_name(name, parts[0]); });
      if (!named) found.push_back({relation.name, relation.streaming});
    }
  }

  std::vector<std::string> names_;
};

}  // namespace

std::vector<Reference> references(const Statement& statement) {
  Collector collector;
  if (statement.query) collector.query(*statement.query);
  return std::move(collector.found);
}

}  // namespace tailrace::sql
