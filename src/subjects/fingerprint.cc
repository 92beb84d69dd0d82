// A schema's fingerprint: MD5 over its parts in the order in which Confluent's registry takes them,
// so that a guid means the same schema in both.
#include <openssl/evp.h>

#include <array>
#include <memory>

#include "base/check.h"
#include "subjects/entities.h"

namespace tailrace::subjects {
namespace {

class Digest {
 public:
  Digest() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
    CHECK(EVP_DigestInit_ex(context_.get(), EVP_md5(), nullptr) == 1);
  }
  void add(std::string_view bytes) {
    CHECK(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
  }
  void add(const std::optional<std::string>& text) {
    if (text) add(std::string_view(*text));
  }
  /// Tells a part that is there from one that is not.
  void mark() { add(std::string_view("\x01", 1)); }
  std::string result() {
    std::string out(16, '\0');
    unsigned size = 0;
    CHECK(EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char*>(out.data()), &size) ==
          1);
    return out;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

void add(Digest& digest, const SchemaReference& reference) {
  digest.add(std::string_view(reference.name));
  digest.add(std::string_view(reference.subject));
  const auto version = static_cast<std::uint32_t>(reference.version);
  const std::array<char, 4> bytes = {static_cast<char>(version >> 24),
                                     static_cast<char>(version >> 16),
                                     static_cast<char>(version >> 8), static_cast<char>(version)};
  digest.add(std::string_view(bytes.data(), bytes.size()));
}

void add(Digest& digest, const Metadata& metadata) {
  for (const auto& [path, values] : metadata.tags) {
    digest.add(std::string_view(path));
    for (const std::string& value : values) digest.add(std::string_view(value));
  }
  for (const auto& [name, value] : metadata.properties) {
    digest.add(std::string_view(name));
    digest.add(std::string_view(value));
  }
  for (const std::string& name : metadata.sensitive) digest.add(std::string_view(name));
}

void add(Digest& digest, const Rule& rule) {
  digest.add(rule.name);
  digest.add(rule.doc);
  digest.add(std::string_view(rule.kind));
  digest.add(std::string_view(rule.mode));
  digest.add(rule.type);
  for (const std::string& tag : rule.tags) digest.add(std::string_view(tag));
  for (const auto& [name, value] : rule.params) {
    digest.add(std::string_view(name));
    digest.add(std::string_view(value));
  }
  digest.add(rule.expr);
  digest.add(rule.on_success);
  digest.add(rule.on_failure);
  if (rule.disabled) digest.mark();
}

void add(Digest& digest, const RuleSet& rules) {
  for (const auto* list : {&rules.migration, &rules.domain, &rules.encoding}) {
    for (const Rule& rule : *list) add(digest, rule);
  }
  digest.add(rules.enable_at);
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string fingerprint(std::string_view text, const std::vector<SchemaReference>& references,
                        const std::optional<Metadata>& metadata,
                        const std::optional<RuleSet>& rules) {
  Digest digest;
  digest.add(text);
  for (const SchemaReference& reference : references) add(digest, reference);
  if (metadata) {
    digest.mark();
    add(digest, *metadata);
  }
  if (rules) {
    digest.mark();
    add(digest, *rules);
  }
  return digest.result();
}

std::string guid_of(std::string_view fingerprint) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (std::size_t i = 0; i < fingerprint.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out += '-';
    const auto byte = static_cast<unsigned char>(fingerprint[i]);
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

std::optional<std::string> fingerprint_of_guid(std::string_view guid) {
  std::string digits;
  for (std::size_t i = 0; i < guid.size(); ++i) {
    const bool dash = guid.size() == 36 && (i == 8 || i == 13 || i == 18 || i == 23);
    if (dash && guid[i] != '-') return std::nullopt;
    if (!dash) digits += guid[i];
  }
  if (digits.size() != 32) return std::nullopt;
  std::string out;
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    const int high = hex_value(digits[i]), low = hex_value(digits[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
  }
  return out;
}

}  // namespace tailrace::subjects
