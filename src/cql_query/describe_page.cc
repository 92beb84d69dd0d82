// Pages of DESCRIBE: the description is made anew for each, and a state says how far they are.
#include "cql_query/describe_page.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "cql_types/parts.h"

namespace tailrace::cql_query {
namespace {

using cql_protocol::Answer;
using cql_types::Outcome;

constexpr std::string_view kMagic = "TD\x01";

std::string state_of(std::string_view schema_version, std::size_t next_row) {
  std::string state(kMagic);
  state += schema_version;
  append_be(state, std::uint64_t{next_row});
  return state;
}

Outcome<std::size_t> next_row(std::string_view state, std::string_view schema_version) {
  if (!state.starts_with(kMagic) ||
      state.size() != kMagic.size() + schema_version.size() + sizeof(std::uint64_t))
    return cql_types::invalid("Incompatible paging state");
  state.remove_prefix(kMagic.size());
  if (!state.starts_with(schema_version)) {
    return cql_types::invalid(
        "The schema has changed since the previous page of the DESCRIBE statement result. Please "
        "retry the DESCRIBE statement.");
  }
  return load_be<std::uint64_t>(state.data() + schema_version.size());
}

}  // namespace

Outcome<Answer> describe_page(const cql_schema::Description& description,
                              std::string_view schema_version, const DescribePage& page) {
  std::size_t first = 0;
  if (page.state) {
    ASSIGN(first, next_row(*page.state, schema_version));
  }
  first = std::min(first, description.rows.size());
  std::size_t count = description.rows.size() - first;
  cql_protocol::Rows rows;
  if (page.size > 0 && count >= static_cast<std::size_t>(page.size)) {
    count = static_cast<std::size_t>(page.size);
    rows.paging_state = state_of(schema_version, first + count);
  }
  auto columns = std::make_shared<std::vector<cql_protocol::ColumnSpec>>();
  for (std::size_t i = 0; i < description.columns.size(); ++i)
    columns->push_back({"system", "describe", description.columns[i], description.types[i]});
  rows.columns = std::move(columns);
  rows.count = static_cast<std::int32_t>(count);
  for (std::size_t at = first; at < first + count; ++at)
    for (const auto& value : description.rows[at])
      cql_types::append_part(rows.content, value ? cql_types::Part(*value) : cql_types::Part());
  return Answer{std::move(rows), {}};
}

}  // namespace tailrace::cql_query
