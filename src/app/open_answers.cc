#include "app/open_answers.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "console/arrow_rows.h"

namespace tailrace::app {
namespace {

constexpr std::size_t kOpen = 4;
constexpr std::chrono::minutes kKept{2};

std::int64_t size_of(const pipeline::QueryResult& result) {
  std::int64_t rows = 0;
  for (const Batch& batch : result.rows) rows += batch->num_rows();
  return rows;
}

/// "ID:ROW"; nullopt for anything else.
std::optional<std::pair<std::int64_t, std::int64_t>> parse_next(std::string_view next) {
  std::int64_t id = 0, row = 0;
  const char* const end = next.data() + next.size();
  const auto [colon, bad_id] = std::from_chars(next.data(), end, id);
  if (bad_id != std::errc() || colon == end || *colon != ':') return std::nullopt;
  const auto [rest, bad_row] = std::from_chars(colon + 1, end, row);
  if (bad_row != std::errc() || rest != end || row < 0) return std::nullopt;
  return std::pair(id, row);
}

}  // namespace

console::Rows OpenAnswers::rows_from(const Open& open, std::int64_t first) {
  console::Rows rows;
  rows.columns = console::columns_of(open.result.schema);
  rows.truncated = open.result.truncated;
  rows.notes = open.result.notes;
  std::int64_t skip = first, left = console::kQueryRows;
  for (const Batch& batch : open.result.rows) {
    const std::int64_t begin = std::min(skip, batch->num_rows());
    const std::int64_t some = std::min(left, batch->num_rows() - begin);
    console::append_rows(batch->Slice(begin, some), rows);
    skip -= begin, left -= some;
  }
  const std::int64_t after = first + console::kQueryRows;
  if (after < size_of(open.result)) rows.next = fmt::format("{}:{}", open.id, after);
  return rows;
}

console::Rows OpenAnswers::begin(pipeline::QueryResult result) {
  const std::lock_guard lock(mutex_);
  forget_old();
  Open open{++last_id_, std::move(result), std::chrono::steady_clock::now()};
  console::Rows rows = rows_from(open, 0);
  if (rows.next.empty()) return rows;
  open_.push_back(std::move(open));
  if (open_.size() > kOpen) open_.pop_front();
  return rows;
}

Result<console::Rows> OpenAnswers::page(std::string_view next) {
  const std::lock_guard lock(mutex_);
  forget_old();
  const auto place = parse_next(next);
  if (!place) return error(Code::kInvalidArgument, "next must be `next` of the page before");
  const auto found = std::ranges::find(open_, place->first, &Open::id);
  if (found == open_.end())
    return error(Code::kNotFound, "the answer is no longer kept: run the query again");
  console::Rows rows = rows_from(*found, place->second);
  found->asked = std::chrono::steady_clock::now();
  open_.splice(open_.end(), open_, found);
  if (rows.next.empty()) open_.pop_back();
  return rows;
}

void OpenAnswers::forget_old() {
  const auto before = std::chrono::steady_clock::now() - kKept;
  std::erase_if(open_, [&](const Open& open) { return open.asked < before; });
}

}  // namespace tailrace::app
