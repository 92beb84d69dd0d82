// The values of a topic whose format has a schema, read into one column of structs (topic_type.h):
// each record names its writer's schema, which is asked of the registry once.
//
// A record whose schema is newer than the reader's ends the reading before it: who reads takes that
// schema up and goes on with another reader. One thread.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "pipeline/topic_type.h"
#include "schema/record_rows.h"

namespace tailrace::pipeline {

/// What a topic's values are read by.
struct ValueReading {
  TopicTypePtr type;
  subjects::SchemaClient* schemas = nullptr;
  bool follow = true;          ///< newer versions are to be taken up
  std::set<int> refused = {};  ///< ids of those that could not be
};

class ValueReader {
 public:
  static Result<ValueReader> make(ValueReading reading);

  /// A record that could not be read, by its place in the run.
  using Bad = schema::BadRecord;

  /// Reads values in order: a row for each, but for those that are added to `bad`. How many were
  /// taken: all, or those before one that needs next_schema(). kUnavailable when the registry does
  /// not answer and nothing could be taken.
  /// `headers`: what each record's header says of its schema, which counts before what its value
  /// begins with; none at all when it is empty.
  Result<std::size_t> append(std::span<const std::optional<std::string_view>> values,
                             std::vector<Bad>& bad,
                             std::span<const std::optional<std::string_view>> headers = {});
  /// A value whose schema a header names, with that in front: it is the same record without the
  /// header. As it is when the schema is not known.
  std::string self_contained(std::string_view value, std::string_view header) const;
  /// The schema to be taken up first, once append() has stopped before its end.
  const std::optional<subjects::RegisteredSchema>& next_schema() const { return next_; }

  std::int64_t size() const { return rows_->size(); }
  /// The rows; none are left.
  Result<Array> finish();

 private:
  /// How records of one schema id are read: by a number of rows_, or why not.
  struct Writer {
    std::optional<std::size_t> number;
    std::string why;
  };
  ValueReader() = default;
  /// A record's schema, and its bytes behind what names it.
  struct Named {
    std::int32_t id;
    std::string_view bytes;
  };
  /// An error: kUnavailable ends the run, others are why the record is bad.
  Result<Named> name(std::string_view value, const std::optional<std::string_view>& header);
  /// Null: next_ says what is to be taken up.
  Result<const Writer*> writer(std::int32_t id);
  Result<const Writer*> new_writer(std::int32_t id);
  /// Reads the run that was gathered.
  void flush(std::vector<Bad>& bad);

  ValueReading reading_;
  std::unique_ptr<schema::RecordRows> rows_;
  std::unordered_map<std::int32_t, Writer> writers_;
  std::unordered_map<std::int32_t, Writer> unknown_;  ///< of this run: asked for again by the next
  std::unordered_map<std::string, std::int32_t> guids_;
  std::optional<subjects::RegisteredSchema> next_;
  std::vector<std::int64_t> nulls_;  ///< rows without a value
  // The run of one writer that is being gathered.
  std::vector<Bytes> run_;
  std::deque<std::string> joined_;  ///< records whose first bytes were in a header
  std::vector<std::size_t> run_places_;
  const Writer* run_writer_ = nullptr;
  std::vector<Bad> run_bad_;
};

}  // namespace tailrace::pipeline
