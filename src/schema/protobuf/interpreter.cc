#include "schema/protobuf/interpreter.h"

#include <emmintrin.h>
#include <simdjson.h>

#include <cstring>

namespace tailrace::schema::protobuf {
namespace {

constexpr std::size_t kChunk = 16;
constexpr std::size_t kMaxGroupDepth = 100;
// Empty messages of many fields make many nulls of few bytes.
constexpr std::size_t kFreeValues = 1'000'000;
constexpr std::size_t kValuesPerByte = 32;

enum WireType : std::uint32_t {
  kVarint = 0,
  kEight = 1,
  kLength = 2,
  kGroup = 3,
  kGroupEnd = 4,
  kFour = 5
};

std::string_view said(Fault fault) {
  switch (fault) {
    case Fault::kNone:
      return "nothing is wrong";
    case Fault::kShort:
      return "the record ends before the value does";
    case Fault::kNumber:
      return "a number of more than ten bytes";
    case Fault::kTag:
      return "a tag that no field has";
    case Fault::kGroup:
      return "a group that does not end";
    case Fault::kDepth:
      return "groups nested too deep";
    case Fault::kUtf8:
      return "a string that is not UTF-8";
    case Fault::kRange:
      return "a time out of range";
    case Fault::kFull:
      return "the column is full (2 GB)";
    case Fault::kRequired:
      return "a required field is missing";
    case Fault::kValues:
      return "more fields in empty messages than so few bytes may have";
  }
  return "";
}

std::int64_t unzigzag(std::uint64_t raw) {
  return static_cast<std::int64_t>(raw >> 1) ^ -static_cast<std::int64_t>(raw & 1);
}

bool has_bytes(Op op) {
  return op == Op::kText || op == Op::kBytes || op == Op::kMessage || op == Op::kMap ||
         op == Op::kTimestamp || op == Op::kDuration;
}

bool has_parts(const FieldPlan& field) {
  return field.repeated || (has_bytes(field.op) && field.op != Op::kText && field.op != Op::kBytes);
}

}  // namespace

Interpreter::Interpreter(const Plan& plan, ColumnBuilder* const* columns)
    : plan_(plan), columns_(columns) {
  // A message is open once at a time, so there are never more.
  std::size_t fields = 1;
  for (const auto& message : plan.messages) fields += message.fields.size();
  slots_.resize(fields);
}

bool Interpreter::run(Bytes record) {
  begin_ = reinterpret_cast<const std::uint8_t*>(record.data());
  end_ = begin_ + record.size();
  used_slots_ = 0;
  values_left_ = kFreeValues + kValuesPerByte * record.size();
  parts_.clear();
  fault_path_.clear();
  fault_at_ = begin_;
  const Part whole{begin_, record.size(), 0, false};
  return message(plan_.messages.front(), &whole, 0);
}

std::string Interpreter::why() const {
  std::string text = "byte " + std::to_string(fault_at_ - begin_);
  if (!fault_path_.empty()) text += ", " + fault_path_;
  return text + ": " + std::string(said(fault_));
}

// The message of one part, or of all from `first` on, one after another.
bool Interpreter::message(const MessagePlan& plan, const Part* only, std::uint32_t first) {
  Slot* slots = slots_.data() + used_slots_;
  const std::size_t count = plan.fields.size();
  if (count > values_left_) return failed(Fault::kValues);
  values_left_ -= count;
  std::fill_n(slots, count, Slot{});
  used_slots_ += count;
  bool good = true;
  if (only) {
    good = scan(plan, slots, only->at, only->value);
  } else {
    for (std::uint32_t at = first; good && at != 0; at = parts_[at - 1].next) {
      const Part part = parts_[at - 1];
      good = scan(plan, slots, part.at, part.value);
    }
  }
  good = good && append(plan, slots);
  used_slots_ -= count;
  return good;
}

inline bool Interpreter::read_varint(Source& from, std::uint64_t& value) {
  if (from.at < from.end && *from.at < 0x80) [[likely]] {
    value = *from.at++;
    return true;
  }
  return read_varint_slowly(from, value);
}

bool Interpreter::read_varint_slowly(Source& from, std::uint64_t& value) {
  value = 0;
  const std::uint8_t* at = from.at;
  for (int shift = 0; shift < 70; shift += 7) {
    if (at == from.end) return failed(Fault::kShort, from.at);
    const std::uint8_t byte = *at++;
    value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) {
      from.at = at;
      return true;
    }
  }
  return failed(Fault::kNumber, from.at);
}

