#include "staging/rows.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "staging/cells.h"
#include "staging/json_text.h"

namespace tailrace::staging {
namespace {

bool same_letters(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) {
    const auto low = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return low(x) == low(y);
  });
}

std::vector<std::string> key_of(const TableSpec& spec) {
  if (const auto own = own_key(spec)) return {own->name};
  return spec.key;
}

}  // namespace

std::optional<Column> own_key(const TableSpec& spec) {
  if (!spec.key.empty()) return std::nullopt;
  if (spec.record_keys) return Column{std::string(kKeyColumn), Type::kText};
  return Column{std::string(kIdColumn), Type::kBigint};
}

const Column* Layout::find(std::string_view name) const {
  const auto at = std::ranges::find(columns, name, &Column::name);
  return at == columns.end() ? nullptr : &*at;
}

bool Layout::is_key(std::string_view name) const {
  return std::ranges::find(key, name) != key.end();
}

Result<Layout> wanted_layout(const TableSpec& spec, const Layout& present) {
  Layout wanted = present;
  const bool made = !present.columns.empty();
  wanted.key = key_of(spec);
  if (made && present.key != wanted.key)
    return error(Code::kFailedPrecondition,
                 fmt::format("table {} has the key ({}), not ({}): drop it, or give `staging` that "
                             "key or another name",
                             spec.name, fmt::join(present.key, ", "), fmt::join(wanted.key, ", ")));
  if (const auto own = own_key(spec); own && !made) wanted.columns.push_back(*own);
  for (const Column& column : spec.columns) {
    const auto at = std::ranges::find_if(
        wanted.columns, [&](const Column& other) { return same_letters(other.name, column.name); });
    if (at == wanted.columns.end()) {
      wanted.columns.push_back(column);
      continue;
    }
    if (!can_widen(at->type, column.type) ||
        (wanted.is_key(column.name) && column.type == Type::kJson))
      return error(Code::kFailedPrecondition,
                   fmt::format("table {} has the column {} of type {}, which cannot become {}: "
                               "drop it, or give it another name",
                               spec.name, column.name, name(at->type), name(column.type)));
    at->type = column.type;
    at->pointer = column.pointer;
  }
  // Columns of records' members are not known before the first of them.
  if (spec.columns.empty() && !made) wanted.columns.clear();
  return wanted;
}

Batch::Batch(const TableSpec& spec, Layout layout, std::span<const Record> records)
    : spec_(spec), layout_(std::move(layout)) {
  if (layout_.key.empty()) layout_.key = key_of(spec);
  if (const auto own = own_key(spec); own && layout_.columns.empty())
    layout_.columns.push_back(*own);
  for (const Column& column : layout_.columns)
    declared_.push_back(std::ranges::find(spec.columns, column.name, &Column::name) !=
                        spec.columns.end());
  std::vector<Read> reads;
  reads.reserve(records.size());
  for (std::size_t i = 0; i < records.size(); ++i) {
    Result<Raw> raw;
    if (auto whole = check_object(records[i].value); !whole)
      raw = std::unexpected(std::move(whole.error()));
    else
      raw = spec.columns.empty() ? read_members(records[i]) : read_declared(records[i]);
    if (raw)
      reads.push_back({i, std::move(*raw)});
    else
      misfits_.push_back({i, raw.error().what});
  }
  rows_.reserve(reads.size());
  arena_.reserve(reads.size());
  for (const Read& read : reads) make_row(records, read);
  std::ranges::sort(misfits_, {}, &Misfit::record);
}

Result<Batch::Raw> Batch::read_declared(const Record& record) const {
  Raw found;
  // One walk for the members that are columns, and one for each path that goes deeper.
  walk_members(record.value, [&](std::string_view name, std::string_view raw) {
    for (std::size_t i = 0; i < layout_.columns.size(); ++i) {
      const Column& column = layout_.columns[i];
      if (declared_[i] && column.pointer.empty() && column.name == name && raw != "null")
        found.emplace_back(i, raw);
    }
  });
  for (std::size_t i = 0; i < layout_.columns.size(); ++i) {
    const Column& column = layout_.columns[i];
    if (!declared_[i] || column.pointer.empty()) continue;
    const auto raw = at_pointer(record.value, column.pointer);
    if (raw && *raw != "null") found.emplace_back(i, *raw);
  }
  TRY(check_key(record, found, layout_));
  return found;
}

