#include "cql/line.h"

#include "cql_protocol/segment.h"

namespace tailrace::cql {

using cql_protocol::Answer;
using cql_protocol::Compression;
using cql_protocol::Head;
using cql_protocol::kHeadBytes;
using cql_protocol::Opcode;
using cql_types::Failure;
using cql_types::Outcome;

namespace {

/// Answers up to this size are copied together; larger ones go by themselves.
constexpr std::size_t kSmall = 16 << 10;
/// Bodies below this gain nothing by compression.
constexpr std::size_t kWorthCompressing = 256;

/// A thread's buffers, kept from answer to answer unless one was large.
struct Buffers {
  std::string message, framed;

  void clear() {
    constexpr std::size_t kKept = 1 << 20;
    for (std::string* buffer : {&message, &framed}) {
      buffer->clear();
      if (buffer->capacity() > kKept) buffer->shrink_to_fit();
    }
  }
};

Buffers& buffers() {
  thread_local Buffers mine;
  mine.clear();
  return mine;
}

Head answer_head(int version, std::int16_t stream, Opcode opcode, std::uint8_t flags = 0) {
  return {.version = version,
          .response = true,
          .flags = flags,
          .stream = stream,
          .opcode = static_cast<std::uint8_t>(opcode),
          .length = 0};
}

void set_flags(std::string& message, std::uint8_t flags) {
  message[1] = static_cast<char>(static_cast<std::uint8_t>(message[1]) | flags);
}

void compress_body(const Line& line, Buffers& use, std::string_view behind) {
  use.message += behind;
  use.framed.assign(use.message, 0, kHeadBytes);
  set_flags(use.framed, cql_protocol::flag::kCompressed);
  const auto body = std::string_view(use.message).substr(kHeadBytes);
  cql_protocol::compress(line.compression, body, use.framed);
  cql_protocol::end_message(use.framed, 0);
}

/// Frames the message, which is in `use.message` and `behind` it, as the line wants it. True: it is
/// in `use.framed`, all of it. False: it is as it was.
bool frame(const Line& line, Buffers& use, std::string_view behind) {
  const std::size_t size = use.message.size() + behind.size();
  if (line.segments) {
    cql_protocol::append_segments(use.framed, use.message, behind,
                                  line.compression == Compression::kLz4);
    return true;
  }
  if (line.compression == Compression::kNone || size < kHeadBytes + kWorthCompressing) return false;
  compress_body(line, use, behind);
  return true;
}

net::Manner manner(bool close_after) {
  net::Manner manner;
  manner.close_after = close_after;
  return manner;
}

void send_bytes(const Line& line, net::Reply& reply, std::string& bytes, bool close_after) {
  line.metrics->sent(bytes.size());
  if (bytes.size() <= kSmall && !close_after) return reply.send_copy(bytes);
  reply.send(net::Outgoing(std::move(bytes)), manner(close_after));
}

/// What a large answer lies in while it is sent.
struct Held {
  std::string head;
  Answer answer;
};

void send_held(const Line& line, net::Reply& reply, std::string head, Answer answer) {
  auto held = std::make_shared<Held>(std::move(head), std::move(answer));
  const auto& rows = std::get<cql_protocol::Rows>(held->answer.result);
  line.metrics->sent(held->head.size() + rows.content.size());
  std::vector<std::string_view> pieces{held->head, rows.content};
  reply.send(net::Outgoing(std::move(pieces), std::move(held)));
}

/// Writes an answer's message to `out` but for what it gives back.
Outcome<std::string_view> write(std::string& out, const Line& line, std::int16_t stream,
                                std::string_view tracing_id, const Outcome<Answer>& outcome) {
  const int version = line.version;
  cql_protocol::begin_message(
      out, answer_head(version, stream, outcome ? Opcode::kResult : Opcode::kError));
  set_flags(out, cql_protocol::append_prelude(
                     out, version,
                     {.tracing_id = tracing_id,
                      .warnings = outcome ? &outcome->warnings : &outcome.error().warnings}));
  std::string_view behind;
  if (outcome) {
    auto rest = cql_protocol::append_result(out, version, outcome->result);
    if (!rest) return rest;
    behind = *rest;
  } else {
    cql_protocol::append_failure(out, version, outcome.error());
  }
  cql_protocol::end_message(out, 0, behind.size());
  return behind;
}

}  // namespace

void send_answer(const Line& line, net::Reply reply, const Origin& origin,
                 std::string_view tracing_id, Outcome<Answer> outcome) {
  Buffers& use = buffers();
  auto behind = write(use.message, line, origin.stream, tracing_id, outcome);
  if (!behind) {
    use.message.clear();
    outcome = std::unexpected(std::move(behind.error()));
    behind = write(use.message, line, origin.stream, tracing_id, outcome);
  }
  line.metrics->answered(origin.opcode, origin.since);
  if (!outcome) line.metrics->failed(outcome.error().code);
  if (frame(line, use, *behind)) return send_bytes(line, reply, use.framed, false);
  if (behind->size() > kSmall)
    return send_held(line, reply, std::move(use.message), std::move(*outcome));
  use.message += *behind;
  send_bytes(line, reply, use.message, false);
}

void send_message(const Line& line, net::Reply reply, Head head, Clock::time_point since,
                  const cql_protocol::ServerMessage& message, bool close_after) {
  line.metrics->answered(head.opcode, since);
  if (const auto* failure = std::get_if<Failure>(&message.body))
    line.metrics->failed(failure->code);
  Buffers& use = buffers();
  std::string body;
  const auto opcode = cql_protocol::append_message(body, head.version, message);
  Head answer = answer_head(head.version, head.stream, *opcode);
  answer.length = static_cast<std::uint32_t>(body.size());
  cql_protocol::append_head(use.message, answer);
  use.message += body;
  const bool framed = frame(line, use, {});
  send_bytes(line, reply, framed ? use.framed : use.message, close_after);
}

std::string event_bytes(const Line& line, const cql_protocol::Event& event) {
  Buffers& use = buffers();
  cql_protocol::begin_message(
      use.message, answer_head(line.version, cql_protocol::kEventStream, Opcode::kEvent));
  cql_protocol::append_event(use.message, line.version, event);
  cql_protocol::end_message(use.message, 0);
  const std::string& bytes = frame(line, use, {}) ? use.framed : use.message;
  line.metrics->sent(bytes.size());
  return bytes;
}

}  // namespace tailrace::cql
