// Functions that hide values: mask_null, mask_default, mask_replace, mask_inner, mask_outer,
// mask_hash.
#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <map>

#include "base/bytes.h"
#include "cql_terms/native.h"
#include "cql_terms/prepared.h"
#include "cql_terms/times.h"

namespace tailrace::cql_terms {

using cql_types::invalid;
using cql_types::Kind;
using cql_types::native_type;

namespace {

std::string default_mask(const Type& type) {
  switch (type.kind) {
    case Kind::kAscii:
    case Kind::kText:
      return "****";
    case Kind::kBlob:
    case Kind::kCustom:
      return {};
    case Kind::kBoolean:
    case Kind::kTinyint:
    case Kind::kVarint:
      return std::string(1, '\0');
    case Kind::kSmallint:
      return std::string(2, '\0');
    case Kind::kInt:
    case Kind::kFloat:
    case Kind::kInet:
      return std::string(4, '\0');
    case Kind::kDecimal:
      return std::string(5, '\0');
    case Kind::kDate:
      return time_bytes(Kind::kDate, 0);
    case Kind::kDuration:
      return cql_types::duration_bytes({});
    case Kind::kUuid:
      return std::string(16, '\0');
    case Kind::kTimeuuid:
      return cql_types::min_timeuuid(0);
    case Kind::kList:
    case Kind::kSet:
    case Kind::kMap:
      return std::string(4, '\0');
    case Kind::kTuple:
    case Kind::kUserType:
    case Kind::kVector: {
      std::vector<std::string> masked;
      const auto count = type.kind == Kind::kVector ? static_cast<std::size_t>(type.dimension)
                                                    : type.parameters.size();
      for (std::size_t i = 0; i < count; ++i)
        masked.push_back(default_mask(*type.parameters[type.kind == Kind::kVector ? 0 : i]));
      const std::vector<Part> parts(masked.begin(), masked.end());
      return pack(type, parts);
    }
    default:
      return std::string(8, '\0');
  }
}

// Text as Java has it: 16 bits a unit.
std::u16string units_of(std::string_view text) {
  std::u16string out;
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    char32_t c = length == 1 ? lead : lead & (0x7F >> length);
    for (std::size_t k = 1; k < length && i + k < text.size(); ++k)
      c = c << 6 | (static_cast<unsigned char>(text[i + k]) & 0x3F);
    i += length;
    if (c >= 0x10000) {
      out += static_cast<char16_t>(0xD7C0 + (c >> 10));
      out += static_cast<char16_t>(0xDC00 + (c & 0x3FF));
    } else {
      out += static_cast<char16_t>(c);
    }
  }
  return out;
}

// Halves of pairs that stand alone become '?'.
std::string text_of(std::u16string_view units) {
  std::string out;
  for (std::size_t i = 0; i < units.size(); ++i) {
    char32_t c = units[i];
    if (c >= 0xD800 && c < 0xE000) {
      const bool pair =
          c < 0xDC00 && i + 1 < units.size() && units[i + 1] >= 0xDC00 && units[i + 1] < 0xE000;
      c = pair ? 0x10000 + ((c - 0xD800) << 10) + (units[++i] - 0xDC00U) : U'?';
    }
    if (c < 0x80) {
      out += static_cast<char>(c);
      continue;
    }
    const int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    constexpr unsigned char kLeads[] = {0, 0xC0, 0xE0, 0xF0};
    out += static_cast<char>(kLeads[more] | (c >> (6 * more)));
    for (int k = more - 1; k >= 0; --k) out += static_cast<char>(0x80 | ((c >> (6 * k)) & 0x3F));
  }
  return out;
}

std::int64_t int_or_zero(Part value) {
  return value && value->size() == 4 ? load_be<std::int32_t>(value->data()) : 0;
}

Outcome<char16_t> padding_of(const std::string& name, std::span<const Part> values) {
  if (values.size() < 4 || !values[3]) return u'*';
  const auto units = units_of(*values[3]);
  if (units.size() == 1) return units[0];
  return invalid(
      fmt::format("The padding argument for function system.{} should be "
                  "single-character, but '{}' has {} characters.",
                  name, *values[3], units.size()));
}

Outcome<Made> mask_part(const std::string& name, bool inner, bool ascii,
                        std::span<const Part> values) {
  ASSIGN(const auto padding, padding_of(name, values));
  if (!values[0]) return std::nullopt;
  auto units = units_of(*values[0]);
  const auto first = int_or_zero(values[1]);
  const auto last = static_cast<std::int64_t>(units.size()) - 1 - int_or_zero(values[2]);
  for (std::size_t i = 0; i < units.size(); ++i) {
    const auto at = static_cast<std::int64_t>(i);
    const bool within = at >= first && at <= last;
    const bool without = at < first || at > last;
    if (inner ? within : without) units[i] = ascii && padding > 0x7F ? u'?' : padding;
  }
  return text_of(units);
}

const EVP_MD* digest_named(std::string_view name) {
  static const std::map<std::string, const char*, std::less<>> kDigests = {
      {"MD5", "MD5"},
      {"SHA", "SHA1"},
      {"SHA1", "SHA1"},
      {"SHA-1", "SHA1"},
      {"SHA-224", "SHA224"},
      {"SHA-256", "SHA256"},
      {"SHA-384", "SHA384"},
      {"SHA-512", "SHA512"},
      {"SHA-512/224", "SHA512-224"},
      {"SHA-512/256", "SHA512-256"},
      {"SHA3-224", "SHA3-224"},
      {"SHA3-256", "SHA3-256"},
      {"SHA3-384", "SHA3-384"},
      {"SHA3-512", "SHA3-512"}};
  std::string upper(name);
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  const auto at = kDigests.find(upper);
  return at == kDigests.end() ? nullptr : EVP_get_digestbyname(at->second);
}

Outcome<Made> hashed(std::span<const Part> values) {
  const auto algorithm = values.size() > 1 && values[1] ? *values[1] : "SHA-256";
  const EVP_MD* digest = digest_named(algorithm);
  if (!digest) return invalid("Hash algorithm not found: " + std::string(algorithm));
  if (!values[0]) return std::nullopt;
  unsigned char hash[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (EVP_Digest(values[0]->data(), values[0]->size(), hash, &size, digest, nullptr) != 1)
    return cql_types::failure(cql_types::ErrorCode::kServer,
                              "the hash " + std::string(algorithm) + " failed");
  return std::string(reinterpret_cast<const char*>(hash), size);
}

FunctionPtr masking(const std::string& name, const std::vector<TypePtr>& types, TypePtr result,
                    Function::Scalar scalar) {
  Function function;
  function.name = name;
  function.arguments = types;
  function.result = std::move(result);
  function.masking = true;
  function.scalar = std::move(scalar);
  return std::make_shared<const Function>(std::move(function));
}

Factory partial(const std::string& name, bool inner) {
  return factory(
      name,
      {{Parameter::Kind::kFixed, {Kind::kText, Kind::kAscii}},
       {Parameter::Kind::kFixed, {Kind::kInt}},
       {Parameter::Kind::kFixed, {Kind::kInt}},
       {Parameter::Kind::kFixed, {Kind::kText}, true}},
      [name, inner](const std::vector<TypePtr>& types, const TypePtr&) -> Outcome<FunctionPtr> {
        std::vector<TypePtr> taken = {types[0], native_type(Kind::kInt), native_type(Kind::kInt)};
        if (types.size() == 4) taken.push_back(native_type(Kind::kText));
        const bool ascii = types[0]->kind == Kind::kAscii;
        return masking(name, taken, types[0], [=](std::span<const Part> values, const Bindings&) {
          return mask_part(name, inner, ascii, values);
        });
      });
}

}  // namespace

void add_masks(NativeFunctions& functions) {
  functions.add(factory(
      "mask_null", {{Parameter::Kind::kAny}},
      [](const std::vector<TypePtr>& types, const TypePtr&) -> Outcome<FunctionPtr> {
        return masking(
            "mask_null", types, types[0],
            [](std::span<const Part>, const Bindings&) -> Outcome<Made> { return std::nullopt; });
      }));
  functions.add(
      factory("mask_default", {{Parameter::Kind::kAny}},
              [](const std::vector<TypePtr>& types, const TypePtr&) -> Outcome<FunctionPtr> {
                return masking(
                    "mask_default", types, types[0],
                    [mask = default_mask(*types[0])](
                        std::span<const Part>, const Bindings&) -> Outcome<Made> { return mask; });
              }));
  functions.add(factory(
      "mask_replace",
      {{Parameter::Kind::kAnyOrReceiver}, {Parameter::Kind::kAnyOrReceiver, {}, false, 0, true}},
      [](const std::vector<TypePtr>& types, const TypePtr&) -> Outcome<FunctionPtr> {
        return masking("mask_replace", types, types[1],
                       [](std::span<const Part> values, const Bindings&) -> Outcome<Made> {
                         return values[1] ? Made(*values[1]) : std::nullopt;
                       });
      }));
  functions.add(partial("mask_inner", true));
  functions.add(partial("mask_outer", false));
  functions.add(factory(
      "mask_hash", {{Parameter::Kind::kAny}, {Parameter::Kind::kFixed, {Kind::kText}, true}},
      [](const std::vector<TypePtr>& types, const TypePtr&) -> Outcome<FunctionPtr> {
        auto taken = types;
        if (taken.size() > 1) taken[1] = native_type(Kind::kText);
        return masking(
            "mask_hash", taken, native_type(Kind::kBlob),
            [](std::span<const Part> values, const Bindings&) { return hashed(values); });
      }));
}

}  // namespace tailrace::cql_terms
