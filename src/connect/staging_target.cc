// A staging table as a target: rows, the state and what was rejected are one transaction of the
// database.
//
// A crash leaves all of it or nothing. What was rejected is in the kept state until it is in the
// log: it is sent before the next transaction and after a start, with its sequence, and the log
// drops what it has.
#include <fmt/format.h>

#include "base/log.h"
#include "connect/reject_log.h"
#include "connect/target.h"
#include "telemetry/context_text.h"

namespace tailrace::connect {
namespace {

class StagingTarget final : public Target {
 public:
  StagingTarget(std::string name, std::string topic, std::unique_ptr<staging::Table> table,
                std::unique_ptr<RejectLog> rejects, rt::Clock& clock)
      : name_(std::move(name)),
        topic_(std::move(topic)),
        table_(std::move(table)),
        rejects_(std::move(rejects)),
        clock_(clock) {}

  Result<NotedState> load(const std::string& fingerprint) override;
  Result<Written> write(Chunk& chunk, NotedState& state, std::stop_token stop) override;
  Status note(NotedState& state, bool clean) override;

 private:
  Status send_rejects(NotedState& state);

  const std::string name_;
  const std::string topic_;
  const std::unique_ptr<staging::Table> table_;
  const std::unique_ptr<RejectLog> rejects_;
  rt::Clock& clock_;
  std::vector<staging::Record> records_;
};

Result<NotedState> StagingTarget::load(const std::string& fingerprint) {
  NotedState state;
  ASSIGN(const std::string kept, table_->position());
  if (!kept.empty()) {
    auto decoded = decode_state(kept);
    if (!decoded) return std::unexpected(decoded.error().in("the staging's position of " + name_));
    state = std::move(*decoded);
  } else {
    state.reject_sequence = rejects_->next_sequence();
  }
  rejects_->catch_up(state.reject_sequence);
  if (!kept.empty() && state.fingerprint == fingerprint) return state;
  if (!kept.empty())
    LOG_OF(info, log_of("source", name_, "topic", topic_),
           "ingest {}: its settings changed; it begins again", name_);
  state.fingerprint = fingerprint;
  state.position.clear();
  return state;
}

Status StagingTarget::send_rejects(NotedState& state) {
  if (state.rejects.empty()) return {};
  TRY(rejects_->append(state.rejects, state.reject_sequence));
  TRY(rejects_->sync());
  state.reject_sequence += static_cast<std::int64_t>(state.rejects.size());
  state.rejects.clear();
  return {};
}

Result<Target::Written> StagingTarget::write(Chunk& chunk, NotedState& state,
                                             std::stop_token stop) {
  TRY(send_rejects(state));
  if (chunk.empty() && chunk.rejects.empty() && chunk.position == state.position) return Written{};
  std::erase_if(chunk.rejects, [](const Reject& reject) { return reject.by_target; });
  records_.clear();
  for (std::size_t i = 0; i < chunk.size(); ++i) records_.push_back({chunk.key(i), chunk.value(i)});
  NotedState next = state;
  next.records += static_cast<std::int64_t>(chunk.size());
  next.position = chunk.position;
  Written written;
  const auto position = [&](std::span<const staging::Misfit> misfits) {
    for (const staging::Misfit& misfit : misfits)
      chunk.rejects.push_back({std::string(kUnstaged), misfit.why, chunk.origin(misfit.record),
                               std::string(chunk.value(misfit.record)), true});
    for (const Reject& reject : chunk.rejects)
      next.rejects.push_back(encode_reject(name_, topic_, reject, clock_.now()));
    written.misfits = static_cast<std::int64_t>(misfits.size());
    return encode_state(next);
  };
  table_->set_trace(telemetry::context_text(chunk.trace));
  TRY(table_->write(records_, position, stop));
  written.appended = static_cast<std::int64_t>(chunk.size()) - written.misfits;
  written.appended_bytes = static_cast<std::int64_t>(chunk.size_bytes());
  state = std::move(next);
  return written;
}

// The state is durable with its rows; what was rejected goes to the log now.
Status StagingTarget::note(NotedState& state, bool) {
  return send_rejects(state);
}

}  // namespace

Result<std::unique_ptr<Target>> staging_target(const std::string& name, const std::string& topic,
                                               std::unique_ptr<staging::Table> table, log::Log& log,
                                               rt::Clock& clock) {
  ASSIGN(auto rejects, RejectLog::open(log, name));
  return std::make_unique<StagingTarget>(name, topic, std::move(table), std::move(rejects), clock);
}

}  // namespace tailrace::connect