Result<Batch::Raw> Batch::read_members(const Record& record) {
  Raw found;
  // What a record would add is taken back when the record does not fit.
  const std::size_t columns_before = layout_.columns.size();
  std::vector<std::pair<std::size_t, Type>> types_before;
  Status fits;
  std::size_t hint = 0;
  walk_members(record.value, [&](std::string_view name, std::string_view raw) {
    if (!fits || raw == "null") return;
    auto& columns = layout_.columns;
    if (hint >= columns.size() || columns[hint].name != name)
      hint = static_cast<std::size_t>(std::ranges::find(columns, name, &Column::name) -
                                      columns.begin());
    if (hint == columns.size()) {
      fits = take_member(name, raw, layout_, found);
      ++hint;
      return;
    }
    Column& column = columns[hint];
    if (is_own_key(column)) {
      fits = error(Code::kInvalidArgument,
                   fmt::format("its member {} is called as the table's own key column: name the "
                               "columns in `staging`",
                               name));
      return;
    }
    const bool key = layout_.is_key(name);
    const bool scalar_of_key = key && column.type == Type::kText;
    if (!holds(column.type, raw) && !scalar_of_key) {
      types_before.emplace_back(hint, column.type);
      column.type = widened(column.type, type_of(raw), key);
    }
    found.emplace_back(hint++, raw);
  });
  if (fits) fits = check_key(record, found, layout_);
  if (fits) return found;
  layout_.columns.resize(columns_before);
  for (auto it = types_before.rbegin(); it != types_before.rend(); ++it)
    if (it->first < columns_before) layout_.columns[it->first].type = it->second;
  return std::unexpected(std::move(fits.error()));
}

bool Batch::is_own_key(const Column& column) const {
  return spec_.key.empty() && layout_.is_key(column.name);
}

/// A member that the table has no column for yet.
Status Batch::take_member(std::string_view name, std::string_view raw, Layout& grown,
                          Raw& found) const {
  const auto fail = [&](std::string_view why) {
    return error(Code::kInvalidArgument,
                 fmt::format("its member {} can be no column: {}; name the columns in `staging`",
                             name.substr(0, kMaxNameBytes), why));
  };
  if (name.empty() || name.find('\0') != std::string_view::npos) return fail("it has no name");
  if (name.size() > kMaxNameBytes)
    return fail(fmt::format("its name has more than {} bytes", kMaxNameBytes));
  if (grown.columns.size() >= kMaxColumns)
    return fail(fmt::format("the table has {} columns", kMaxColumns));
  for (const Column& column : grown.columns)
    if (same_letters(column.name, name))
      return fail(fmt::format("there is {}, and capitals alone make no difference", column.name));
  found.emplace_back(grown.columns.size(), raw);
  grown.columns.push_back({std::string(name), type_of(raw)});
  return {};
}

Status Batch::check_key(const Record& record, const Raw& raw, const Layout& layout) const {
  if (spec_.key.empty()) {
    if (spec_.record_keys && !record.key) return error(Code::kInvalidArgument, "it has no key");
    return {};
  }
  for (const std::string& name : spec_.key) {
    const auto at = std::ranges::find_if(
        raw, [&](const auto& one) { return layout.columns[one.first].name == name; });
    if (at == raw.end())
      return error(Code::kInvalidArgument, fmt::format("it has no key: {} is missing", name));
    if (at->second.front() == '{' || at->second.front() == '[')
      return error(Code::kInvalidArgument,
                   fmt::format("its key {} is an object or a list, no single value", name));
  }
  return {};
}

void Batch::make_row(std::span<const Record> records, const Read& read) {
  Row row{read.record, std::vector<std::optional<std::string_view>>(layout_.columns.size())};
  std::string text;
  std::vector<std::pair<std::size_t, std::pair<std::size_t, std::size_t>>> places;
  for (const auto& [column, raw] : read.raw) {
    const std::size_t begin = text.size();
    const Column& to = layout_.columns[column];
    if (auto fits = append_cell(text, to.type, raw); !fits) {
      misfits_.push_back({read.record, fmt::format("{}: {}", to.name, fits.error().what)});
      return;
    }
    places.push_back({column, {begin, text.size() - begin}});
  }
  arena_.push_back(std::move(text));
  for (const auto& [column, place] : places)
    row.cells[column] = std::string_view(arena_.back()).substr(place.first, place.second);
  if (spec_.key.empty() && spec_.record_keys) {
    const std::string_view key = *records[read.record].key;
    if (key.find('\0') != std::string_view::npos) {
      misfits_.push_back({read.record, "its key has a NUL character, which no column holds"});
      return;
    }
    for (std::size_t i = 0; i < layout_.columns.size(); ++i)
      if (is_own_key(layout_.columns[i])) row.cells[i] = key;
  }
  rows_.push_back(std::move(row));
}

}  // namespace tailrace::staging
