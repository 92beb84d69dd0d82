// Records of a topic into rows of columns, whatever their format: what reads a topic asks for no
// more. Also how a record says which schema it was written with.
//
// Order of calls: make_record_rows for the reader's schema; add_writer for each schema that comes;
// append runs of records, in any order of writers; finish gives the rows, and none are left. One
// thread at a time.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "columns/types.h"
#include "schema/rows.h"
#include "schema/schema.h"

namespace tailrace::schema {

class RecordRows {
 public:
  virtual ~RecordRows() = default;

  /// The reader's columns.
  virtual const Schema& columns() const = 0;
  /// A number for append(). kFailedPrecondition when the reader cannot read what it writes.
  virtual Result<std::size_t> add_writer(const SchemaPtr& writer) = 0;
  /// Appends each record that can be read; the others are added to `bad`, and leave no trace.
  virtual void append(std::size_t writer, std::span<const Bytes> records,
                      std::vector<BadRecord>& bad) = 0;
  /// A row of nulls.
  virtual void append_null() = 0;
  virtual std::int64_t size() const = 0;
  virtual Batch finish() = 0;
};

/// kUnimplemented for a schema that is no columns, with the field's path, and for a JSON Schema,
/// whose documents are read above this room.
Result<std::unique_ptr<RecordRows>> make_record_rows(const SchemaPtr& reader);

/// The columns of a schema of any format.
Result<Schema> columns_of(const ParsedSchema& schema);

/// What stands before a record that a registry's client wrote: a zero and the schema's id, big
/// endian (Confluent's wire format).
inline constexpr std::size_t kWireHeaderBytes = 5;

/// The id; nullopt when there is no such header.
std::optional<std::int32_t> wire_schema_id(std::string_view record);
void append_wire_header(std::string& out, std::int32_t id);

/// The record's headers that name its schemas instead, as Confluent's HeaderSchemaIdSerializer has
/// it: a zero and the id as above, or a one and the 16 bytes of the schema's guid; behind them what
/// stands between id and record in Protobuf.
inline constexpr std::string_view kKeySchemaHeader = "__key_schema_id";
inline constexpr std::string_view kValueSchemaHeader = "__value_schema_id";

struct NamedSchema {
  std::int32_t id = 0;           ///< where there is no guid
  std::string guid = {};         ///< as registries write it; empty for an id
  std::string_view before = {};  ///< bytes that belong in front of the record's own
};

/// What such a header's value says; nullopt when it is none.
std::optional<NamedSchema> header_schema(std::string_view value);
/// Appends one; `guid` may be empty, then it is the id.
Status append_header_schema(std::string& out, std::int32_t id, std::string_view guid);

}  // namespace tailrace::schema
