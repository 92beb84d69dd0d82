// hash, xxhash64 (their rules are in hash_values.h), md5, sha1, sha2 and crc32.
#include <openssl/evp.h>
#include <zlib.h>

#include <array>
#include <cmath>
#include <numeric>

#include "engine/functions/decimal_rules.h"
#include "engine/functions/hash_values.h"
#include "engine/functions/registry.h"

namespace tailrace::engine {
namespace {

using Text = std::string_view;
using Id = arrow::Type::type;

/// BigInteger.toByteArray: the shortest big-endian two's complement.
Text big_endian(const Decimal128& value, std::array<char, 16>& out) {
  std::array<std::uint8_t, 16> little;
  value.ToBytes(little.data());
  std::size_t size = 16;
  const std::uint8_t fill = value.IsNegative() ? 0xFF : 0;
  while (size > 1 && little[size - 1] == fill && (little[size - 2] >> 7) == (fill >> 7)) --size;
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<char>(little[size - 1 - i]);
  return {out.data(), size};
}

template <typename Rule, typename T>
typename Rule::Hash hash_one(const T& value, bool short_decimal, typename Rule::Hash seed) {
  if constexpr (std::is_same_v<T, Text>) {
    return Rule::of_bytes(value, seed);
  } else if constexpr (std::is_same_v<T, Decimal128>) {
    if (short_decimal) return Rule::of_long(static_cast<std::int64_t>(value.low_bits()), seed);
    std::array<char, 16> bytes;
    return Rule::of_bytes(big_endian(value, bytes), seed);
  } else if constexpr (std::is_same_v<T, float>) {
    if (std::isnan(value)) return Rule::of_int(0x7fc00000, seed);
    return Rule::of_int(value == 0 ? 0 : std::bit_cast<std::int32_t>(value), seed);
  } else if constexpr (std::is_same_v<T, double>) {
    if (std::isnan(value)) return Rule::of_long(0x7ff8000000000000, seed);
    return Rule::of_long(value == 0 ? 0 : std::bit_cast<std::int64_t>(value), seed);
  } else if constexpr (sizeof(T) == 8) {
    return Rule::of_long(value, seed);
  } else {
    return Rule::of_int(static_cast<std::int32_t>(value), seed);
  }
}

/// Folds element places[row] of the array into hashes[row]; a place of -1 is null.
template <typename Rule>
void hash_column(const Array& array, std::span<const std::int64_t> places,
                 std::span<typename Rule::Hash> hashes);

template <typename Rule>
void hash_struct(const arrow::StructArray& structs, std::span<const std::int64_t> places,
                 std::span<typename Rule::Hash> hashes) {
  std::vector<std::int64_t> set(places.begin(), places.end());
  for (std::int64_t& place : set) {
    if (place >= 0 && structs.IsNull(place)) place = -1;
  }
  for (int field = 0; field < structs.num_fields(); ++field)
    hash_column<Rule>(structs.field(field), set, hashes);
}

template <typename Rule>
void hash_list(const arrow::ListArray& list, std::span<const std::int64_t> places,
               std::span<typename Rule::Hash> hashes) {
  for (std::size_t row = 0; row < places.size(); ++row) {
    if (places[row] < 0 || list.IsNull(places[row])) continue;
    for (std::int64_t k = list.value_offset(places[row]); k < list.value_offset(places[row] + 1);
         ++k) {
      hash_column<Rule>(list.values(), {&k, 1}, hashes.subspan(row, 1));
    }
  }
}

template <typename Rule>
void hash_column(const Array& array, std::span<const std::int64_t> places,
                 std::span<typename Rule::Hash> hashes) {
  if (array->type_id() == Id::NA) return;
  if (array->type_id() == Id::STRUCT)
    return hash_struct<Rule>(static_cast<const arrow::StructArray&>(*array), places, hashes);
  if (array->type_id() == Id::LIST)
    return hash_list<Rule>(static_cast<const arrow::ListArray&>(*array), places, hashes);
  const bool short_decimal =
      is_decimal_type(*array->type()) && decimal_of(*array->type()).precision <= 18;
  visit_fixed(*array->type(), [&]<typename T>() {
    const Reader<T> in(Value{array, false});
    for (std::size_t row = 0; row < places.size(); ++row) {
      const std::int64_t at = places[row];
      if (at >= 0 && !in.nulls[at])
        hashes[row] = hash_one<Rule, T>(in[at], short_decimal, hashes[row]);
    }
  });
}

template <typename Rule>
Result<Array> hash_rows(Call& call) {
  std::vector<typename Rule::Hash> hashes(static_cast<std::size_t>(call.rows), 42);
  std::vector<std::int64_t> each(hashes.size());
  std::iota(each.begin(), each.end(), 0);
  const std::vector<std::int64_t> first(hashes.size(), 0);
  for (const Value& value : call.args)
    hash_column<Rule>(value.array, value.constant ? first : each, hashes);
  Sink<typename Rule::Hash> out(call.type(), call.rows);
  for (std::int64_t row = 0; row < call.rows; ++row) out.set(row, hashes[row]);
  return out.finish();
}

bool has_map(const arrow::DataType& type) {
  if (type.id() == Id::MAP) return true;
  for (const auto& field : type.fields()) {
    if (has_map(*field->type())) return true;
  }
  return false;
}

Binder bind_hash(Type result) {
  return [result](const BindCall& call) -> Result<BoundFunction> {
    if (call.args.empty()) return wrong_count(call, "> 0");
    for (const Type& type : call.args) {
      if (has_map(*type)) {
        return error(Code::kInvalidArgument,
                     "[DATATYPE_MISMATCH.HASH_MAP_TYPE] Cannot resolve \"" + call.name +
                         "\" due to data type mismatch: Input to the function `" + call.name +
                         "` cannot contain elements of the \"MAP\" type. Hash the sorted "
                         "map_entries instead.");
      }
    }
    return BoundFunction{{call.args.begin(), call.args.end()}, result};
  };
}

class Digest {
 public:
  explicit Digest(const EVP_MD* kind) : kind_(kind), context_(EVP_MD_CTX_new()) {}
  ~Digest() { EVP_MD_CTX_free(context_); }
  Digest(const Digest&) = delete;
  Digest& operator=(const Digest&) = delete;

