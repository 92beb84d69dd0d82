// PKCS#12 files become the PEM texts that contexts are made from.
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>

#include "net/tls.h"

namespace tailrace::net {
namespace {

template <auto free>
struct Free {
  template <typename T>
  void operator()(T* one) const {
    free(one);
  }
};
using Bio = std::unique_ptr<BIO, Free<BIO_free_all>>;

void free_stack(STACK_OF(X509) * all) {
  sk_X509_pop_free(all, X509_free);
}

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size > 0 ? size : 0)};
}

std::string pem_of(X509* certificate) {
  const Bio bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(bio.get(), certificate);
  return text_of(bio.get());
}

std::string pem_of(EVP_PKEY* key) {
  const Bio bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  return text_of(bio.get());
}

}  // namespace

Result<TlsStore> read_pkcs12(std::string_view bytes, const std::string& password) {
  if (bytes.starts_with("\xfe\xed\xfe\xed")) {
    return error(Code::kInvalidArgument,
                 "a JKS keystore, which only Java reads; `keytool -importkeystore "
                 "-deststoretype PKCS12` makes one that can be used, or take PEM");
  }
  const Bio bio(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
  const std::unique_ptr<PKCS12, Free<PKCS12_free>> store(d2i_PKCS12_bio(bio.get(), nullptr));
  if (!store) {
    ERR_clear_error();
    return error(Code::kInvalidArgument, "not a PKCS#12 file");
  }
  EVP_PKEY* key = nullptr;
  X509* own = nullptr;
  STACK_OF(X509)* others = nullptr;
  if (PKCS12_parse(store.get(), password.c_str(), &key, &own, &others) != 1) {
    ERR_clear_error();
    return error(Code::kInvalidArgument, "the PKCS#12 file cannot be opened with this password");
  }
  const std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>> held_key(key);
  const std::unique_ptr<X509, Free<X509_free>> held_own(own);
  const std::unique_ptr<STACK_OF(X509), Free<free_stack>> held_others(others);
  TlsStore out;
  if (own != nullptr) out.identity.certificates = pem_of(own);
  if (key != nullptr) out.identity.key = pem_of(key);
  for (int i = 0; i < sk_X509_num(others); ++i) out.trusted += pem_of(sk_X509_value(others, i));
  if (own != nullptr) out.identity.certificates += out.trusted;
  return out;
}

}  // namespace tailrace::net
