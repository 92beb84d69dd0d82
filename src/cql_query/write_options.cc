#include "cql_query/write_options.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"

namespace tailrace::cql_query {
namespace {

constexpr std::int32_t kMaxTtl = 20 * 365 * 24 * 60 * 60;
// Cassandra 5.0 keeps times of expiry in 31 bits while it is compatible with 4.x, its default.
constexpr std::int64_t kLastExpiry = 0x7FFFFFFE;
constexpr std::string_view kLastExpiryText = "2038-01-19T03:14:06+00:00";

Outcome<void> check_expiry(std::int32_t ttl, bool is_default, const Bindings& bindings,
                           const cql_schema::Table& table) {
  if (ttl == 0 || bindings.now_us / 1'000'000 + ttl <= kLastExpiry) return {};
  return cql_types::invalid(fmt::format(
      "Request on table {}.{} with {}ttl of {} seconds exceeds maximum supported expiration date "
      "of {}. In order to avoid this use a lower TTL, change the expiration date overflow policy "
      "or upgrade to a version where this limitation is fixed. See CASSANDRA-14092 and "
      "CASSANDRA-14227 for more details.",
      table.keyspace, table.name, is_default ? "default " : "", ttl, kLastExpiryText));
}

}  // namespace

std::int64_t expiry(std::int64_t now_seconds, std::int32_t ttl) {
  return ttl == 0 ? 0 : std::min(now_seconds + ttl, kLastExpiry);
}

Outcome<WriteOptions> WriteOptions::prepare(const cql_syntax::Using& options,
                                            std::string_view keyspace, std::string_view table,
                                            const cql_terms::Scope& scope) {
  using cql_types::Kind;
  const cql_syntax::Expression* timestamp = nullptr;
  const cql_syntax::Expression* ttl = nullptr;
  for (const auto& option : options) {
    (option.kind == cql_syntax::Option::Kind::kTtl ? ttl : timestamp) = &option.value;
  }
  const auto receiver = [&](std::string name, Kind kind) {
    return cql_terms::ColumnSpec{std::string(keyspace), std::string(table), std::move(name),
                                 cql_types::native_type(kind)};
  };
  WriteOptions made;
  if (timestamp != nullptr) {
    ASSIGN(made.timestamp_,
           cql_terms::prepare(*timestamp, receiver("[timestamp]", Kind::kBigint), scope));
  }
  if (ttl != nullptr) {
    ASSIGN(made.ttl_, cql_terms::prepare(*ttl, receiver("[ttl]", Kind::kInt), scope));
  }
  return made;
}

Outcome<std::int64_t> WriteOptions::timestamp(const Bindings& bindings,
                                              std::int64_t otherwise) const {
  if (timestamp_ == nullptr) return otherwise;
  ASSIGN(const auto value, timestamp_->bind(bindings));
  if (value.is_unset()) return otherwise;
  if (value.is_null() || value.bytes.size() != 8) {
    return cql_types::invalid("Invalid null value of timestamp");
  }
  return load_be<std::int64_t>(value.bytes.data());
}

Outcome<std::int32_t> WriteOptions::ttl(const Bindings& bindings,
                                        const cql_schema::Table& table) const {
  const std::int32_t by_default = table.options.default_time_to_live;
  if (ttl_ == nullptr) {
    TRY(check_expiry(by_default, true, bindings, table));
    return by_default;
  }
  ASSIGN(const auto value, ttl_->bind(bindings));
  if (value.is_unset()) return by_default;
  if (value.is_null() || value.bytes.size() != 4) return 0;
  const auto ttl = load_be<std::int32_t>(value.bytes.data());
  if (ttl < 0) {
    return cql_types::invalid(fmt::format("A TTL must be greater or equal to 0, but was {}", ttl));
  }
  if (ttl > kMaxTtl) {
    return cql_types::invalid(
        fmt::format("ttl is too large. requested ({}) maximum ({})", ttl, kMaxTtl));
  }
  TRY(check_expiry(ttl, false, bindings, table));
  return ttl;
}

}  // namespace tailrace::cql_query
