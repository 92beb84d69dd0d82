#include "schema/avro/interpreter.h"

#include <emmintrin.h>
#include <simdjson.h>

#include <cstring>
#include <limits>

namespace tailrace::schema::avro {
namespace {

__extension__ using Wide = unsigned __int128;

constexpr int kMaxDepth = 500;
constexpr std::int64_t kMaxEmptyElements = 100'000;
constexpr std::size_t kChunk = 16;
constexpr auto kNoStep = std::numeric_limits<std::uint32_t>::max();

std::int64_t unzigzag(std::uint64_t raw) {
  return static_cast<std::int64_t>(raw >> 1) ^ -static_cast<std::int64_t>(raw & 1);
}

std::int64_t floor_thousandth(std::int64_t value) {
  return value / 1000 - (value % 1000 < 0 ? 1 : 0);
}

std::string_view said(Fault fault) {
  switch (fault) {
    case Fault::kNone:
      return "nothing is wrong";
    case Fault::kShort:
      return "the record ends before the value does";
    case Fault::kNumber:
      return "a number of more than ten bytes";
    case Fault::kInt:
      return "a number above 32 bits where an int stands";
    case Fault::kBoolean:
      return "a boolean that is neither 0 nor 1";
    case Fault::kUtf8:
      return "a string that is not UTF-8";
    case Fault::kBranch:
      return "a branch that the union has not";
    case Fault::kSymbol:
      return "a symbol that the enum has not";
    case Fault::kNoSymbol:
      return "a symbol that the reader's enum has not, and it has no default";
    case Fault::kCount:
      return "a count of elements that the bytes left cannot hold";
    case Fault::kDecimal:
      return "a decimal of more digits than declared";
    case Fault::kRange:
      return "a timestamp out of range";
    case Fault::kDepth:
      return "values nested too deep";
    case Fault::kFull:
      return "the column is full (2 GB)";
    case Fault::kNoPlace:
      return "a value that the reader's schema has no place for";
    case Fault::kLeftOver:
      return "bytes are left over after the record";
  }
  return "";
}

}  // namespace

bool Interpreter::run(Bytes record) {
  at_ = begin_ = reinterpret_cast<const std::uint8_t*>(record.data());
  end_ = at_ + record.size();
  depth_ = 0;
  empty_left_ = kMaxEmptyElements;
  fault_step_ = kNoStep;
  if (!run(plan_.record.begin, plan_.record.end)) [[unlikely]]
    return false;
  if (at_ == end_) [[likely]]
    return true;
  return failed(Fault::kLeftOver);
}

std::string Interpreter::why() const {
  std::string text = "byte " + std::to_string(at_ - begin_);
  const bool known = fault_step_ < plan_.places.size();
  if (known && !plan_.places[fault_step_].empty()) text += ", " + plan_.places[fault_step_];
  text += ": ";
  if (known && steps_[fault_step_].op == Op::kFail)
    return text + plan_.messages[steps_[fault_step_].a];
  return text + std::string(said(fault_));
}

bool Interpreter::run(std::uint32_t begin, std::uint32_t end) {
  for (std::uint32_t at = begin; at < end; ++at) {
    const Step& step = steps_[at];
    bool good = true;
    switch (step.op) {
      case Op::kText:
        good = text(*columns_[step.column]);
        break;
      case Op::kInt: {
        std::int32_t value;
        good = read_int(value);
        if (good) columns_[step.column]->append(value);
        break;
      }
      case Op::kLong: {
        std::int64_t value;
        good = read_long(value);
        if (good) columns_[step.column]->append(value);
        break;
      }
      case Op::kNull:
        columns_[step.column]->append_null();
        break;
      case Op::kStruct:
        columns_[step.column]->append_struct();
        break;
      case Op::kUnion:
        good = one_of(step);
        if (good) at = step.b - 1;
        break;
      default: {
        std::uint32_t next = at;
        good = run_rare(step, next);
        if (good) at = next;
      }
    }
    if (!good) [[unlikely]] {
      if (fault_step_ == kNoStep) fault_step_ = at;  // the innermost is the place
      return false;
    }
  }
  return true;
}

// What is seldom, or takes long anyway. `at` becomes the last step of a body that was run.
bool Interpreter::run_rare(const Step& step, std::uint32_t& at) {
  ColumnBuilder* column = columns_[step.column];
  std::size_t size = 0;
  std::int64_t value = 0;
  switch (step.op) {
    case Op::kBoolean:
      if (left() < 1) return failed(Fault::kShort);
      if (*at_ > 1) return failed(Fault::kBoolean);
      column->append_bool(*at_++ == 1);
      return true;
    case Op::kBytes:
      return read_length(size) && bytes(*column, size);
    case Op::kFixed:
      return step.a <= left() ? bytes(*column, step.a) : failed(Fault::kShort);
    case Op::kEnum:
      return symbol(step, *column);
    case Op::kUuid:
      return uuid(*column);
    case Op::kDuration:
      return duration(*column);
    case Op::kDecimalBytes:
      return read_length(size) && decimal(*column, size, step.a);
    case Op::kDecimalFixed:
      return step.a <= left() ? decimal(*column, step.a, step.b) : failed(Fault::kShort);
    case Op::kMember:
      member(step, *column);
      return true;
    case Op::kList: {
      const std::uint32_t body = at + 1;
      at = step.a - 1;
      return list(step, body);
    }
    case Op::kConstant: {
      const std::uint32_t body = at + 1;
      at = step.b - 1;
      return constant(step, body);
    }
    case Op::kCall: {
      if (++depth_ > kMaxDepth) return failed(Fault::kDepth);
      const StepRange& routine = plan_.routines[step.a];
      const bool good = run(routine.begin, routine.end);
      --depth_;
      return good;
    }
    case Op::kFail:
      return failed(Fault::kNoPlace);
    case Op::kSkipNumber:
      return read_long(value);
    case Op::kSkipBytes:
      return read_length(size) && skip(size);
    case Op::kSkipFixed:
      return skip(step.a);
    case Op::kSkipList: {
      const std::uint32_t body = at + 1;
      at = step.a - 1;
      return skip_list(step, body);
    }
    case Op::kMillisToMicros:
    case Op::kNanosToMicros:
    case Op::kIntMillisToMicros:
    case Op::kIntNanosToMicros:
      return scaled(step.op, *column);
    default:
      return number(step.op, *column);
  }
}

inline bool Interpreter::read_long(std::int64_t& value) {
  if (at_ < end_ && *at_ < 0x80) [[likely]] {
    value = unzigzag(*at_++);
    return true;
  }
  return read_long_slowly(value);
}

bool Interpreter::read_long_slowly(std::int64_t& value) {
  std::uint64_t raw = 0;
  const std::uint8_t* from = at_;
  for (int shift = 0; shift < 70; shift += 7) {
    if (from == end_) return failed(Fault::kShort);
    const std::uint8_t byte = *from++;
    if (shift == 63 && byte > 1) return failed(Fault::kNumber);
    raw |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) {
      at_ = from;
      value = unzigzag(raw);
      return true;
    }
  }
  return failed(Fault::kNumber);
}

