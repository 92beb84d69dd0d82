// Rows in and out of the store; see the header for their bytes.
#include "table/keyed_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <unordered_set>

#include "base/check.h"
#include "base/hex.h"
#include "columns/byte_order.h"
#include "columns/widening.h"

namespace tailrace::table {
namespace {

constexpr std::size_t kVersionBytes = 4;
constexpr std::uint32_t kHasNote = 1U << 31;
constexpr char kNoteFlag = static_cast<char>(kHasNote >> 24);  ///< in a version's last byte
using NoteSize = std::uint32_t;

/// The note at the end of a stored row; empty when it has none.
std::string_view note_of(std::string_view stored) {
  std::uint32_t version = 0;
  NoteSize size = 0;
  if (stored.size() < kVersionBytes + sizeof size) return {};
  std::memcpy(&version, stored.data(), sizeof version);
  if ((version & kHasNote) == 0) return {};
  const std::string_view before = stored.substr(0, stored.size() - sizeof size);
  std::memcpy(&size, before.end(), sizeof size);
  return before.substr(before.size() - std::min<std::size_t>(size, before.size() - kVersionBytes));
}

void add_note(std::string_view note, std::string& value) {
  const auto size = static_cast<NoteSize>(note.size());
  value.append(note).append(reinterpret_cast<const char*>(&size), sizeof size);
}

Result<std::string> from_hex(std::string_view text) {
  const auto digit = [](char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
  };
  std::string bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    const int high = digit(text[i]);
    const int low = digit(text[i + 1]);
    if (high < 0 || low < 0) return error(Code::kInvalidArgument, "page token: not one of ours");
    bytes += static_cast<char>(high * 16 + low);
  }
  if (text.size() % 2 != 0) return error(Code::kInvalidArgument, "page token: not one of ours");
  return bytes;
}

/// One value as text in the type of `field`, as an array of one.
Result<Array> parse_value(const arrow::Field& field, const std::string& text) {
  const auto bad = [&] {
    return error(Code::kInvalidArgument,
                 fmt::format("key column {}: '{}' is not a {}", field.name(), text,
                             spark_name(*field.type())));
  };
  std::shared_ptr<arrow::Scalar> scalar;
  if (field.type()->id() == arrow::Type::DECIMAL128) {
    const auto& type = static_cast<const arrow::Decimal128Type&>(*field.type());
    arrow::Decimal128 value;
    std::int32_t precision = 0;
    std::int32_t scale = 0;
    if (!arrow::Decimal128::FromString(text, &value, &precision, &scale).ok()) return bad();
    const auto scaled = value.Rescale(scale, type.scale());
    if (!scaled.ok() || !scaled->FitsInPrecision(type.precision())) return bad();
    scalar = std::make_shared<arrow::Decimal128Scalar>(*scaled, field.type());
  } else {
    auto parsed = arrow::Scalar::Parse(field.type(), text);
    if (!parsed.ok()) return bad();
    scalar = *parsed;
  }
  return from_arrow(arrow::MakeArrayFromScalar(*scalar, 1));
}

/// Rows in the order of their keys, equal keys as they came: the store takes sorted keys in half
/// the time.
std::vector<std::int64_t> rows_by_key(const EncodedRows& keys) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(keys.size()));
  std::iota(order.begin(), order.end(), 0);
  sort_by_bytes(order, [&](std::int64_t row) { return keys[row]; });
  return order;
}

}  // namespace

/// Decodes stored rows in order, whatever version each was written in.
class KeyedTable::RowReader {
 public:
  explicit RowReader(const KeyedTable& table) : table_(table) {}

  Status append(std::string_view stored) {
    std::uint32_t version = 0;
    if (stored.size() < kVersionBytes) return damaged();
    std::memcpy(&version, stored.data(), kVersionBytes);
    version &= ~kHasNote;
    if (version == 0 || version > table_.history_.size()) return damaged();
    if (decoder_ && version != version_) TRY(flush());
    if (!decoder_) {
      version_ = version;
      decoder_.emplace(table_.history_[version - 1]);
    }
    decoder_->append(stored.substr(kVersionBytes));
    ++rows_;
    return {};
  }
  std::int64_t rows() const { return rows_; }

  Result<Batch> finish() {
    if (decoder_) TRY(flush());
    rows_ = 0;
    if (parts_.empty()) return from_arrow(arrow::RecordBatch::MakeEmpty(table_.schema_.columns));
    std::vector<Batch> parts = std::exchange(parts_, {});
    if (parts.size() == 1) return parts.front();
    return from_arrow(arrow::ConcatenateRecordBatches(parts));
  }

 private:
  Status flush() {
    ASSIGN(Batch rows, decoder_->finish());
    ASSIGN(rows, widened_rows(rows, table_.schema_.columns));
    parts_.push_back(std::move(rows));
    decoder_.reset();
    return {};
  }
  Status damaged() const {
    return error(Code::kDataLoss, "table " + table_.schema_.name + ": a stored row is damaged");
  }

  const KeyedTable& table_;
  std::optional<RowDecoder> decoder_;
  std::uint32_t version_ = 0;
  std::int64_t rows_ = 0;
  std::vector<Batch> parts_;
};

