// The Writer of wire.h, and the Frame it makes.
#include <bit>

#include "base/bytes.h"
#include "base/check.h"
#include "kafka/wire.h"

namespace tailrace::kafka {
namespace {

constexpr std::size_t kMaxStringBytes = 0x7fff;
constexpr std::size_t kMaxBytes = INT32_MAX;
constexpr std::size_t kPrefixBytes = sizeof(std::int32_t);

// Writes at `to`, which has room for 5 bytes; gives the bytes written.
std::size_t put_uvarint(char* to, std::uint32_t value) {
  std::size_t size = 0;
  while (value >= 0x80) {
    to[size++] = static_cast<char>(value | 0x80);
    value >>= 7;
  }
  to[size++] = static_cast<char>(value);
  return size;
}

}  // namespace

std::size_t Records::size_bytes() const {
  std::size_t size = first.size();
  for (std::string_view piece : rest) size += piece.size();
  return size;
}

std::size_t Frame::size_bytes() const {
  std::size_t size = own_.size();
  for (const Inserted& inserted : inserted_) size += inserted.bytes.size();
  return size;
}

std::vector<std::string_view> Frame::pieces() const {
  std::vector<std::string_view> found;
  found.reserve(2 * inserted_.size() + 1);
  const std::string_view own = own_;
  std::size_t at = 0;
  for (const Inserted& inserted : inserted_) {
    if (inserted.at > at) found.push_back(own.substr(at, inserted.at - at));
    found.push_back(inserted.bytes);
    at = inserted.at;
  }
  if (at < own.size()) found.push_back(own.substr(at));
  return found;
}

std::string Frame::joined() const {
  std::string all;
  all.reserve(size_bytes());
  for (std::string_view piece : pieces()) all.append(piece);
  return all;
}

Writer::Writer(Framing framing) : framing_(framing) {
  if (framing_ == Framing::kLengthPrefixed) out_.resize(kPrefixBytes);
}

Status Writer::begin(std::string_view message, Version version, Version lowest, Version highest) {
  message_ = message;
  version_ = version;
  if (!failure_ && (version < lowest || version > highest)) {
    failure_ =
        Error{Code::kUnimplemented, std::string(message) + " v" + std::to_string(version.value) +
                                        ": only versions " + std::to_string(lowest.value) + " to " +
                                        std::to_string(highest.value) + " are known"};
  }
  return status();
}

Status Writer::status() const {
  if (failure_) return std::unexpected(*failure_);
  return {};
}

Result<Frame> Writer::finish() {
  if (framing_ == Framing::kLengthPrefixed) {
    const std::size_t size = out_.size() - kPrefixBytes + inserted_bytes_;
    if (size > kMaxBytes) fail("size", std::to_string(size) + " bytes do not fit a frame");
    store_be(out_.data(), static_cast<std::int32_t>(size));
  }
  Frame frame(std::move(out_), std::move(inserted_));
  const auto failure = std::move(failure_);
  *this = Writer(framing_);
  if (failure) return std::unexpected(*failure);
  return frame;
}

void Writer::fail(const char* field, std::string what) {
  if (failure_) return;
  failure_ =
      Error{Code::kInvalidArgument, std::string(message_) + " v" + std::to_string(version_.value) +
                                        ", " + field + ": " + what};
}

void Writer::int8(std::int8_t value) {
  out_.push_back(static_cast<char>(value));
}
void Writer::int16(std::int16_t value) {
  append_be(out_, value);
}
void Writer::uint16(std::uint16_t value) {
  append_be(out_, value);
}
void Writer::int32(std::int32_t value) {
  append_be(out_, value);
}
void Writer::uint32(std::uint32_t value) {
  append_be(out_, value);
}
void Writer::int64(std::int64_t value) {
  append_be(out_, value);
}
void Writer::float64(double value) {
  append_be(out_, std::bit_cast<std::uint64_t>(value));
}

void Writer::uuid(const Uuid& value) {
  out_.append(reinterpret_cast<const char*>(value.data()), value.size());
}

void Writer::uvarint(std::uint32_t value) {
  char raw[5];
  out_.append(raw, put_uvarint(raw, value));
}

void Writer::length(bool compact, std::size_t bytes, const char* field) {
  if (bytes >= kMaxBytes) return fail(field, std::to_string(bytes) + " is too long");
  if (compact) return uvarint(static_cast<std::uint32_t>(bytes) + 1);
  int32(static_cast<std::int32_t>(bytes));
}

void Writer::null_length(bool compact, bool nullable, const char* field) {
  if (!nullable) return null_value(field);
  if (compact) return uvarint(0);
  int32(-1);
}

void Writer::string(bool compact, std::string_view value, const char* field) {
  if (value.size() > kMaxStringBytes) {
    return fail(field, "a string of " + std::to_string(value.size()) + " bytes, at most 32767");
  }
  if (compact) {
    uvarint(static_cast<std::uint32_t>(value.size()) + 1);
  } else {
    int16(static_cast<std::int16_t>(value.size()));
  }
  out_.append(value);
}

void Writer::string_or_null(bool compact, bool nullable, const std::optional<std::string>& value,
                            const char* field) {
  if (value) return string(compact, *value, field);
  if (!nullable) return null_value(field);
  if (compact) return uvarint(0);
  int16(-1);
}

void Writer::bytes(bool compact, std::string_view value, const char* field) {
  length(compact, value.size(), field);
  out_.append(value);
}

void Writer::bytes_or_null(bool compact, bool nullable,
                           const std::optional<std::string_view>& value, const char* field) {
  if (value) return bytes(compact, *value, field);
  null_length(compact, nullable, field);
}

void Writer::records(bool compact, const Records& value, const char* field) {
  length(compact, value.size_bytes(), field);
  const auto add = [this](std::string_view piece) {
    if (piece.size() < kInsertFromBytes) {
      out_.append(piece);
      return;
    }
    inserted_.push_back({out_.size(), piece});
    inserted_bytes_ += piece.size();
  };
  add(value.first);
  for (std::string_view piece : value.rest) add(piece);
}

void Writer::records_or_null(bool compact, bool nullable, const std::optional<Records>& value,
                             const char* field) {
  if (value) return records(compact, *value, field);
  null_length(compact, nullable, field);
}

void Writer::array(bool compact, std::size_t count, const char* field) {
  length(compact, count, field);
}

void Writer::null_array(bool compact, bool nullable, const char* field) {
  null_length(compact, nullable, field);
}

std::size_t Writer::open_tag(std::uint32_t number) {
  uvarint(number);
  return out_.size();
}

// The size goes in front of what was written: values of tagged fields are short.
void Writer::close_tag(std::size_t opened_at) {
  DCHECK(inserted_.empty() || inserted_.back().at <= opened_at);
  char raw[5];
  const std::size_t size = put_uvarint(raw, static_cast<std::uint32_t>(out_.size() - opened_at));
  out_.insert(opened_at, raw, size);
}

void Writer::unsupported(const char* field) {
  fail(field, "is set, but this version lacks it");
}

void Writer::null_value(const char* field) {
  fail(field, "must not be null in this version");
}

}  // namespace tailrace::kafka
