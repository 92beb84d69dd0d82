// An Avro schema (Avro 1.12), parsed and checked.
//
// Order of calls: AvroSchema::parse, then anything, from any thread. What is refused, with its
// place: names and namespaces that are none, a name defined twice with two meanings, a name never
// defined, unions in unions or with one type twice, defaults that do not fit (of new schemas), and
// what is too long, too deep, or nested more than kMaxTypeDepth types in one another by way of
// names. A name may be used before its definition, as Avro 1.12 for Java has it.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "schema/avro/type.h"
#include "schema/schema.h"

namespace tailrace::schema::avro {

/// How many types may lie in one another, each written where it is first used.
inline constexpr int kMaxTypeDepth = 1000;

class AvroSchema final : public ParsedSchema {
 public:
  static Result<std::shared_ptr<const AvroSchema>> parse(std::string_view text,
                                                         std::span<const Reference> references = {},
                                                         Age age = Age::kNew);

  const Type& root() const { return *root_; }

  Format format() const override { return Format::kAvro; }
  std::string canonical() const override;
  std::string normalized() const override;
  std::string record_name() const override;
  bool equivalent(const ParsedSchema& other) const override;
  std::vector<Incompatibility> incompatibilities(const ParsedSchema& writer) const override;

  /// As canonical(), with the definitions of the references written in.
  std::string resolved() const;

  /// The specification's "Parsing Canonical Form": what readers need, in one way of writing.
  std::string parsing_form() const;

  /// CRC-64-AVRO of parsing_form().
  std::uint64_t fingerprint() const;

 private:
  friend class Parser;
  AvroSchema() = default;

  std::deque<Type> types_;
  const Type* root_ = nullptr;
  std::unordered_set<std::string> referenced_;  ///< full names of the references' root types
};

/// The 64-bit Rabin fingerprint of the specification, "Schema Fingerprints".
std::uint64_t crc_64_avro(std::string_view bytes);

}  // namespace tailrace::schema::avro
