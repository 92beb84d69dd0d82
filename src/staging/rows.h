// Records as rows of a table: which columns they need, and their cells.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "staging/staging.h"

namespace tailrace::staging {

/// The columns of a table as it is; empty: it is not there.
struct Layout {
  std::vector<Column> columns = {};
  std::vector<std::string> key = {};  ///< of them

  const Column* find(std::string_view name) const;
  bool is_key(std::string_view name) const;
};

/// `_key` or `_id`, where `spec` names no key.
std::optional<Column> own_key(const TableSpec& spec);

/// The layout that `spec` wants of a table that is as `present`: more columns, wider types.
/// kFailedPrecondition names the column of another type, or the key that is another.
Result<Layout> wanted_layout(const TableSpec& spec, const Layout& present);

struct Row {
  std::size_t record = 0;  ///< in the batch
  /// By the layout's columns: the cell's text (append_cell), none is NULL.
  std::vector<std::optional<std::string_view>> cells;
};

/// A batch of records read: rows in the records' order, what the table must become for them, and
/// what fits nowhere.
class Batch {
 public:
  /// `layout`: the table's, which grows where `spec` has no columns.
  Batch(const TableSpec& spec, Layout layout, std::span<const Record> records);
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

  const Layout& layout() const { return layout_; }
  const std::vector<Row>& rows() const { return rows_; }
  const std::vector<Misfit>& misfits() const { return misfits_; }

 private:
  using Raw = std::vector<std::pair<std::size_t, std::string_view>>;  // column, value
  struct Read {
    std::size_t record;
    Raw raw;
  };
  Result<Raw> read_declared(const Record& record) const;
  Result<Raw> read_members(const Record& record);
  bool is_own_key(const Column& column) const;
  Status take_member(std::string_view name, std::string_view raw, Layout& grown, Raw& found) const;
  Status check_key(const Record& record, const Raw& raw, const Layout& layout) const;
  void make_row(std::span<const Record> records, const Read& read);

  const TableSpec& spec_;
  Layout layout_;
  std::vector<bool> declared_;  // of the layout's columns: those that `spec` names
  std::vector<Row> rows_;
  std::vector<Misfit> misfits_;
  std::vector<std::string> arena_;  // one text a row, which its cells look into
};

}  // namespace tailrace::staging