inline bool Interpreter::read_int(std::int32_t& value) {
  std::int64_t wide;
  if (!read_long(wide)) return false;
  value = static_cast<std::int32_t>(wide);
  return value == wide || failed(Fault::kInt);
}

inline bool Interpreter::read_length(std::size_t& size) {
  std::int64_t length;
  if (!read_long(length)) return false;
  size = static_cast<std::size_t>(length);
  return size <= left() || failed(Fault::kShort);
}

template <typename T>
bool Interpreter::read_raw(T& value) {
  if (left() < sizeof value) return failed(Fault::kShort);
  std::memcpy(&value, at_, sizeof value);
  at_ += sizeof value;
  return true;
}

bool Interpreter::number(Op op, ColumnBuilder& column) {
  float real;
  double wide;
  std::int32_t small;
  std::int64_t whole;
  switch (op) {
    case Op::kFloat:
      return read_raw(real) && (column.append(real), true);
    case Op::kFloatToDouble:
      return read_raw(real) && (column.append(static_cast<double>(real)), true);
    case Op::kDouble:
      return read_raw(wide) && (column.append(wide), true);
    case Op::kIntToLong:
      return read_int(small) && (column.append(static_cast<std::int64_t>(small)), true);
    case Op::kIntToFloat:
      return read_int(small) && (column.append(static_cast<float>(small)), true);
    case Op::kIntToDouble:
      return read_int(small) && (column.append(static_cast<double>(small)), true);
    case Op::kLongToFloat:
      return read_long(whole) && (column.append(static_cast<float>(whole)), true);
    default:
      return read_long(whole) && (column.append(static_cast<double>(whole)), true);
  }
}