bool Interpreter::scan(const MessagePlan& plan, Slot* slots, const std::uint8_t* at,
                       std::uint64_t size) {
  Source from{at, at + size};
  while (from.at < from.end) {
    std::uint64_t wide;
    const std::uint8_t* start = from.at;
    if (!read_varint(from, wide)) return false;
    const auto tag = static_cast<std::uint32_t>(wide);
    if (wide >> 32 != 0 || tag < 8) return failed(Fault::kTag, start);
    const std::uint16_t place = plan.at(tag);
    if (place == 0) {
      if (!skip(tag, from)) return false;
      continue;
    }
    Part part{};
    switch (tag & 7) {
      case kVarint:
        if (!read_varint(from, part.value)) return false;
        break;
      case kEight:
      case kFour: {
        const std::size_t bytes = (tag & 7) == kEight ? 8 : 4;
        if (from.left() < bytes) return failed(Fault::kShort, from.at);
        std::memcpy(&part.value, from.at, bytes);
        from.at += bytes;
        break;
      }
      case kLength:
        if (!read_varint(from, part.value)) return false;
        if (part.value > from.left()) return failed(Fault::kShort, from.at);
        part.at = from.at;
        from.at += part.value;
        break;
      default: {
        part.at = from.at;
        if (!skip_group(tag >> 3, from)) return false;
        part.value = static_cast<std::uint64_t>(group_end_ - part.at);
      }
    }
    note(plan, static_cast<std::uint16_t>(place - 1), slots, part);
  }
  return true;
}

inline void Interpreter::note(const MessagePlan& plan, std::uint16_t index, Slot* slots,
                              const Part& part) {
  const FieldPlan& field = plan.fields[index];
  Slot& slot = slots[index];
  if (field.op == Op::kEnum && !field.repeated && is_unknown(field, part.value)) return;
  if (field.oneof >= 0) {
    auto& current = slots[plan.oneofs[static_cast<std::size_t>(field.oneof)].front()].set_in_oneof;
    if (current != 0 && current != index + 1) {
      Slot& other = slots[current - 1];
      other.set = false;
      other.first = other.last = 0;
    }
    current = static_cast<std::uint16_t>(index + 1);
  }
  slot.set = true;
  if (!has_parts(field)) [[likely]] {
    slot.at = part.at;
    slot.value = part.value;
    return;
  }
  parts_.push_back(part);
  parts_.back().packed = part.at != nullptr && !has_bytes(field.op);
  const auto place = static_cast<std::uint32_t>(parts_.size());
  (slot.last == 0 ? slot.first : parts_[slot.last - 1].next) = place;
  slot.last = place;
}

bool Interpreter::is_unknown(const FieldPlan& field, std::uint64_t value) const {
  const EnumPlan& type = plan_.enums[field.enumeration];
  return type.closed && !type.names.contains(static_cast<std::int32_t>(value));
}

bool Interpreter::skip(std::uint32_t tag, Source& from) {
  std::uint64_t value = 0;
  switch (tag & 7) {
    case kVarint:
      return read_varint(from, value);
    case kEight:
      value = 8;
      break;
    case kFour:
      value = 4;
      break;
    case kLength:
      if (!read_varint(from, value)) return false;
      break;
    case kGroup:
      return skip_group(tag >> 3, from);
    default:
      return failed(Fault::kTag, from.at);
  }
  if (value > from.left()) return failed(Fault::kShort, from.at);
  from.at += value;
  return true;
}

bool Interpreter::skip_group(std::uint32_t number, Source& from) {
  std::uint32_t open[kMaxGroupDepth] = {number};
  std::size_t depth = 1;
  while (depth > 0) {
    if (from.at == from.end) return failed(Fault::kGroup, from.at);
    group_end_ = from.at;
    std::uint64_t wide;
    if (!read_varint(from, wide)) return false;
    const auto tag = static_cast<std::uint32_t>(wide);
    if (wide >> 32 != 0 || tag < 8) return failed(Fault::kTag, from.at);
    if ((tag & 7) == kGroup) {
      if (depth == kMaxGroupDepth) return failed(Fault::kDepth, from.at);
      open[depth++] = tag >> 3;
    } else if ((tag & 7) == kGroupEnd) {
      if (open[--depth] != tag >> 3) return failed(Fault::kGroup, from.at);
    } else if (!skip(tag, from)) {
      return false;
    }
  }
  return true;
}

