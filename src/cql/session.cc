#include "cql/session.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"

namespace tailrace::cql {

using cql_protocol::Head;
using cql_protocol::kHeadBytes;
using cql_types::ErrorCode;
using cql_types::Failure;

namespace {

constexpr std::string_view kTlsHello("\x16\x03", 2);

std::uint64_t size_of(const Head& head) {
  return kHeadBytes + std::uint64_t{head.length};
}

Failure protocol_error(std::string what) {
  return {ErrorCode::kProtocol, std::move(what)};
}

/// Why a message that came whole is not taken. In segments Cassandra's sentence lacks a space.
std::optional<Failure> why_not(std::string_view message, const Head& head, int version,
                               bool in_segment) {
  if (auto why = cql_protocol::unknown_version(static_cast<std::uint8_t>(message[0]))) return why;
  if (auto why = cql_protocol::unusable_head(head)) return why;
  if (version == 0 || head.version == version) return std::nullopt;
  return protocol_error(fmt::format(
      "Invalid message version. Got {} but previous{}messages on this connection had version {}",
      cql_protocol::version_name(head.version), in_segment ? "" : " ",
      cql_protocol::version_name(version)));
}

}  // namespace

Session::Session(Shared& shared, const net::Peer& peer)
    : conversation_(shared, peer.address), number_(peer.port), share_(shared.unfinished) {
  shared.metrics->connected();
}

int Session::version() const {
  const int version = conversation_.line().version;
  return version == 0 ? cql_protocol::kVersion : version;
}

void Session::tell(std::int16_t stream, const Failure& why, net::Reply reply, bool close_after) {
  const Head head{.version = version(), .stream = stream};
  send_message(conversation_.line(), std::move(reply), head, Clock::now(), {why}, close_after);
}

Result<std::size_t> Session::frame_length(std::string_view bytes) {
  return segments_ ? segments_->length(bytes) : plain_length(bytes);
}

void Session::serve(std::string_view frame, net::Reply reply) {
  conversation_.line().metrics->received(frame.size());
  if (segments_) return serve_segment(frame, std::move(reply));
  serve_plain(frame, std::move(reply));
  const Line& line = conversation_.line();
  if (line.segments) segments_.emplace(line.compression == cql_protocol::Compression::kLz4);
}

// Before STARTUP, and versions 3 and 4.

std::size_t Session::plain_length(std::string_view bytes) {
  if (dropping_ > 0) return std::min<std::uint64_t>(dropping_, bytes.size());
  // Nobody knows where a message of an unknown version ends.
  if (cql_protocol::unknown_version(static_cast<std::uint8_t>(bytes[0]))) return bytes.size();
  if (bytes.size() < kHeadBytes) return 0;
  const Head head = cql_protocol::read_head(bytes);
  if (cql_protocol::unusable_head(head)) return kHeadBytes;
  if (size_of(head) > conversation_.shared().frame_bytes)
    return std::min<std::uint64_t>(size_of(head), bytes.size());
  if (size_of(head) <= bytes.size() || share_.grow_to(bytes.size())) return size_of(head);
  dropped_ = head;
  dropping_ = size_of(head);
  crowded_out_ = true;
  return bytes.size();
}

void Session::serve_plain(std::string_view frame, net::Reply reply) {
  if (dropping_ > 0) return drop(frame, std::move(reply));
  if (const auto why = cql_protocol::unknown_version(static_cast<std::uint8_t>(frame[0])))
    return refuse_version(frame, *why, std::move(reply));
  const Head head = cql_protocol::read_head(frame);
  if (const auto why = cql_protocol::unusable_head(head)) {
    dropping_ = head.length;
    const bool beta = head.version == cql_protocol::kBetaVersion;
    const Head answered{.version = beta ? head.version : version(), .stream = head.stream};
    return send_message(conversation_.line(), std::move(reply), answered, Clock::now(), {*why});
  }
  if (size_of(head) > conversation_.shared().frame_bytes) {
    dropped_ = head;
    dropping_ = size_of(head);
    too_long_ = true;
    return drop(frame, std::move(reply));
  }
  if (const auto why = why_not(frame, head, conversation_.line().version, false))
    return tell(head.stream, *why, std::move(reply));
  conversation_.serve(head, frame.substr(kHeadBytes), std::move(reply));
  share_.clear();
}

Failure Session::crowded_out() const {
  return {ErrorCode::kOverloaded,
          fmt::format("Requests that have come in part hold {} bytes, which is all they may: try "
                      "again",
                      conversation_.shared().unfinished.most())};
}

void Session::drop(std::string_view bytes, net::Reply reply) {
  share_.clear();
  dropping_ -= bytes.size();
  if (dropping_ > 0) return reply.send({});
  if (std::exchange(crowded_out_, false))
    return tell(dropped_.stream, crowded_out(), std::move(reply));
  if (!std::exchange(too_long_, false)) return reply.send({});
  const auto what = fmt::format("Request is too big: length {} exceeds maximum allowed length {}.",
                                size_of(dropped_), conversation_.shared().frame_bytes);
  tell(dropped_.stream, {ErrorCode::kInvalid, what}, std::move(reply));
}

void Session::refuse_version(std::string_view frame, const Failure& why, net::Reply reply) {
  if (frame.starts_with(kTlsHello))
    return reply.close("a client that speaks TLS, at a port that does not");
  if (frame.size() < kHeadBytes) return reply.close(why.message);
  Head head = cql_protocol::read_head(frame);
  const bool old = head.version < cql_protocol::kLowestVersion;
  if (old) head.stream = static_cast<std::int8_t>(frame[2]);
  if (!old || head.version == 0) head.version = version();
  send_message(conversation_.line(), std::move(reply), head, Clock::now(), {why});
}

// Segments.

void Session::serve_segment(std::string_view segment, net::Reply reply) {
  faults_ = 0;
  std::optional<cql_protocol::BadCheck> bad;
  const auto read = segments_->read(segment, bad);
  if (bad) {
    const auto what = fmt::format(
        "{:08x} invalid, unrecoverable CRC mismatch detected in frame {}. Read {}, Computed {}",
        number_, bad->in_head ? "header" : "body", static_cast<std::int32_t>(bad->read),
        static_cast<std::int32_t>(bad->computed));
    return tell(0, protocol_error(what), std::move(reply), true);
  }
  if (!read) return tell(0, {ErrorCode::kServer, read.error().what}, std::move(reply), true);
  if (read->self_contained) return serve_contained(read->payload, std::move(reply));
  if (large_size_ == 0) return serve_first_part(read->payload, std::move(reply));
  serve_part(read->payload, std::move(reply));
}

void Session::serve_contained(std::string_view payload, net::Reply reply) {
  const bool one =
      payload.size() >= kHeadBytes && size_of(cql_protocol::read_head(payload)) == payload.size();
  if (one) {
    serve_one(payload, std::move(reply));
    return;
  }
  while (!payload.empty() && serve_one(payload, reply.another())) {
  }
  reply.send({});
}

/// Takes a message off the front of a segment's payload. False: the connection ends.
bool Session::serve_one(std::string_view& payload, net::Reply reply) {
  if (payload.size() < kHeadBytes) {
    tell(0,
         {ErrorCode::kServer, fmt::format("{} bytes of a message in a segment; its head takes {}",
                                          payload.size(), kHeadBytes)},
         std::move(reply), true);
    return false;
  }
  const Head head = cql_protocol::read_head(payload);
  if (const auto length = static_cast<std::int32_t>(head.length); length < 0) {
    const auto what =
        fmt::format("Invalid value for envelope header body length field: {}", length);
    tell(head.stream, protocol_error(what), std::move(reply), true);
    return false;
  }
  const auto message = payload.substr(0, size_of(head));
  payload.remove_prefix(message.size());
  if (const auto why = why_not(message, head, version(), true))
    return fault(head.stream, *why, std::move(reply));
  if (message.size() < size_of(head)) {
    tell(0,
         {ErrorCode::kServer, fmt::format("{} bytes of a message in a segment; its head says {}",
                                          message.size(), size_of(head))},
         std::move(reply), true);
    return false;
  }
  const bool last = faults_ >= conversation_.shared().faults;
  const bool good = conversation_.serve(head, message.substr(kHeadBytes), std::move(reply), last);
  faults_ = good ? 0 : faults_ + 1;
  return good || !last;
}

/// Answers a message that is not taken; false when there were too many of them.
bool Session::fault(std::int16_t stream, const Failure& why, net::Reply reply) {
  const bool last = ++faults_ > conversation_.shared().faults;
  tell(stream, why, std::move(reply), last);
  return !last;
}

void Session::serve_first_part(std::string_view payload, net::Reply reply) {
  if (payload.size() < kHeadBytes)
    return tell(0, {ErrorCode::kServer, "a message in parts, the first without its head"},
                std::move(reply), true);
  const Head head = cql_protocol::read_head(payload);
  if (const auto why = why_not(payload, head, version(), true))
    return tell(head.stream, *why, std::move(reply), true);
  if (conversation_.line().stage.load() != Stage::kReady) {
    const auto what = fmt::format(
        "The connection is not yet in a valid state to process multi frame CQL Messages, usually "
        "thismeans that authentication is still pending. type = {}, size = {}",
        cql_protocol::opcode_name(head.opcode), head.length);
    return tell(head.stream, protocol_error(what), std::move(reply), true);
  }
  large_size_ = size_of(head);
  large_arrived_ = 0;
  large_.assign(payload, 0, kHeadBytes);
  too_long_ = head.length > conversation_.shared().message_bytes;
  crowded_out_ = false;
  if (!too_long_)
    large_.reserve(std::min<std::size_t>(large_size_, 2 * cql_protocol::kMostPayload));
  large_arrived_ = kHeadBytes;
  serve_part(payload.substr(kHeadBytes), std::move(reply));
}

void Session::serve_part(std::string_view payload, net::Reply reply) {
  large_arrived_ += payload.size();
  if (large_arrived_ > large_size_)
    return tell(0, {ErrorCode::kServer, "a message in parts that are more than it"},
                std::move(reply), true);
  if (!too_long_ && !crowded_out_ && !share_.grow_to(large_.size() + payload.size())) {
    crowded_out_ = true;
    large_.resize(kHeadBytes);
    large_.shrink_to_fit();
    share_.clear();
  }
  if (!too_long_ && !crowded_out_) large_ += payload;
  if (large_arrived_ < large_size_) return reply.send({});
  serve_large(std::move(reply));
}

void Session::serve_large(net::Reply reply) {
  const std::string message = std::exchange(large_, {});
  large_size_ = 0;
  share_.clear();
  const Head head = cql_protocol::read_head(message);
  if (std::exchange(crowded_out_, false)) return tell(head.stream, crowded_out(), std::move(reply));
  if (!std::exchange(too_long_, false)) {
    conversation_.serve(head, std::string_view(message).substr(kHeadBytes), std::move(reply));
    return;
  }
  const auto what = fmt::format("CQL Message of size {} bytes exceeds allowed maximum of {} bytes",
                                head.length, conversation_.shared().message_bytes);
  tell(head.stream, {ErrorCode::kInvalid, what}, std::move(reply));
}

}  // namespace tailrace::cql
