// Rules on hops: empty for some time, an error, a lag.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "alerts/observer.h"
#include "alerts/season.h"

namespace tailrace::alerts {
namespace {

using Json = nlohmann::json;
using pipeline::Hop;

/// How often the time that a hop has been empty is noted.
constexpr Ms kNoteEvery = 10'000;

class HopWatch final : public Watch {
 public:
  HopWatch(const RuleSpec& rule, std::string project, const std::string& note)
      : rule_(rule), project_(std::move(project)) {
    const Json json = Json::parse(note, nullptr, false);
    if (json.is_object())
      for (const auto& [hop, row] : json.items())
        if (row.is_array() && row.size() == 2 && row[0].is_number() && row[1].is_number())
          noted_[hop] = {row[0], row[1]};
  }

  bool wants_hops() const override { return true; }

  Status look(Ms now, const std::vector<Hop>& hops, std::vector<Said>& said) override {
    Said one{.rule = &rule_};
    for (const Hop& hop : hops) {
      if (!fits_glob(rule_.subject, hop.id)) continue;
      if (auto seen = see(hop, now)) one.seen.push_back(std::move(*seen));
    }
    if (rule_.kind == RuleKind::kEmpty && now - noted_at_ >= kNoteEvery) {
      noted_at_ = now;
      one.note = note(now);
    }
    said.push_back(std::move(one));
    return {};
  }

 private:
  struct Progress {
    std::int64_t most = 0, last = 0;
    Ms since = 0;
  };

  std::optional<Seen> see(const Hop& hop, Ms now) {
    switch (rule_.kind) {
      case RuleKind::kError: {
        const bool wrong = hop.state == pipeline::HopState::kError || hop.failing;
        if (!wrong) return std::nullopt;
        const std::string why = hop.last_error.empty() ? hop.why : hop.last_error;
        return seen(hop, "error", fmt::format("{} has an error: {}", hop.id, why));
      }
      case RuleKind::kLag: {
        const auto lag = static_cast<Ms>(hop.lag_s * 1000);
        if (lag <= rule_.window) return std::nullopt;
        return seen(
            hop, duration_text(lag),
            fmt::format("{} is {} behind ({} records); the limit is {}", hop.id, duration_text(lag),
                        number_text(static_cast<double>(hop.lag_records)),
                        duration_text(rule_.window)));
      }
      default: {
        const Ms empty = empty_for(hop, now);
        if (empty < rule_.window) return std::nullopt;
        return seen(hop, duration_text(empty),
                    fmt::format("no record has come through {} for {}{}{}", hop.id,
                                duration_text(empty), hop.why.empty() ? "" : ": ", hop.why));
      }
    }
  }

  Ms empty_for(const Hop& hop, Ms now) {
    const auto [at, is_new] = progress_.try_emplace(hop.id);
    Progress& progress = at->second;
    if (is_new) {
      progress = {.most = hop.count, .last = hop.count, .since = now};
      // What was counted before a crash comes again: it is nothing new.
      if (const auto noted = noted_.find(hop.id);
          noted != noted_.end() && hop.count <= noted->second.first) {
        progress.most = noted->second.first;
        progress.since = now - noted->second.second;
      }
    } else if (hop.count > progress.most || hop.count < progress.last) {
      progress.most = hop.count;
      progress.since = now;
    }
    progress.last = hop.count;
    return now - progress.since;
  }

  std::string note(Ms now) const {
    Json json = Json::object();
    for (const auto& [hop, progress] : progress_) json[hop] = {progress.most, now - progress.since};
    return json.dump();
  }

  Seen seen(const Hop& hop, std::string value, std::string summary) const {
    Seen one{.labels = {{"hop", hop.id}},
             .value = std::move(value),
             .summary = std::move(summary),
             .look = "tailrace status " + project_,
             .link = "#/"};
    one.fields.emplace_back("records", number_text(static_cast<double>(hop.count)));
    if (!hop.detail.empty()) one.fields.emplace_back("what", hop.detail);
    if (hop.rejected > 0)
      one.fields.emplace_back("rejected", number_text(static_cast<double>(hop.rejected)));
    return one;
  }

  const RuleSpec& rule_;
  std::string project_;
  std::map<std::string, std::pair<std::int64_t, Ms>> noted_;  ///< records, empty for
  std::map<std::string, Progress> progress_;
  Ms noted_at_ = 0;
};

}  // namespace

std::unique_ptr<Watch> make_hop_watch(const RuleSpec& rule, const std::string& project,
                                      const std::string& note) {
  return std::make_unique<HopWatch>(rule, project, note);
}

}  // namespace tailrace::alerts