bool Interpreter::scaled(Op op, ColumnBuilder& column) {
  std::int64_t value;
  if (op == Op::kIntMillisToMicros || op == Op::kIntNanosToMicros) {
    std::int32_t small;
    if (!read_int(small)) return false;
    value = small;
  } else if (!read_long(value)) {
    return false;
  }
  if (op == Op::kNanosToMicros || op == Op::kIntNanosToMicros)
    value = floor_thousandth(value);
  else if (__builtin_mul_overflow(value, std::int64_t{1000}, &value))
    return failed(Fault::kRange);
  column.append(value);
  return true;
}

// Whole chunks are copied, and looked at for bytes above ASCII, where the record and the buffer
// have room for them; what was copied beyond the text is written over by the next.
inline bool Interpreter::text(ColumnBuilder& column) {
  std::size_t size;
  if (!read_length(size)) return false;
  GrowingBuffer& out = column.values();
  const std::size_t padded = (size + kChunk - 1) & ~(kChunk - 1);
  if (padded > left() || !column.has_room(padded)) return text_slowly(column, size);
  out.ensure(padded);
  int high = 0;
  std::size_t done = 0;
  for (; done + kChunk <= size; done += kChunk) {
    const auto chunk = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at_ + done));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out.end() + done), chunk);
    high |= _mm_movemask_epi8(chunk);
  }
  if (done < size) {
    const auto chunk = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at_ + done));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out.end() + done), chunk);
    high |= _mm_movemask_epi8(chunk) & ((1 << (size - done)) - 1);
  }
  if (high != 0 && !simdjson::validate_utf8(reinterpret_cast<const char*>(at_), size)) [[unlikely]]
    return failed(Fault::kUtf8);
  at_ += size;
  column.close_bytes(size);
  return true;
}

bool Interpreter::text_slowly(ColumnBuilder& column, std::size_t size) {
  if (!simdjson::validate_utf8(reinterpret_cast<const char*>(at_), size))
    return failed(Fault::kUtf8);
  return bytes(column, size);
}

// The size was checked to be there.
bool Interpreter::bytes(ColumnBuilder& column, std::size_t size) {
  if (!column.has_room(size)) return failed(Fault::kFull);
  column.append_bytes({reinterpret_cast<const char*>(at_), size});
  at_ += size;
  return true;
}

bool Interpreter::symbol(const Step& step, ColumnBuilder& column) {
  std::int64_t index;
  if (!read_long(index)) return false;
  const auto& texts = plan_.symbols[step.a];
  if (static_cast<std::uint64_t>(index) >= texts.size()) return failed(Fault::kSymbol);
  const std::string& text = texts[static_cast<std::size_t>(index)];
  if (text.empty()) return failed(Fault::kNoSymbol);
  if (!column.has_room(text.size())) return failed(Fault::kFull);
  column.append_bytes(text);
  return true;
}

bool Interpreter::uuid(ColumnBuilder& column) {
  static constexpr char kHex[] = "0123456789abcdef";
  if (left() < 16) return failed(Fault::kShort);
  char text[36];
  char* out = text;
  for (int i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) *out++ = '-';
    *out++ = kHex[at_[i] >> 4];
    *out++ = kHex[at_[i] & 15];
  }
  if (!column.has_room(sizeof text)) return failed(Fault::kFull);
  at_ += 16;
  column.append_bytes({text, sizeof text});
  return true;
}

bool Interpreter::duration(ColumnBuilder& column) {
  std::uint32_t parts[3];
  if (!read_raw(parts)) return false;
  column.append_struct();
  for (std::size_t i = 0; i < 3; ++i) column.child(i).append(static_cast<std::int64_t>(parts[i]));
  return true;
}