// Values into columns.

bool Interpreter::append(const MessagePlan& plan, const Slot* slots) {
  for (const FieldPlan& field : plan.fields) {
    const Slot& slot = *slots++;
    bool good;
    if (field.repeated)
      good = append_list(field, slot);
    else if (slot.set) [[likely]]
      good = append_one(field, slot);
    else
      good = append_absent(field);
    if (!good) [[unlikely]] {
      fault_path_ = fault_path_.empty() ? field.name : field.name + "." + fault_path_;
      return false;
    }
  }
  return true;
}

inline bool Interpreter::append_one(const FieldPlan& field, const Slot& slot) {
  ColumnBuilder& column = *columns_[field.column];
  switch (field.op) {
    case Op::kText:
      if (slot.value == 0 && field.zero_is_null) break;
      return append_text(column, slot.at, slot.value);
    case Op::kBytes:
      if (slot.value == 0 && field.zero_is_null) break;
      return append_bytes(column, slot.at, slot.value);
    case Op::kMessage:
      return append_message(field, column, nullptr, slot.first);
    case Op::kTimestamp:
    case Op::kDuration:
      return append_time(field, column, nullptr, slot.first);
    case Op::kInt32:
    case Op::kZigzag32:
    case Op::kEnum:
      if (static_cast<std::uint32_t>(slot.value) == 0 && field.zero_is_null) break;
      return append_value(field, column, slot.value);
    default:
      if (slot.value == 0 && field.zero_is_null) break;
      return append_value(field, column, slot.value);
  }
  column.append_null();
  return true;
}

bool Interpreter::append_absent(const FieldPlan& field) {
  ColumnBuilder& column = *columns_[field.column];
  if (field.required) return failed(Fault::kRequired, begin_);
  if (field.always)
    return field.op == Op::kMessage ? append_message(field, column, nullptr, 0)
                                    : append_time(field, column, nullptr, 0);
  if (!field.has_default) {
    column.append_null();
    return true;
  }
  if (field.op == Op::kText || field.op == Op::kBytes)
    return append_bytes(column, reinterpret_cast<const std::uint8_t*>(field.default_text.data()),
                        field.default_text.size());
  if (field.op == Op::kZigzag32) {
    column.append(static_cast<std::int32_t>(field.default_number));
    return true;
  }
  if (field.op == Op::kZigzag64) {
    column.append(static_cast<std::int64_t>(field.default_number));
    return true;
  }
  return append_value(field, column, field.default_number);
}

bool Interpreter::append_list(const FieldPlan& field, const Slot& slot) {
  ColumnBuilder& values = *columns_[field.value_column()];
  for (std::uint32_t place = slot.first; place != 0; place = parts_[place - 1].next) {
    const Part part = parts_[place - 1];
    bool good = true;
    switch (field.op) {
      case Op::kText:
        good = append_text(values, part.at, part.value);
        break;
      case Op::kBytes:
        good = append_bytes(values, part.at, part.value);
        break;
      case Op::kMessage:
      case Op::kMap:
        good = append_message(field, values, &part, 0);
        break;
      case Op::kTimestamp:
      case Op::kDuration:
        good = append_time(field, values, &part, 0);
        break;
      default:
        good = part.packed ? append_packed(field, part) : append_value(field, values, part.value);
    }
    if (!good) return false;
  }
  columns_[field.column]->close_list();
  return true;
}

bool Interpreter::append_packed(const FieldPlan& field, const Part& part) {
  ColumnBuilder& values = *columns_[field.value_column()];
  Source from{part.at, part.at + part.value};
  const std::size_t width = field.op == Op::kFixed32 ? 4 : field.op == Op::kFixed64 ? 8 : 0;
  while (from.at < from.end) {
    std::uint64_t value = 0;
    if (width > 0) {
      if (from.left() < width) return failed(Fault::kShort, from.at);
      std::memcpy(&value, from.at, width);
      from.at += width;
    } else if (!read_varint(from, value)) {
      return false;
    }
    if (!append_value(field, values, value)) return false;
  }
  return true;
}

