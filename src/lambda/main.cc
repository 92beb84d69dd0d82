// The function alone, without the rest of the program: what `tailrace lambda package` puts into a
// package as `bootstrap`. Linked whole, it needs no library and no C library of the machine's, and
// starts in milliseconds.
#include "lambda/runtime.h"

// librdkafka's GSSAPI is of Cyrus SASL, which loads its mechanisms from files at run time; a
// program that is one file has none. PLAIN, SCRAM and OAUTHBEARER are librdkafka's own and do not
// come here.
extern "C" {
constexpr int kSaslNoMechanism = -4;
int sasl_client_init(const void*) {
  return 0;
}
int sasl_client_new(const char*, const char*, const char*, const char*, const void*, unsigned,
                    void**) {
  return kSaslNoMechanism;
}
int sasl_client_start(void*, const char*, void**, const char**, unsigned*, const char**) {
  return kSaslNoMechanism;
}
int sasl_client_step(void*, const char*, unsigned, void**, const char**, unsigned*) {
  return kSaslNoMechanism;
}
void sasl_dispose(void**) {}
const char* sasl_errdetail(void*) {
  return "GSSAPI is not in this program: use SCRAM, PLAIN, OAUTHBEARER or TLS certificates";
}
const char* sasl_errstring(int, const char*, const char**) {
  return sasl_errdetail(nullptr);
}
int sasl_getprop(void*, int, const void**) {
  return kSaslNoMechanism;
}
int sasl_listmech(void*, const char*, const char*, const char*, const char*, const char**,
                  unsigned*, int*) {
  return kSaslNoMechanism;
}
}

int main() {
  return tailrace::lambda::run_function(tailrace::lambda::process_environment());
}