KeyedTable::KeyedTable(kv::Store& store, TableId id, TableSchema schema,
                       std::vector<Schema> history)
    : store_(store), id_(id), schema_(std::move(schema)), history_(std::move(history)) {
  for (const std::string& name : schema_.key) {
    const int index = schema_.columns->GetFieldIndex(name);
    CHECK(index >= 0);
    key_columns_.push_back({index});
  }
}

std::string KeyedTable::prefix() const {
  const std::uint32_t id = id_.value;
  return {'T', static_cast<char>(id >> 24), static_cast<char>(id >> 16), static_cast<char>(id >> 8),
          static_cast<char>(id)};
}

Schema KeyedTable::key_schema(std::size_t columns) const {
  arrow::FieldVector fields;
  for (std::size_t i = 0; i < columns; ++i)
    fields.push_back(schema_.columns->field(key_columns_[i].index));
  return arrow::schema(std::move(fields));
}

Status KeyedTable::apply(const Delta& delta, Notes notes, kv::WriteBatch& batch) const {
  if (delta.empty()) return change_notes(notes, batch);
  auto aligned = widened_rows(delta.rows, schema_.columns);
  if (!aligned) return std::unexpected(aligned.error().in("table " + schema_.name));
  const Batch rows = std::move(*aligned);
  ASSIGN(const EncodedRows keys, encode_keys(*rows, key_columns_));
  ASSIGN(const EncodedRows values, encode_rows(*rows));
  const bool only_inserts = delta.only_inserts();
  const auto version = static_cast<std::uint32_t>(history_.size());
  std::string key = prefix();
  const std::size_t prefix_bytes = key.size();
  std::string value;
  std::unordered_set<std::string_view> put;
  for (const std::int64_t row : rows_by_key(keys)) {
    if (delta.weight(row) <= 0) continue;
    key.resize(prefix_bytes);
    key += keys[row];
    const auto note = notes.find(keys[row]);
    const bool noted = note != notes.end();
    const std::uint32_t head = noted ? version | kHasNote : version;
    value.assign(reinterpret_cast<const char*>(&head), kVersionBytes);
    value += values[row];
    if (noted) {
      add_note(note->second, value);
      notes.erase(note);
    }
    batch.put(key, value);
    if (!only_inserts) put.insert(keys[row]);
  }
  for (std::int64_t row = 0; !only_inserts && row < rows->num_rows(); ++row) {
    if (delta.weight(row) >= 0 || put.contains(keys[row])) continue;
    key.resize(prefix_bytes);
    key += keys[row];
    batch.erase(key);
  }
  return change_notes(notes, batch);
}

Status KeyedTable::change_notes(const Notes& notes, kv::WriteBatch& batch) const {
  for (const auto& [key, note] : notes) {
    const std::string name = prefix() + std::string(key);
    ASSIGN(std::optional<std::string> stored, store_.get(name));
    if (!stored) return error(Code::kInternal, "table " + schema_.name + ": a note without a row");
    if ((*stored)[kVersionBytes - 1] & kNoteFlag)
      stored->resize(stored->size() - note_of(*stored).size() - sizeof(NoteSize));
    (*stored)[kVersionBytes - 1] |= kNoteFlag;
    add_note(note, *stored);
    batch.put(name, *stored);
  }
  return {};
}

Result<std::vector<std::optional<std::string>>> KeyedTable::notes(
    std::span<const std::string_view> keys) const {
  std::vector<std::string> names;
  names.reserve(keys.size());
  for (const std::string_view key : keys) names.push_back(prefix() + std::string(key));
  ASSIGN(auto found, store_.get_many(std::vector<std::string_view>(names.begin(), names.end())));
  for (auto& row : found) {
    if (row) row = std::string(note_of(*row));
  }
  return found;
}

void KeyedTable::erase_all(kv::WriteBatch& batch) const {
  batch.erase_range(prefix(), kv::prefix_end(prefix()));
}

Result<std::string> KeyedTable::key_of_text(std::span<const std::string> values) const {
  if (values.size() > key_columns_.size()) {
    return error(Code::kInvalidArgument,
                 fmt::format("table {}: the key has {} column(s), not {}", schema_.name,
                             key_columns_.size(), values.size()));
  }
  const Schema schema = key_schema(values.size());
  arrow::ArrayVector columns;
  std::vector<KeyColumn> places;
  for (std::size_t i = 0; i < values.size(); ++i) {
    ASSIGN(Array column, parse_value(*schema->field(static_cast<int>(i)), values[i]));
    columns.push_back(std::move(column));
    places.push_back({static_cast<int>(i)});
  }
  std::string key = prefix();
  if (values.empty()) return key;
  ASSIGN(const EncodedRows encoded,
         encode_keys(*arrow::RecordBatch::Make(schema, 1, columns), places));
  key += encoded[0];
  return key;
}

