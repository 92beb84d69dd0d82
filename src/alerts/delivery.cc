#include "alerts/delivery.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "net/http_client.h"

namespace tailrace::alerts {
namespace {

constexpr Ms kLongestPause = 5 * 60'000;
constexpr Ms kIdle = 60'000;

Ms pause_after(int attempts) {
  return std::min(kLongestPause, Ms{1000} << std::min(attempts - 1, 9));
}

}  // namespace

void settle(Outgoing& one, const Attempt& attempt, bool may_send_twice, Ms now) {
  using enum Attempt::End;
  one.said = attempt.said;
  const auto over = [&](const char* state) {
    one.state = state;
    one.over = now;
  };
  const bool again = attempt.end == kAgain || (attempt.end == kUnknown && may_send_twice);
  if (attempt.end == kSent) {
    one.reference = attempt.reference;
    over("sent");
  } else if (attempt.end == kRefused) {
    over("refused");
  } else if (!again) {
    over("unknown");
  } else if (now - one.made > kGiveUp) {
    one.said = "given up after a day: " + attempt.said;
    over("refused");
  } else {
    one.state = "waiting";
    one.next = now + attempt.wait.value_or(pause_after(one.attempts));
  }
}

bool take_up(Outgoing& one, bool may_send_twice, Ms now) {
  if (one.state != "sending") return true;
  if (may_send_twice) {
    one.state = "waiting";
    return true;
  }
  one.state = "unknown";
  one.said = "the program went while it was sent: it may have arrived, and is not sent again";
  one.over = now;
  return false;
}

struct Delivery::Line {
  ChannelSpec spec;
  std::unique_ptr<Channel> channel;
  std::mutex sending;  ///< of the channel
  std::mutex mutex;    ///< of what follows
  std::condition_variable_any woken;
  bool news = true;
  std::string last;
  Ms last_at = 0, free_at = 0;
  bool failing = false;
  Counts counts;
  std::jthread thread;

  bool may_send_twice() const { return spec.at_least_once || channel->is_idempotent(); }
};

std::string where(const ChannelSpec& spec) {
  switch (spec.type) {
    case ChannelType::kEmail:
      return fmt::format("{} by {}", fmt::join(spec.to, ", "), spec.smtp.host);
    case ChannelType::kSlack:
      if (!spec.channel.empty()) return "conversation " + spec.channel;
      break;
    default:
      break;
  }
  return net::origin_of(spec.url);
}

Delivery::Delivery(const Settings& settings, Sender sender, Store& store, rt::Clock& clock)
    : sender_(std::move(sender)), store_(store), clock_(clock) {
  for (const ChannelSpec& spec : settings.channels) {
    auto line = std::make_unique<Line>();
    line->spec = spec;
    line->channel = Channel::make(spec, sender_);
    lines_.push_back(std::move(line));
  }
}

Delivery::~Delivery() {
  stop();
}

void Delivery::start() {
  for (auto& line : lines_) {
    if (!line->spec.off.empty())
      LOG_OF(warn, log_of("channel", line->spec.name), "alerts: channel {} is off: {}",
             line->spec.name, line->spec.off);
    line->thread =
        std::jthread([this, &one = *line](const std::stop_token& stop) { run(one, stop); });
  }
}

void Delivery::stop() {
  for (auto& line : lines_) line->thread.request_stop();
  for (auto& line : lines_)
    if (line->thread.joinable()) line->thread.join();
}

void Delivery::wake() {
  for (auto& line : lines_) {
    const std::lock_guard lock(line->mutex);
    line->news = true;
    line->woken.notify_all();
  }
}

void Delivery::run(Line& line, const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const Ms again = send_next(line, stop);
    std::unique_lock lock(line.mutex);
    const Ms wait = std::clamp<Ms>(again - clock_.now().value, 0, kIdle);
    (void)line.woken.wait_for(lock, stop, std::chrono::milliseconds(wait),
                              [&] { return line.news; });
    line.news = false;
  }
}

