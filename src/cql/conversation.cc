#include "cql/conversation.h"

#include <fmt/format.h>

#include <algorithm>

#include "cql/startup.h"

namespace tailrace::cql {

using cql_protocol::Head;
using cql_protocol::Opcode;
using cql_types::ErrorCode;
using cql_types::Failure;
using cql_types::Outcome;

namespace {

/// A thread's requests, decoded into again and again.
struct Scratch {
  cql_protocol::Query query;
  cql_protocol::Prepare prepare;
  cql_protocol::Execute execute;
  cql_protocol::Batch batch;
};

Scratch& scratch() {
  thread_local Scratch mine;
  return mine;
}

Failure protocol_error(std::string what) {
  return {ErrorCode::kProtocol, std::move(what)};
}

bool is(const Head& head, Opcode opcode) {
  return head.opcode == static_cast<std::uint8_t>(opcode);
}

bool opens(const Head& head) {
  return is(head, Opcode::kStartup) || is(head, Opcode::kOptions);
}

Failure unexpected(const Head& head, std::string_view expected) {
  return protocol_error(
      fmt::format("Unexpected message {}, {}", cql_protocol::opcode_name(head.opcode), expected));
}

constexpr std::string_view kOpening = "expecting STARTUP or OPTIONS";

bool pages_of_nothing(const cql_protocol::Parameters& parameters) {
  return parameters.page_size == 0;
}

}  // namespace

void Conversation::tell(Turn turn, cql_protocol::ServerMessage message, bool close_after) const {
  send_message(*line_, std::move(turn.reply), turn.head, turn.since, message, close_after);
}

bool Conversation::refuse_body(Turn turn, Failure why) const {
  const bool last = turn.last;
  tell(std::move(turn), {std::move(why)}, last);
  return false;
}

bool Conversation::serve(const Head& head, std::string_view body, net::Reply reply, bool last) {
  Turn turn{head, body, std::move(reply), last};
  if (line_->version == 0) return serve_first(std::move(turn));
  if (!plain_body(turn)) return true;
  if (auto skipped = cql_protocol::skip_payload(head, turn.body); !skipped)
    return refuse_body(std::move(turn), std::move(skipped.error()));
  cql_query::Engine& engine = shared_.engine;
  cql_query::Client& client = line_->client;
  switch (static_cast<Opcode>(head.opcode)) {
    case Opcode::kStartup:
      return start(std::move(turn));
    case Opcode::kAuthResponse:
      return log_in(std::move(turn));
    case Opcode::kOptions: {
      cql_protocol::Options request;
      return decoded(request, std::move(turn),
                     [this](const auto&, Turn now) { tell(std::move(now), {supported()}); });
    }
    case Opcode::kRegister: {
      cql_protocol::Register request;
      return decoded(request, std::move(turn),
                     [this](const auto&, Turn now) { enlist(std::move(now)); });
    }
    case Opcode::kQuery:
      return decoded(scratch().query, std::move(turn), [&](const auto& request, Turn now) {
        if (pages_of_nothing(request.parameters))
          return tell(std::move(now), {protocol_error("The page size cannot be 0")});
        engine.query(client, request, done(std::move(now), "Execute CQL3 query", [&] {
                       auto all = trace_parameters(request.parameters);
                       all["query"] = request.text;
                       return all;
                     }));
      });
    case Opcode::kPrepare:
      return decoded(scratch().prepare, std::move(turn), [&](const auto& request, Turn now) {
        engine.prepare(client, request, done(std::move(now), "Preparing CQL3 query", [&] {
                         return TraceParameters{{"query", std::string(request.text)}};
                       }));
      });
    case Opcode::kExecute:
      return decoded(scratch().execute, std::move(turn), [&](const auto& request, Turn now) {
        if (pages_of_nothing(request.parameters))
          return tell(std::move(now), {protocol_error("The page size cannot be 0")});
        engine.execute(client, request, done(std::move(now), "Execute CQL3 prepared query", [&] {
                         auto all = trace_parameters(request.parameters);
                         all.merge(engine.described(request));
                         return all;
                       }));
      });
    case Opcode::kBatch:
      return decoded(scratch().batch, std::move(turn), [&](const auto& request, Turn now) {
        engine.batch(client, request, done(std::move(now), "Execute batch of CQL3 queries", [&] {
                       return trace_parameters(request.parameters);
                     }));
      });
    default:  // CREDENTIALS, of a version that is gone
      return refuse_body(std::move(turn), protocol_error("Unsupported message"));
  }
}

template <typename Request, typename Serve>
bool Conversation::decoded(Request& request, Turn turn, Serve serve) {
  if (auto read = cql_protocol::decode(turn.head.version, turn.body, request); !read)
    return refuse_body(std::move(turn), std::move(read.error()));
  if (!out_of_turn(turn)) serve(request, std::move(turn));
  return true;
}

/// True when the message is not expected now, which it was answered with.
bool Conversation::out_of_turn(Turn& turn) const {
  switch (line_->stage.load()) {
    case Stage::kNew:
      if (opens(turn.head)) return false;
      tell(std::move(turn), {unexpected(turn.head, kOpening)});
      return true;
    case Stage::kAuthenticating:
      if (is(turn.head, Opcode::kAuthResponse)) return false;
      tell(std::move(turn), {unexpected(turn.head, "expecting SASL_RESPONSE")});
      return true;
    case Stage::kReady:
      if (!is(turn.head, Opcode::kStartup)) return false;
      tell(std::move(turn), {unexpected(turn.head, "the connection is already initialized")});
      return true;
  }
  return false;
}

/// Of versions 3 and 4. False when what it holds is not compressed as was agreed.
bool Conversation::plain_body(Turn& turn) {
  const bool compressed = (turn.head.flags & cql_protocol::flag::kCompressed) != 0;
  if (!compressed || line_->segments || line_->compression == cql_protocol::Compression::kNone)
    return true;
  constexpr std::size_t kKept = 1 << 20;
  if (plain_.capacity() > kKept) plain_ = {};
  const auto plain =
      cql_protocol::decompress(line_->compression, turn.body, shared_.frame_bytes, plain_);
  if (!plain) {
    turn.reply.close(plain.error().what);
    return false;
  }
  turn.body = plain_;
  return true;
}

/// Before STARTUP.
bool Conversation::serve_first(Turn turn) {
  if (is(turn.head, Opcode::kOptions)) {
    tell(std::move(turn), {supported()});
  } else if (is(turn.head, Opcode::kStartup)) {
    start(std::move(turn));
  } else {
    tell(std::move(turn), {unexpected(turn.head, kOpening)}, true);
  }
  return true;
}

bool Conversation::start(Turn turn) {
  const int version = turn.head.version;
  cql_protocol::Startup request;
  const bool first = line_->version == 0;
  auto read = first ? cql_protocol::skip_payload(turn.head, turn.body) : Outcome<void>();
  if (read) read = cql_protocol::decode(version, turn.body, request);
  if (!read) {
    if (!first) return refuse_body(std::move(turn), std::move(read.error()));
    turn.reply.close(read.error().message);
    return true;
  }
  if (out_of_turn(turn)) return true;
  line_->version = version;
  if (first) {
    line_->client.traffic = [outlet = turn.reply.outlet()] {
      if (!outlet.open()) return cql_query::Traffic::kGone;
      return outlet.full() ? cql_query::Traffic::kStuck : cql_query::Traffic::kFlows;
    };
  }
  line_->client.protocol = std::min(version, cql_protocol::kVersion);
  const auto compression = check_startup(version, request);
  if (!compression) {
    tell(std::move(turn), {compression.error()});
  } else if (shared_.authenticator != nullptr) {
    line_->stage = Stage::kAuthenticating;
    tell(std::move(turn), {cql_protocol::Authenticate{shared_.authenticator->class_name()}});
  } else {
    line_->stage = Stage::kReady;
    tell(std::move(turn), {cql_protocol::Ready{}});
  }
  const auto segments = segments_of(version, request);
  line_->segments = segments.has_value();
  line_->compression = segments.value_or(compression.value_or(line_->compression));
  return true;
}

bool Conversation::log_in(Turn turn) {
  cql_protocol::AuthResponse request;
  if (auto read = cql_protocol::decode(turn.head.version, turn.body, request); !read)
    return refuse_body(std::move(turn), std::move(read.error()));
  if (!request.token) {
    return refuse_body(std::move(turn), {ErrorCode::kServer, "an AUTH_RESPONSE without a token"});
  }
  if (out_of_turn(turn)) return true;
  if (shared_.authenticator == nullptr) {
    tell(std::move(turn), {cql_protocol::AuthSuccess{}});
    return true;
  }
  auto credentials = plain_credentials(*request.token);
  if (!credentials)
    tell(std::move(turn), {std::move(credentials.error())});
  else
    check(std::move(*credentials), std::move(turn));
  return true;
}

void Conversation::check(Credentials credentials, Turn turn) {
  if (line_->logging_in.exchange(true)) {
    const bool ready = line_->stage.load() == Stage::kReady;
    return tell(std::move(turn),
                {unexpected(turn.head, ready ? "the connection is already initialized"
                                             : "a login is being checked")});
  }
  shared_.authenticator->check(
      std::move(credentials), [line = line_, head = turn.head, since = turn.since,
                               reply = std::move(turn.reply)](Outcome<std::string> role) mutable {
        if (!role) {
          line->logging_in = false;
          return send_message(*line, std::move(reply), head, since, {std::move(role.error())});
        }
        line->client.role = std::move(*role);
        line->stage = Stage::kReady;
        send_message(*line, std::move(reply), head, since, {cql_protocol::AuthSuccess{}});
      });
}

/// REGISTER: of what there is to be told, only the schema changes here.
void Conversation::enlist(Turn turn) {
  shared_.events.add(line_, turn.reply.outlet());
  tell(std::move(turn), {cql_protocol::Ready{}});
}

cql_query::Engine::Done Conversation::done(Turn turn, std::string_view request,
                                           const std::function<TraceParameters()>& parameters) {
  const Origin origin{turn.head.stream, turn.head.opcode, turn.since};
  const bool traced = (turn.head.flags & cql_protocol::flag::kTracing) != 0;
  if (!traced) {
    return [line = line_, origin,
            reply = std::move(turn.reply)](Outcome<cql_protocol::Answer> outcome) mutable {
      send_answer(*line, std::move(reply), origin, {}, std::move(outcome));
    };
  }
  auto trace = std::make_shared<Trace>(shared_.traces->begin(request, parameters()));
  trace->client = address_;
  trace->role = line_->client.role;
  return [line = line_, origin, trace = std::move(trace), traces = shared_.traces,
          reply = std::move(turn.reply)](Outcome<cql_protocol::Answer> outcome) mutable {
    traces->keep(*trace, outcome);
    send_answer(*line, std::move(reply), origin, trace->id, std::move(outcome));
  };
}

}  // namespace tailrace::cql