Result<std::optional<Batch>> KeyedTable::get(std::span<const std::string> key) const {
  if (key.size() != key_columns_.size()) {
    return error(Code::kInvalidArgument,
                 fmt::format("table {}: the key has {} column(s), not {}", schema_.name,
                             key_columns_.size(), key.size()));
  }
  ASSIGN(const std::string bytes, key_of_text(key));
  ASSIGN(const std::optional<std::string> stored, store_.get(bytes));
  if (!stored) return std::nullopt;
  RowReader reader(*this);
  TRY(reader.append(*stored));
  ASSIGN(Batch row, reader.finish());
  return row;
}

Result<std::optional<Batch>> KeyedTable::get(const arrow::RecordBatch& keys,
                                             std::int64_t row) const {
  const Schema expected = key_schema(key_columns_.size());
  std::vector<KeyColumn> places;
  for (int i = 0; i < keys.num_columns(); ++i) places.push_back({i});
  if (keys.num_columns() != expected->num_fields() || row < 0 || row >= keys.num_rows()) {
    return error(Code::kInvalidArgument, "table " + schema_.name + ": not a key of this table");
  }
  for (int i = 0; i < keys.num_columns(); ++i) {
    if (!keys.column(i)->type()->Equals(*expected->field(i)->type())) {
      return error(Code::kInvalidArgument, "table " + schema_.name + ": wrong type of key column " +
                                               expected->field(i)->name());
    }
  }
  ASSIGN(const EncodedRows encoded, encode_keys(*keys.Slice(row, 1), places));
  ASSIGN(const std::optional<std::string> stored, store_.get(prefix() + std::string(encoded[0])));
  if (!stored) return std::nullopt;
  RowReader reader(*this);
  TRY(reader.append(*stored));
  ASSIGN(Batch found, reader.finish());
  return found;
}

Result<Batch> KeyedTable::get_encoded(std::span<const std::string> keys) const {
  std::vector<std::string> names;
  for (const std::string& key : keys) names.push_back(prefix() + key);
  std::ranges::sort(names);
  ASSIGN(const auto stored,
         store_.get_many(std::vector<std::string_view>(names.begin(), names.end())));
  RowReader reader(*this);
  for (const auto& row : stored) {
    if (row) TRY(reader.append(*row));
  }
  return reader.finish();
}

Result<Page> KeyedTable::scan(const KeyRange& range, std::int64_t limit,
                              std::string_view token) const {
  ASSIGN(std::string begin, key_of_text(range.from));
  ASSIGN(const std::string last, key_of_text(range.to));
  if (!token.empty()) {
    ASSIGN(const std::string key, from_hex(token));
    begin = std::max(begin, prefix() + key);
  }
  RowReader reader(*this);
  Page page;
  Status status;
  TRY(store_.scan(begin, kv::prefix_end(last), [&](std::string_view key, std::string_view value) {
    if (reader.rows() >= limit) {
      page.next = encode_hex(key.substr(prefix().size()));
      return false;
    }
    status = reader.append(value);
    return status.has_value();
  }));
  TRY(std::move(status));
  ASSIGN(page.rows, reader.finish());
  return page;
}

Status KeyedTable::scan_all(const std::function<Result<bool>(Batch)>& visit,
                            std::int64_t batch_rows) const {
  RowReader reader(*this);
  Status status;
  bool more = true;
  const auto hand_over = [&]() -> Status {
    ASSIGN(Batch rows, reader.finish());
    ASSIGN(more, visit(std::move(rows)));
    return {};
  };
  TRY(store_.scan(prefix(), kv::prefix_end(prefix()),
                  [&](std::string_view, std::string_view value) {
                    status = reader.append(value);
                    if (status && reader.rows() >= batch_rows) status = hand_over();
                    return status.has_value() && more;
                  }));
  TRY(std::move(status));
  if (more && reader.rows() > 0) return hand_over();
  return {};
}

Status KeyedTable::scan_encoded(std::string_view from, std::string_view to, bool backwards,
                                const std::function<Result<bool>(Batch)>& visit) const {
  constexpr std::int64_t kFirstRows = 16, kMostRows = 4096;
  const std::string table = prefix();
  const std::string begin = table + std::string(from);
  const std::string end = to.empty() ? kv::prefix_end(table) : table + std::string(to);
  RowReader reader(*this);
  std::int64_t wanted = kFirstRows;
  Status status;
  bool more = true;
  const auto hand_over = [&]() -> Status {
    ASSIGN(Batch rows, reader.finish());
    ASSIGN(more, visit(std::move(rows)));
    wanted = std::min(4 * wanted, kMostRows);
    return {};
  };
  const auto take = [&](std::string_view, std::string_view value) {
    status = reader.append(value);
    if (status && reader.rows() >= wanted) status = hand_over();
    return status.has_value() && more;
  };
  TRY(backwards ? store_.scan_back(begin, end, take) : store_.scan(begin, end, take));
  TRY(std::move(status));
  if (more && reader.rows() > 0) return hand_over();
  return {};
}

Result<std::optional<std::int64_t>> KeyedTable::count(std::int64_t most) const {
  std::int64_t rows = 0;
  TRY(store_.scan(prefix(), kv::prefix_end(prefix()),
                  [&](std::string_view, std::string_view) { return ++rows <= most; }));
  if (rows > most) return std::nullopt;
  return rows;
}

}  // namespace tailrace::table