void Delivery::keep(Line& line, const Outgoing& one) {
  if (auto kept = store_.set(one); !kept)
    LOG_OF(error, log_of("channel", line.spec.name),
           "alerts: what became of a message to {} is not kept: {}", line.spec.name,
           kept.error().what);
}

Ms Delivery::send_next(Line& line, const std::stop_token& stop) {
  Ms now = clock_.now().value;
  auto next = store_.next(line.spec.name);
  if (!next) {
    LOG_OF(error, log_of("channel", line.spec.name),
           "alerts: the messages to {} cannot be read: {}", line.spec.name, next.error().what);
    return now + kIdle;
  }
  if (!*next) return now + kIdle;
  Outgoing one = std::move(**next);
  if (!take_up(one, line.may_send_twice(), now)) {
    LOG_OF(warn, log_of("channel", line.spec.name), "alerts: message {} to {}: {}", one.id,
           line.spec.name, one.said);
    line.counts.unknown.add();
    keep(line, one);
    return now;
  }
  if (!line.spec.off.empty()) {
    one.state = "refused";
    one.said = "the channel is off: " + line.spec.off;
    one.over = now;
    keep(line, one);
    return now;
  }
  const Ms due = std::max(one.next, line.free_at);
  if (due > now) return due;
  Envelope envelope{.id = one.id, .reference = {}};
  if (auto known = store_.reference(line.spec.name, one.message.group); known && *known)
    envelope.reference = **known;
  one.state = "sending";
  ++one.attempts;
  // Before the first byte leaves: a crash from here on must not double it.
  if (auto kept = store_.set(one); !kept) {
    LOG_OF(error, log_of("channel", line.spec.name), "alerts: a message to {} waits: {}",
           line.spec.name, kept.error().what);
    return now + 1000;
  }
  Attempt attempt;
  {
    const std::lock_guard lock(line.sending);
    attempt = line.channel->send(one.message, envelope, stop);
  }
  now = clock_.now().value;
  settle(one, attempt, line.may_send_twice(), now);
  keep(line, one);
  const bool sent = one.state == "sent";
  (sent                     ? line.counts.sent
   : one.state == "refused" ? line.counts.refused
   : one.state == "unknown" ? line.counts.unknown
                            : line.counts.retried)
      .add();
  if (!sent)
    LOG_OF(warn, log_of("channel", line.spec.name), "alerts: message {} to {}: {}: {}", one.id,
           line.spec.name,
           one.state == "waiting" ? "did not arrive, and is tried again" : one.state, one.said);
  const std::lock_guard lock(line.mutex);
  line.last = one.said;
  line.last_at = now;
  line.failing = !sent;
  line.free_at = now + line.channel->gap();
  return std::max(line.free_at, one.next);
}

Result<Attempt> Delivery::send_now(const std::string& channel, const Message& message) {
  for (auto& line : lines_) {
    if (line->spec.name != channel) continue;
    if (!line->spec.off.empty())
      return error(Code::kFailedPrecondition,
                   fmt::format("channel {} is off: {}", channel, line->spec.off));
    const std::lock_guard lock(line->sending);
    return line->channel->send(message, {}, {});
  }
  return error(Code::kNotFound, fmt::format("there is no channel `{}`", channel));
}

std::vector<Delivery::ChannelState> Delivery::channels() const {
  std::vector<ChannelState> all;
  for (const auto& line : lines_) {
    ChannelState state{.name = line->spec.name,
                       .type = std::string(name(line->spec.type)),
                       .where = where(line->spec),
                       .off = line->spec.off,
                       .waiting = store_.waiting(line->spec.name).value_or(0),
                       .sent = line->counts.sent.value(),
                       .refused = line->counts.refused.value(),
                       .unknown = line->counts.unknown.value(),
                       .retried = line->counts.retried.value(),
                       .last = {},
                       .last_at = 0,
                       .failing = false};
    const std::lock_guard lock(line->mutex);
    state.last = line->last;
    state.last_at = line->last_at;
    state.failing = line->failing;
    all.push_back(std::move(state));
  }
  return all;
}

}  // namespace tailrace::alerts
