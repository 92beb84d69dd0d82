// The Kafka protocol's primitive types: a Reader over the bytes of one frame, a Writer of one.
//
// Grammar (big-endian; "compact" is what flexible versions use, KIP-482):
//
//   bool, int8 … int64, uint16, uint32, float64, uuid (16 bytes)
//   string   = int16 length, or compact: uvarint length + 1; then UTF-8. Length -1, or 0: null
//   bytes    = int32 length, or compact: uvarint length + 1; then bytes. -1, or 0: null
//   records  = as bytes: record batches
//   array    = int32 count, or compact: uvarint count + 1; then elements. -1, or 0: null
//   struct   = its fields in order, in flexible versions then its tagged fields;
//              a nullable struct has an int8 in front: -1 null, 1 present (KIP-893);
//              as a tagged field it has a uvarint there: 0 null, 1 present
//   tagged   = uvarint count, then count × (uvarint tag, uvarint size, size bytes), by rising tag
//
// Both remember their first failure and do nothing after it: readers then give zeros, and the
// caller asks once at the end. The first failure's text names message, version, field and byte.
// Neither throws; a Reader allocates no more than ReaderLimits and the frame's own size allow.
//
// Lifetimes: what a Reader gives as string_view (bytes, records) points into the frame; strings are
// copies. What a Writer is given as string_view must live until the Frame is written out.
// Threads: each object belongs to one.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/strong.h"

namespace tailrace::kafka {

/// The version of an api or of a record's schema.
using Version = Strong<struct VersionTag, std::int16_t>;
/// Most significant byte first, as on the wire; all zero is Kafka's "no id".
using Uuid = std::array<std::uint8_t, 16>;

/// Record batches. Decoded: `first`, a view into the frame. To be encoded: any number of pieces,
/// which are joined on the wire and not in memory.
struct Records {
  std::string_view first{};
  std::vector<std::string_view> rest{};

  std::size_t size_bytes() const;
  bool operator==(const Records&) const = default;
};

/// What a Reader accepts.
struct ReaderLimits {
  /// What the elements of all arrays of one frame take in memory, without the texts they own (which
  /// are no longer than the frame): a frame of tiny elements grows much when it is decoded.
  std::size_t array_bytes = 64 << 20;
};

/// Reads one frame from its start. Every length is checked against the bytes left.
class Reader {
 public:
  explicit Reader(std::string_view frame, ReaderLimits limits = {})
      : frame_(frame), array_bytes_left_(limits.array_bytes) {}

  /// Says what is read next. kUnimplemented when `version` is not in lowest … highest.
  Status begin(std::string_view message, Version version, Version lowest, Version highest);
  bool failed() const { return failure_.has_value(); }
  /// The first failure; only when failed().
  const Error& failure() const { return *failure_; }
  std::size_t position_bytes() const { return at_; }
  std::size_t remaining_bytes() const { return frame_.size() - at_; }
  /// Tagged fields that no schema here knows; they were skipped.
  std::size_t unknown_tagged_fields() const { return unknown_tagged_fields_; }

  bool boolean(const char* field);
  std::int8_t int8(const char* field);
  std::int16_t int16(const char* field);
  std::uint16_t uint16(const char* field);
  std::int32_t int32(const char* field);
  std::uint32_t uint32(const char* field);
  std::int64_t int64(const char* field);
  double float64(const char* field);
  Uuid uuid(const char* field);

  /// `nullable`: null is allowed; else it is a failure, as in Kafka.
  std::string string(bool compact, const char* field);
  std::optional<std::string> string_or_null(bool compact, bool nullable, const char* field);
  std::string_view bytes(bool compact, const char* field);
  std::optional<std::string_view> bytes_or_null(bool compact, bool nullable, const char* field);
  Records records(bool compact, const char* field);
  std::optional<Records> records_or_null(bool compact, bool nullable, const char* field);

  /// The count of an array whose elements take at least `least_bytes` each in the frame and
  /// `element_bytes` in memory; -1 is null. What it gives may be reserved at once.
  std::int32_t array(bool compact, bool nullable, std::size_t least_bytes,
                     std::size_t element_bytes, const char* field);
  /// The marker in front of a nullable struct; as Kafka does it takes every value for "present"
  /// that is not negative, or in a tagged field not 0.
  bool present(bool tagged, const char* field);