inline bool Interpreter::append_value(const FieldPlan& field, ColumnBuilder& column,
                                      std::uint64_t value) {
  switch (field.op) {
    case Op::kInt32:
    case Op::kFixed32:
      column.append(static_cast<std::uint32_t>(value));
      return true;
    case Op::kZigzag32:
      column.append(static_cast<std::int32_t>(unzigzag(static_cast<std::uint32_t>(value))));
      return true;
    case Op::kZigzag64:
      column.append(unzigzag(value));
      return true;
    case Op::kBool:
      column.append_bool(value != 0);
      return true;
    case Op::kEnum:
      return append_enum(field, column, value);
    default:
      column.append(value);
      return true;
  }
}

bool Interpreter::append_enum(const FieldPlan& field, ColumnBuilder& column, std::uint64_t value) {
  const EnumPlan& type = plan_.enums[field.enumeration];
  const auto number = static_cast<std::int32_t>(value);
  const auto found = type.names.find(number);
  if (found != type.names.end()) {
    if (!column.has_room(found->second.size())) return failed(Fault::kFull);
    column.append_bytes(found->second);
    return true;
  }
  if (type.closed) return true;  // of a list: left out
  // The name that Protobuf for Java gives, and Spark shows.
  const std::string name = "UNKNOWN_ENUM_VALUE_" + type.name + "_" + std::to_string(number);
  if (!column.has_room(name.size())) return failed(Fault::kFull);
  column.append_bytes(name);
  return true;
}

// Whole chunks are copied, and looked at for bytes above ASCII, where the record and the buffer
// have room for them; what was copied beyond the text is written over by the next.
inline bool Interpreter::append_text(ColumnBuilder& column, const std::uint8_t* at,
                                     std::size_t size) {
  const std::size_t padded = (size + kChunk - 1) & ~(kChunk - 1);
  if (padded > static_cast<std::size_t>(end_ - at) || !column.has_room(padded)) [[unlikely]] {
    if (!simdjson::validate_utf8(reinterpret_cast<const char*>(at), size))
      return failed(Fault::kUtf8, at);
    return append_bytes(column, at, size);
  }
  GrowingBuffer& out = column.values();
  out.ensure(padded);
  int high = 0;
  for (std::size_t done = 0; done < size; done += kChunk) {
    const auto chunk = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at + done));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out.end() + done), chunk);
    const int bits = _mm_movemask_epi8(chunk);
    high |= size - done < kChunk ? bits & ((1 << (size - done)) - 1) : bits;
  }
  if (high != 0 && !simdjson::validate_utf8(reinterpret_cast<const char*>(at), size)) [[unlikely]]
    return failed(Fault::kUtf8, at);
  column.close_bytes(size);
  return true;
}

bool Interpreter::append_bytes(ColumnBuilder& column, const std::uint8_t* at, std::size_t size) {
  if (!column.has_room(size)) return failed(Fault::kFull, at);
  column.append_bytes({reinterpret_cast<const char*>(at), size});
  return true;
}

bool Interpreter::append_message(const FieldPlan& field, ColumnBuilder& column, const Part* only,
                                 std::uint32_t first) {
  column.append_struct();
  return message(plan_.messages[field.message], only, first);
}

// Seconds and nanoseconds; what is below a microsecond is cut off.
bool Interpreter::append_time(const FieldPlan& /*field*/, ColumnBuilder& column, const Part* only,
                              std::uint32_t first) {
  static const MessagePlan kTime = [] {
    MessagePlan made;
    made.fields.resize(2);
    made.by_tag.resize(17);
    made.by_tag[8] = 1;
    made.by_tag[16] = 2;
    return made;
  }();
  Slot slots[2];
  if (only) {
    if (!scan(kTime, slots, only->at, only->value)) return false;
  } else {
    for (std::uint32_t at = first; at != 0; at = parts_[at - 1].next) {
      const Part part = parts_[at - 1];
      if (!scan(kTime, slots, part.at, part.value)) return false;
    }
  }
  std::int64_t micros;
  const auto seconds = static_cast<std::int64_t>(slots[0].value);
  const std::int64_t below = static_cast<std::int32_t>(slots[1].value) / 1000;
  if (__builtin_mul_overflow(seconds, std::int64_t{1'000'000}, &micros) ||
      __builtin_add_overflow(micros, below, &micros))
    return failed(Fault::kRange);
  column.append(micros);
  return true;
}

}  // namespace tailrace::schema::protobuf
