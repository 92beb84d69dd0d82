// Runs a plan's steps over the bytes of one record after another (decoder.h is the way in).
//
// Every length is checked against the bytes that are left before it is used, every count against
// what so many bytes can hold. Elements that take no bytes (nulls, empty records) have a budget a
// record.
#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "columns/column_builder.h"
#include "schema/avro/plan.h"

namespace tailrace::schema::avro {

/// What a record had instead of its value.
enum class Fault : std::uint8_t {
  kNone,
  kShort,
  kNumber,
  kInt,
  kBoolean,
  kUtf8,
  kBranch,
  kSymbol,
  kNoSymbol,
  kCount,
  kDecimal,
  kRange,
  kDepth,
  kFull,
  kNoPlace,
  kLeftOver,
};

class Interpreter {
 public:
  Interpreter(const Plan& plan, ColumnBuilder* const* columns)
      : plan_(plan), steps_(plan.steps.data()), columns_(columns) {}

  /// Appends the record's values; false when it is not the writer's, with columns uneven.
  bool run(Bytes record);

  /// What was wrong with the last record, and where.
  std::string why() const;

 private:
  bool run(std::uint32_t begin, std::uint32_t end);
  bool run_rare(const Step& step, std::uint32_t& at);

  std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }
  bool failed(Fault fault) {
    fault_ = fault;
    return false;
  }
  bool read_long(std::int64_t& value);
  bool read_long_slowly(std::int64_t& value);
  bool read_int(std::int32_t& value);
  bool read_length(std::size_t& size);
  template <typename T>
  bool read_raw(T& value);

  bool number(Op op, ColumnBuilder& column);
  bool scaled(Op op, ColumnBuilder& column);
  bool text(ColumnBuilder& column);
  bool text_slowly(ColumnBuilder& column, std::size_t size);
  bool bytes(ColumnBuilder& column, std::size_t size);
  bool symbol(const Step& step, ColumnBuilder& column);
  bool uuid(ColumnBuilder& column);
  bool duration(ColumnBuilder& column);
  bool decimal(ColumnBuilder& column, std::size_t size, std::uint32_t digits);
  void member(const Step& step, ColumnBuilder& column);
  bool list(const Step& step, std::uint32_t at);
  bool skip_list(const Step& step, std::uint32_t at);
  bool read_count(const Step& step, std::int64_t& count, std::int64_t& bytes);
  bool one_of(const Step& step);
  bool constant(const Step& step, std::uint32_t at);
  bool skip(std::size_t size);

  const Plan& plan_;
  const Step* steps_;
  ColumnBuilder* const* columns_;
  const std::uint8_t* begin_ = nullptr;
  const std::uint8_t* at_ = nullptr;
  const std::uint8_t* end_ = nullptr;
  int depth_ = 0;
  std::int64_t empty_left_ = 0;  ///< elements without bytes this record may still have
  Fault fault_ = Fault::kNone;
  std::uint32_t fault_step_ = 0;
};

}  // namespace tailrace::schema::avro
