#include "net/tls_swap.h"

#include <openssl/ssl.h>

#include <mutex>
#include <utility>

namespace tailrace::net {
namespace {

/// What counts instead of the context that it belongs to.
struct Slot {
  std::mutex mutex;
  std::shared_ptr<const Tls> now;
};

void free_slot(void* /*context*/, void* slot, CRYPTO_EX_DATA* /*all*/, int /*index*/,
               long /*number*/, void* /*more*/) {
  delete static_cast<Slot*>(slot);
}

int slot_index() {
  static const int kIndex = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, free_slot);
  return kIndex;
}

using Context = std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)>;

Slot* slot_of(const SSL_CTX& context) {
  return static_cast<Slot*>(SSL_CTX_get_ex_data(&context, slot_index()));
}

/// The context that counts, held.
Context counting(const SSL_CTX& context) {
  Slot* slot = slot_of(context);
  if (slot == nullptr) return {nullptr, SSL_CTX_free};
  const std::lock_guard lock(slot->mutex);
  return {slot->now ? slot->now->share() : nullptr, SSL_CTX_free};
}

// Before anything of the handshake is chosen.
int choose(SSL* connection, int* /*alert*/, void* /*none*/) {
  const Context now = counting(*SSL_get_SSL_CTX(connection));
  if (now) SSL_set_SSL_CTX(connection, now.get());
  return SSL_CLIENT_HELLO_SUCCESS;
}

}  // namespace

void make_swappable(ssl_ctx_st& context) {
  SSL_CTX_set_ex_data(&context, slot_index(), new Slot);
  SSL_CTX_set_client_hello_cb(&context, choose, nullptr);
}

void use_instead(const Tls& tls, std::shared_ptr<const Tls> now) {
  const Context context(tls.share(), SSL_CTX_free);
  Slot& slot = *slot_of(*context);
  const std::lock_guard lock(slot.mutex);
  slot.now.swap(now);
}

CertificateNames shown_names(const Tls& tls) {
  const Context context(tls.share(), SSL_CTX_free);
  const Context now = counting(*context);
  X509* shown = SSL_CTX_get0_certificate(now ? now.get() : context.get());
  return shown == nullptr ? CertificateNames() : names_of(*shown);
}

}  // namespace tailrace::net
