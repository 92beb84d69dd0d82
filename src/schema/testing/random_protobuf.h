// Random .proto files, changes to them as people make them, and many ways to write one: small
// pools of names and numbers, so that two files often have to do with one another.
#pragma once

#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "schema/protobuf/element.h"
#include "schema/schema.h"

namespace tailrace::schema::testing {

class RandomProtobuf {
 public:
  explicit RandomProtobuf(std::uint64_t seed) : random_(seed) {}

  /// A file that protoc takes. What references() defines may be used in it.
  protobuf::File file();
  /// With one to three changes; it may be no schema any more.
  protobuf::File changed(protobuf::File from);
  /// The text of a file, with comments, spaces and an order of declarations of its own.
  std::string written(const protobuf::File& file);

  /// Files that may be imported, by their paths.
  std::vector<Reference> references(bool changed);

  /// For values that go into columns: no recursion, no groups, no extensions.
  void keep_to_columns() { columns_only_ = true; }

  std::size_t below(std::size_t count) {
    return count == 0 ? 0 : std::uniform_int_distribution<std::size_t>(0, count - 1)(random_);
  }
  bool one_in(std::size_t count) { return below(count) == 0; }
  std::mt19937_64& random() { return random_; }

 private:
  std::string pick(std::initializer_list<std::string_view> words) {
    return std::string(words.begin()[below(words.size())]);
  }
  protobuf::Message message(const std::string& name, int depth);
  protobuf::Enum enumeration(const std::string& name);
  protobuf::Field field(const protobuf::Message& of, bool in_oneof);
  std::string type();
  protobuf::Options options(std::string_view of);
  protobuf::Value value(int depth);
  void change(protobuf::File& file);
  void change(protobuf::Message& message);

  std::mt19937_64 random_;
  bool proto3_ = true;
  bool columns_only_ = false;
  std::vector<std::string> usable_;  ///< names of types that fields may have
};

}  // namespace tailrace::schema::testing
