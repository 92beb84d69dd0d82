#include "net/certificate.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <array>
#include <memory>

namespace tailrace::net {
namespace {

/// Those of RFC 2253 §2.3; Java writes all others as their OID.
std::string_view attribute_word(int id) {
  constexpr std::array<std::pair<int, std::string_view>, 9> kWords = {{
      {NID_commonName, "CN"},
      {NID_countryName, "C"},
      {NID_localityName, "L"},
      {NID_stateOrProvinceName, "ST"},
      {NID_organizationName, "O"},
      {NID_organizationalUnitName, "OU"},
      {NID_streetAddress, "STREET"},
      {NID_domainComponent, "DC"},
      {NID_userId, "UID"},
  }};
  for (const auto& [known, word] : kWords) {
    if (known == id) return word;
  }
  return {};
}

/// RFC 2253 §2.4.
std::string escaped(std::string_view value) {
  std::string out;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const char c = value[i];
    const bool edge = (c == ' ' && (i == 0 || i + 1 == value.size())) || (c == '#' && i == 0);
    if (edge || std::string_view(",+\"\\<>;=").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

std::string value_of(const ASN1_STRING* value) {
  unsigned char* text = nullptr;
  const int size = ASN1_STRING_to_UTF8(&text, value);
  if (size < 0) return {};
  std::string out(reinterpret_cast<char*>(text), static_cast<std::size_t>(size));
  OPENSSL_free(text);
  return escaped(out);
}

std::string attribute(const X509_NAME_ENTRY* entry) {
  const auto* object = X509_NAME_ENTRY_get_object(entry);
  const auto* value = X509_NAME_ENTRY_get_data(entry);
  const auto word = attribute_word(OBJ_obj2nid(object));
  if (!word.empty()) return fmt::format("{}={}", word, value_of(value));
  std::array<char, 128> number{};
  OBJ_obj2txt(number.data(), static_cast<int>(number.size()), object, 1);
  std::string out = fmt::format("{}=#", number.data());
  unsigned char* der = nullptr;
  const int length = i2d_ASN1_PRINTABLE(value, &der);
  for (int i = 0; i < length; ++i) out += fmt::format("{:02x}", der[i]);
  OPENSSL_free(der);
  return out;
}

/// Kind and name as Java lists them (RFC 5280 §4.2.1.6); empty for kinds that are not told.
std::string alternate(const GENERAL_NAME& name) {
  int kind = 0;
  const void* value = GENERAL_NAME_get0_value(&name, &kind);
  if (kind == GEN_EMAIL || kind == GEN_DNS || kind == GEN_URI) {
    const auto* text = static_cast<const ASN1_STRING*>(value);
    return fmt::format("[{}, {}]", kind,
                       std::string_view(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                                        static_cast<std::size_t>(ASN1_STRING_length(text))));
  }
  if (kind != GEN_IPADD) return {};
  const auto* bytes = static_cast<const ASN1_STRING*>(value);
  constexpr int kIpv4Bytes = 4, kIpv6Bytes = 16;
  const int size = ASN1_STRING_length(bytes);
  if (size != kIpv4Bytes && size != kIpv6Bytes) return {};
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(size == kIpv4Bytes ? AF_INET : AF_INET6, ASN1_STRING_get0_data(bytes), text.data(),
            text.size());
  return fmt::format("[{}, {}]", kind, text.data());
}

}  // namespace

Result<std::string> public_key_pin(std::string_view certificates_pem) {
  const std::unique_ptr<BIO, void (*)(BIO*)> text(
      BIO_new_mem_buf(certificates_pem.data(), static_cast<int>(certificates_pem.size())),
      BIO_free_all);
  const std::unique_ptr<X509, void (*)(X509*)> certificate(
      PEM_read_bio_X509(text.get(), nullptr, nullptr, nullptr), X509_free);
  unsigned char* key = nullptr;
  const int size =
      certificate ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate.get()), &key) : -1;
  ERR_clear_error();
  if (size <= 0) return error(Code::kInvalidArgument, "there is no certificate in it");
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned digest_size = 0;
  EVP_Digest(key, static_cast<std::size_t>(size), digest.data(), &digest_size, EVP_sha256(),
             nullptr);
  OPENSSL_free(key);
  std::array<unsigned char, 2 * EVP_MAX_MD_SIZE> base64{};
  const int length = EVP_EncodeBlock(base64.data(), digest.data(), static_cast<int>(digest_size));
  return "sha256//" + std::string(reinterpret_cast<const char*>(base64.data()),
                                  static_cast<std::size_t>(length));
}

std::string name_text(const X509_NAME* name) {
  std::string out;
  std::string together;
  const int count = X509_NAME_entry_count(name);
  for (int i = 0; i < count; ++i) {
    const auto* entry = X509_NAME_get_entry(name, i);
    together += (together.empty() ? "" : "+") + attribute(entry);
    const bool more = i + 1 < count && X509_NAME_ENTRY_set(entry) ==
                                           X509_NAME_ENTRY_set(X509_NAME_get_entry(name, i + 1));
    if (more) continue;
    out = together + (out.empty() ? "" : ",") + out;
    together.clear();
  }
  return out;
}

CertificateNames names_of(x509_st& certificate) {
  CertificateNames names{.subject = name_text(X509_get_subject_name(&certificate)),
                         .alternates = {}};
  const std::unique_ptr<GENERAL_NAMES, void (*)(GENERAL_NAMES*)> all(
      static_cast<GENERAL_NAMES*>(
          X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr)),
      GENERAL_NAMES_free);
  for (int i = 0; all && i < sk_GENERAL_NAME_num(all.get()); ++i) {
    if (auto one = alternate(*sk_GENERAL_NAME_value(all.get(), i)); !one.empty())
      names.alternates.insert(std::move(one));
  }
  return names;
}

}  // namespace tailrace::net