  /// A tagged field: its number, and where it ends in the frame.
  struct Tag {
    std::uint32_t number = 0;
    std::size_t end = 0;
  };
  std::uint32_t tag_count(const char* structure);
  Tag open_tag(const char* structure);
  void skip_tag(const Tag& tag);
  /// Fails unless exactly the field's bytes were read.
  void close_tag(const Tag& tag, const char* structure);
  /// All tagged fields of a struct none of whose tags is known.
  void skip_tags(const char* structure);

  /// The first failure, or that bytes are left over.
  Status finish();

 private:
  const char* take(std::size_t bytes, const char* field);
  template <typename T>
  T integer(const char* field);
  std::uint32_t uvarint(const char* field);
  std::int64_t length(bool compact, bool is_string, const char* field);
  std::optional<std::string_view> text(bool compact, bool nullable, bool is_string,
                                       const char* field);
  void fail(Code code, const char* field, std::size_t at, std::string what);

  std::string_view frame_;
  std::size_t at_ = 0;
  std::size_t array_bytes_left_;
  std::size_t unknown_tagged_fields_ = 0;
  std::string_view message_ = "frame";
  Version version_{};
  std::optional<Error> failure_;
};

/// What a Writer made: bytes of its own, and the places where bytes of others go between them.
class Frame {
 public:
  struct Inserted {
    std::size_t at;  ///< in own()
    std::string_view bytes;
  };

  Frame() = default;
  Frame(std::string own, std::vector<Inserted> inserted)
      : own_(std::move(own)), inserted_(std::move(inserted)) {}

  std::size_t size_bytes() const;
  /// In wire order, for a gathering write. Views into this Frame and into what was inserted.
  std::vector<std::string_view> pieces() const;
  /// All in one string: a copy.
  std::string joined() const;

 private:
  std::string own_;
  std::vector<Inserted> inserted_;
};

/// Whether a Writer puts the int32 size of all that follows in front, as on a connection.
enum class Framing { kBare, kLengthPrefixed };

/// Writes one frame.
class Writer {
 public:
  /// Pieces of records of at least this size are not copied but inserted.
  static constexpr std::size_t kInsertFromBytes = 512;

  explicit Writer(Framing framing = Framing::kBare);

  /// Says what is written next. kUnimplemented when `version` is not in lowest … highest.
  Status begin(std::string_view message, Version version, Version lowest, Version highest);
  /// The first failure so far.
  Status status() const;
  /// The frame, or the first failure; the Writer is empty afterwards.
  Result<Frame> finish();

  void boolean(bool value) { int8(value ? 1 : 0); }
  void int8(std::int8_t value);
  void int16(std::int16_t value);
  void uint16(std::uint16_t value);
  void int32(std::int32_t value);
  void uint32(std::uint32_t value);
  void int64(std::int64_t value);
  void float64(double value);
  void uuid(const Uuid& value);

  void string(bool compact, std::string_view value, const char* field);
  void string_or_null(bool compact, bool nullable, const std::optional<std::string>& value,
                      const char* field);
  void bytes(bool compact, std::string_view value, const char* field);
  void bytes_or_null(bool compact, bool nullable, const std::optional<std::string_view>& value,
                     const char* field);
  void records(bool compact, const Records& value, const char* field);
  void records_or_null(bool compact, bool nullable, const std::optional<Records>& value,
                       const char* field);

  /// The count in front of an array's elements.
  void array(bool compact, std::size_t count, const char* field);
  void null_array(bool compact, bool nullable, const char* field);
  /// The marker in front of a nullable struct.
  void present(bool tagged, bool value) { int8(value ? 1 : tagged ? 0 : -1); }

  void tag_count(std::uint32_t count) { uvarint(count); }
  /// Between open_tag() and close_tag() the field's value is written.
  std::size_t open_tag(std::uint32_t number);
  void close_tag(std::size_t opened_at);

  /// The field has a value but this version has no such field (kInvalidArgument).
  void unsupported(const char* field);
  /// The field is null and this version has no null for it (kInvalidArgument).
  void null_value(const char* field);

 private:
  void uvarint(std::uint32_t value);
  void length(bool compact, std::size_t bytes, const char* field);
  void null_length(bool compact, bool nullable, const char* field);
  void fail(const char* field, std::string what);

  std::string out_;
  std::vector<Frame::Inserted> inserted_;
  std::size_t inserted_bytes_ = 0;
  Framing framing_;
  std::string_view message_ = "frame";
  Version version_{};
  std::optional<Error> failure_;
};

}  // namespace tailrace::kafka
