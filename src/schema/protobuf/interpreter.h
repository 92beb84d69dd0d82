// Reads records by a plan (decoder.h is the way in).
//
// Fields may come in any order and more than once, so a message is read in two passes: the first
// notes where each field's last value is, or all of its parts (of repeated fields, and of messages,
// which are merged); the second appends the values in the columns' order. Every length is checked
// against the bytes that are left before it is used.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "columns/column_builder.h"
#include "schema/protobuf/plan.h"

namespace tailrace::schema::protobuf {

/// What a record had instead of its value.
enum class Fault : std::uint8_t {
  kNone,
  kShort,
  kNumber,
  kTag,
  kGroup,
  kDepth,
  kUtf8,
  kRange,
  kFull,
  kRequired,
  kValues,
};

class Interpreter {
 public:
  Interpreter(const Plan& plan, ColumnBuilder* const* columns);

  /// Appends the record's values; false when it is none, with columns uneven.
  bool run(Bytes record);

  /// What was wrong with the last record, and where.
  std::string why() const;

 private:
  // A value of a field: its bytes, or its number.
  struct Part {
    const std::uint8_t* at = nullptr;
    std::uint64_t value = 0;  ///< the number, or how many bytes
    std::uint32_t next = 0;   ///< one more than the place of the field's next part
    bool packed = false;
  };
  struct Slot {
    const std::uint8_t* at = nullptr;
    std::uint64_t value = 0;
    std::uint32_t first = 0;  ///< as Part::next
    std::uint32_t last = 0;
    std::uint16_t set_in_oneof = 0;  ///< of a oneof's first field: one more than the field set last
    bool set = false;
  };
  // The bytes that are read.
  struct Source {
    const std::uint8_t* at;
    const std::uint8_t* end;
    std::size_t left() const { return static_cast<std::size_t>(end - at); }
  };

  bool message(const MessagePlan& plan, const Part* only, std::uint32_t first);
  bool scan(const MessagePlan& plan, Slot* slots, const std::uint8_t* at, std::uint64_t size);
  void note(const MessagePlan& plan, std::uint16_t index, Slot* slots, const Part& part);
  bool skip(std::uint32_t tag, Source& from);
  bool skip_group(std::uint32_t number, Source& from);

  bool append(const MessagePlan& plan, const Slot* slots);
  bool append_one(const FieldPlan& field, const Slot& slot);
  bool append_absent(const FieldPlan& field);
  bool append_list(const FieldPlan& field, const Slot& slot);
  bool append_packed(const FieldPlan& field, const Part& part);
  bool append_value(const FieldPlan& field, ColumnBuilder& column, std::uint64_t value);
  bool append_enum(const FieldPlan& field, ColumnBuilder& column, std::uint64_t value);
  bool append_text(ColumnBuilder& column, const std::uint8_t* at, std::size_t size);
  bool append_bytes(ColumnBuilder& column, const std::uint8_t* at, std::size_t size);
  bool append_message(const FieldPlan& field, ColumnBuilder& column, const Part* only,
                      std::uint32_t first);
  bool append_time(const FieldPlan& field, ColumnBuilder& column, const Part* only,
                   std::uint32_t first);
  bool is_unknown(const FieldPlan& field, std::uint64_t value) const;

  bool read_varint(Source& from, std::uint64_t& value);
  bool read_varint_slowly(Source& from, std::uint64_t& value);
  bool failed(Fault fault, const std::uint8_t* at = nullptr) {
    fault_ = fault;
    if (at) fault_at_ = at;
    return false;
  }

  const Plan& plan_;
  ColumnBuilder* const* columns_;
  std::vector<Slot> slots_;  ///< of the messages that are open
  std::size_t used_slots_ = 0;
  std::size_t values_left_ = 0;  ///< how many more fields of messages may be appended
  std::vector<Part> parts_;
  const std::uint8_t* begin_ = nullptr;
  const std::uint8_t* end_ = nullptr;
  const std::uint8_t* group_end_ = nullptr;  ///< where the tag stands that ended the last group
  const std::uint8_t* fault_at_ = nullptr;
  Fault fault_ = Fault::kNone;
  std::string fault_path_;
};

}  // namespace tailrace::schema::protobuf
