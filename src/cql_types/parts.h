// The parts of collections, tuples, user types and vectors, in the native protocol's bytes (v3 to
// v5), without copies.
//
//   list, set    := n:i32 { part }            map := n:i32 { part part }
//   tuple, UDT   := { part }                  trailing parts may be missing: null
//   vector       := { element }               fixed length: its bytes; else vint-length, bytes
//   part         := length:i32 bytes          length < 0: null
//
// A reader never reads beyond its bytes: next() is false at the end and after a failure, and
// failed() tells which.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "cql_types/type.h"

namespace tailrace::cql_types {

/// A value's bytes, or null. Views of what the caller holds.
using Part = std::optional<std::string_view>;

/// Parts of a list or set, or keys and values of a map in turn.
class CollectionReader {
 public:
  /// `values_each` is 2 for a map. A value too short for its count has failed at once.
  CollectionReader(std::string_view bytes, int values_each);

  /// How many elements the value claims, at least 0; it may hold fewer.
  std::int32_t size() const { return size_; }
  bool next(Part& part);
  bool failed() const { return failed_; }
  /// What follows the last part.
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
  std::int32_t size_ = 0;
  std::int64_t left_ = 0;
  bool failed_ = false;
};

/// Fields of a tuple or UDT, those present.
class TupleReader {
 public:
  explicit TupleReader(std::string_view bytes) : rest_(bytes) {}
  bool next(Part& part);
  bool failed() const { return failed_; }
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
  bool failed_ = false;
};

/// Elements of a vector.
class VectorReader {
 public:
  VectorReader(const Type& vector, std::string_view bytes)
      : rest_(bytes), length_(fixed_length(vector.element())), left_(vector.dimension) {}
  bool next(std::string_view& element);
  bool failed() const { return failed_; }
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
  std::size_t length_;
  int left_;
  bool failed_ = false;
};

/// The count of a collection's elements, before its parts.
void append_count(std::string& out, std::int32_t count);
/// One part; nullopt is null. Parts are shorter than 2 GiB.
void append_part(std::string& out, Part part);
/// One element of a vector whose elements have the type `element`.
void append_element(std::string& out, const Type& element, std::string_view bytes);

// Variable-length integers as Cassandra writes them: as many bytes follow as the first has leading
// ones. Signed ones are zig-zag. take_… is false for bytes that are cut off.
void append_unsigned_vint(std::string& out, std::uint64_t value);
bool take_unsigned_vint(std::string_view& bytes, std::uint64_t& value);
void append_vint(std::string& out, std::int64_t value);
bool take_vint(std::string_view& bytes, std::int64_t& value);

}  // namespace tailrace::cql_types