  /// Lower-case hexadecimal, good until the next call.
  Text of(Text bytes) {
    static constexpr char kHex[] = "0123456789abcdef";
    unsigned int size = 0;
    EVP_DigestInit_ex(context_, kind_, nullptr);
    EVP_DigestUpdate(context_, bytes.data(), bytes.size());
    EVP_DigestFinal_ex(context_, raw_.data(), &size);
    for (unsigned int i = 0; i < size; ++i) {
      hex_[2 * i] = kHex[raw_[i] >> 4];
      hex_[2 * i + 1] = kHex[raw_[i] & 15];
    }
    return {hex_.data(), 2 * std::size_t{size}};
  }

 private:
  const EVP_MD* kind_;
  EVP_MD_CTX* context_;
  std::array<unsigned char, EVP_MAX_MD_SIZE> raw_{};
  std::array<char, 2 * EVP_MAX_MD_SIZE> hex_{};
};

Kernel digest(const EVP_MD* (*kind)()) {
  return [kind](Call& call) {
    Digest digest(kind());
    return map_rows<Text>(call, [&](auto, Text bytes) { return digest.of(bytes); });
  };
}

Result<Array> sha2(Call& call) {
  Digest sha224(EVP_sha224()), sha256(EVP_sha256()), sha384(EVP_sha384()), sha512(EVP_sha512());
  return map_rows<Text, std::int32_t>(
      call, [&](auto, Text bytes, std::int32_t bits) -> std::optional<Text> {
        switch (bits) {
          case 224:
            return sha224.of(bytes);
          case 0:
          case 256:
            return sha256.of(bytes);
          case 384:
            return sha384.of(bytes);
          case 512:
            return sha512.of(bytes);
          default:
            return std::nullopt;
        }
      });
}

Result<Array> crc(Call& call) {
  return map_rows<Text>(call, [](auto, Text bytes) {
    return static_cast<std::int64_t>(
        crc32_z(0, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
  });
}

}  // namespace

void add_hashes(Functions& out) {
  const Binder of_bytes = signature("binary -> string");
  out.push_back({{"hash", "hash(a, …)", "Spark's Murmur3 of the values.",
                  "hash('Spark', array(123), 2)", "-1321691492"},
                 {},
                 bind_hash(arrow::int32()),
                 hash_rows<SparkMurmur3>});
  out.push_back({{"xxhash64", "xxhash64(a, …)", "XXH64 of the values.",
                  "xxhash64('Spark', array(123), 2)", "5602566077635097486"},
                 {},
                 bind_hash(arrow::int64()),
                 hash_rows<SparkXxHash64>});
  out.push_back({{"md5", "md5(bytes)", "MD5 in hexadecimal.", "md5('Spark')",
                  "8cde774d6f7333752ed72cacddb05126"},
                 {},
                 of_bytes,
                 digest(EVP_md5)});
  out.push_back({{"sha1", "sha1(bytes)", "SHA-1 in hexadecimal.", "sha1('Spark')",
                  "85f5955f4b27a9a4c2aab6ffe5d7189fc298b92c"},
                 {"sha"},
                 of_bytes,
                 digest(EVP_sha1)});
  out.push_back(
      {{"sha2", "sha2(bytes, bits)", "SHA-224, 256 (also 0), 384 or 512.", "sha2('Spark', 256)",
        "529bc3b07127ecb7e53a4dcf1991d9152c24537d919178022b2c42657f79a26b"},
       {},
       signature("binary, int -> string"),
       sha2});
  out.push_back({{"crc32", "crc32(bytes)", "CRC-32.", "crc32('Spark')", "1557323817"},
                 {},
                 signature("binary -> bigint"),
                 crc});
}

}  // namespace tailrace::engine
