#include "kafka/call.h"

#include <fmt/format.h>

#include "base/log.h"
#include "kafka/messages/response_header.h"

namespace tailrace::kafka {
namespace {

struct Answer {
  Frame frame;
  std::shared_ptr<const void> held;
};

}  // namespace

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
  auto answer = std::make_shared<const Answer>(Answer{std::move(*frame), std::move(held)});
  auto pieces = answer->frame.pieces();
  reply_.send(net::Outgoing(std::move(pieces), std::move(answer)), manner_);
}

}  // namespace tailrace::kafka