// Two's complement, the highest byte first, of any length.
bool Interpreter::decimal(ColumnBuilder& column, std::size_t size, std::uint32_t digits) {
  const std::uint8_t sign = size > 0 && (*at_ & 0x80) != 0 ? 0xFF : 0;
  std::size_t from = 0;
  while (from < size && size - from > 16 && at_[from] == sign) ++from;
  if (size - from > 16) return failed(Fault::kDecimal);
  Wide raw = sign == 0 ? 0 : ~Wide{0};
  for (std::size_t i = from; i < size; ++i) raw = (raw << 8) | at_[i];
  const arrow::Decimal128 value(static_cast<std::int64_t>(raw >> 64),
                                static_cast<std::uint64_t>(raw));
  if ((value.IsNegative() ? 0xFF : 0) != sign && size > 0) return failed(Fault::kDecimal);
  if (!value.FitsInPrecision(static_cast<std::int32_t>(digits))) return failed(Fault::kDecimal);
  at_ += size;
  column.append(raw);
  return true;
}

void Interpreter::member(const Step& step, ColumnBuilder& column) {
  column.append_struct();
  for (std::size_t i = 0; i < column.children().size(); ++i)
    if (i != step.a) column.child(i).append_null();
}

// A block's count and, when it tells them, its bytes; 0 ends the list.
bool Interpreter::read_count(const Step& step, std::int64_t& count, std::int64_t& bytes) {
  bytes = -1;
  if (!read_long(count)) return false;
  if (count < 0) {
    if (count == std::numeric_limits<std::int64_t>::min() || !read_long(bytes))
      return failed(Fault::kCount);
    count = -count;
    if (bytes < 0 || static_cast<std::uint64_t>(bytes) > left()) return failed(Fault::kCount);
  }
  if (step.b != 0) {
    empty_left_ -= std::min(count, kMaxEmptyElements + 1);
    return empty_left_ >= 0 || failed(Fault::kCount);
  }
  return static_cast<std::uint64_t>(count) <= left() || failed(Fault::kCount);
}

bool Interpreter::list(const Step& step, std::uint32_t at) {
  std::int64_t count = 0;
  std::int64_t bytes = 0;
  while (true) {
    if (!read_count(step, count, bytes)) return false;
    if (count == 0) break;
    for (; count > 0; --count)
      if (!run(at, step.a)) return false;
  }
  columns_[step.column]->close_list();
  return true;
}

bool Interpreter::skip_list(const Step& step, std::uint32_t at) {
  std::int64_t count = 0;
  std::int64_t bytes = 0;
  while (true) {
    if (!read_count(step, count, bytes)) return false;
    if (count == 0) return true;
    if (bytes >= 0) {
      at_ += bytes;
      continue;
    }
    for (; count > 0; --count)
      if (!run(at, step.a)) return false;
  }
}

bool Interpreter::one_of(const Step& step) {
  std::int64_t branch;
  if (!read_long(branch)) return false;
  const auto& ranges = plan_.branches[step.a];
  if (static_cast<std::uint64_t>(branch) >= ranges.size()) return failed(Fault::kBranch);
  const StepRange& range = ranges[static_cast<std::size_t>(branch)];
  if (range.end == range.begin + 1 && steps_[range.begin].op == Op::kNull) {
    columns_[steps_[range.begin].column]->append_null();
    return true;
  }
  return run(range.begin, range.end);
}

bool Interpreter::constant(const Step& step, std::uint32_t at) {
  const std::string& bytes = plan_.constants[step.a];
  const auto* resume = at_;
  const auto* resume_end = end_;
  at_ = reinterpret_cast<const std::uint8_t*>(bytes.data());
  end_ = at_ + bytes.size();
  const bool good = run(at, step.b);
  at_ = resume;
  end_ = resume_end;
  return good;
}

bool Interpreter::skip(std::size_t size) {
  if (size > left()) return failed(Fault::kShort);
  at_ += size;
  return true;
}

}  // namespace tailrace::schema::avro
