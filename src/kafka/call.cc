#include "kafka/call.h"

#include <fmt/format.h>

#include "base/log.h"
#include "kafka/broker.h"
#include "kafka/messages/response_header.h"

namespace tailrace::kafka {
namespace {

struct Answer {
  Frame frame;
  std::shared_ptr<const void> held;
};

}  // namespace

bool Call::guarded() const {
  return broker_->authorizer() != nullptr;
}

bool Call::allows(auth::Operation operation, auth::Resource resource, std::string_view name,
                  bool named) const {
  const auto* authorizer = broker_->authorizer();
  if (authorizer == nullptr) return true;
  const auto principal = client_->principal.text();
  return authorizer->allows({principal, client_->peer.address, operation, resource, name},
                            named ? api_->name : std::string_view());
}

std::int32_t Call::allowed_operations(auth::Resource resource, std::string_view name) const {
  std::int32_t bits = 0;
  for (const auto operation : auth::operations_on(resource)) {
    if (allows(operation, resource, name, false)) bits |= 1 << static_cast<int>(operation);
  }
  return bits;
}

void Call::take(std::string_view quota, double amount) {
  auto& quotas = broker_->quotas();
  if (!quotas.any()) return;
  const auto wait =
      quotas.take(quota, client_->principal.name, client_id_, amount, auth::Quotas::now());
  manner_.pause = std::max(manner_.pause, wait);
}

bool Call::may_change(std::int32_t partitions, bool strict) {
  const auto wait =
      broker_->quotas().take_changes(client_->principal.name, client_id_,
                                     static_cast<double>(partitions), strict, auth::Quotas::now());
  manner_.pause = std::max(manner_.pause, wait);
  return !strict || wait.count() == 0;
}

std::int32_t Call::settle_throttle() {
  // A client that would have to wait longer than this asks again before.
  constexpr std::chrono::milliseconds kMost = std::chrono::hours(1);
  const bool owes = client_->owed_ms.load(std::memory_order_relaxed) != 0;
  const std::chrono::milliseconds owed(owes ? client_->owed_ms.exchange(0) : 0);
  manner_.pause = std::min(std::max(manner_.pause, owed), kMost);
  return static_cast<std::int32_t>(manner_.pause.count());
}

void Call::write_header(Writer& writer, Version version) const {
  ResponseHeader header;
  header.correlation_id = correlation_;
  // Its versions are those of the table: it cannot fail.
  static_cast<void>(header.encode(writer, api_->response_header(version)));
}

void Call::finish(Writer& writer, const Status& encoded, std::shared_ptr<const void> held) {
  auto frame = encoded ? writer.finish() : Result<Frame>(std::unexpected(encoded.error()));
  if (!frame) {
    LOG(error, "an answer could not be written: {}", frame.error().what);
    reply_.close("an answer could not be written");
    return;
  }
  count();
  auto answer = std::make_shared<const Answer>(Answer{std::move(*frame), std::move(held)});
  auto pieces = answer->frame.pieces();
  reply_.send(net::Outgoing(std::move(pieces), std::move(answer)), manner_);
}

void Call::no_answer() {
  settle_throttle();
  count();
  reply_.send(net::Outgoing(), manner_);
}

void Call::count() const {
  broker_->requests().answered(*api_, version_, std::chrono::steady_clock::now() - came_);
}

}  // namespace tailrace::kafka
