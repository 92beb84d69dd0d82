// The reading of a SELECT.
#include "cql_query/select_rows.h"

#include "cql_query/paging.h"
#include "cql_query/row_reader.h"
#include "cql_query/select_results.h"

namespace tailrace::cql_query {

using cql_protocol::Answer;

Outcome<Answer> select_rows(const SelectPlan& plan, const Source& source, const Bindings& bindings,
                            std::int64_t now_seconds, const Limits& limits,
                            std::optional<std::string_view> paging_state) {
  std::optional<PagingState> from;
  if (paging_state && limits.page) {
    ASSIGN(from, decode_paging_state(*paging_state, plan.table->number.value));
  }
  Results results(plan, bindings, now_seconds, limits, from);
  TRY(results.begin());
  RowReader reader(plan, bindings, now_seconds, from, results);
  TRY(reader.prepare());
  if (source.rows != nullptr) {
    TRY(reader.read(*source.rows));
  } else if (source.foreign != nullptr) {
    TRY(reader.read(*source.foreign));
  } else {
    TRY(reader.read(*source.store, source.indexes));
  }
  return results.finish();
}

}  // namespace tailrace::cql_query
