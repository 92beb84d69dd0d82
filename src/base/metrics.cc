#include "base/metrics.h"

#include <fmt/format.h>

namespace tailrace {
namespace {

constexpr const char* kLeftOut = "tailrace_metrics_left_out_series";

std::string_view type_name(MetricType type) {
  switch (type) {
    case MetricType::kCounter:
      return "counter";
    case MetricType::kGauge:
      return "gauge";
    case MetricType::kHistogram:
      return "histogram";
  }
  return "untyped";
}

/// A label's value; a help text is the same without its quotes escaped.
void append_escaped(std::string& out, std::string_view text, bool quotes) {
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '\\' || (quotes && c == '"')) out += '\\';
    out += c;
  }
}

double in_units(std::chrono::nanoseconds time, std::chrono::nanoseconds unit) {
  return static_cast<double>(time.count()) / static_cast<double>(unit.count());
}

/// As Prometheus reads numbers: "NaN" and "+Inf" are its words for what is none.
std::string number(double value) {
  if (value != value) return "NaN";
  if (value - value != 0) return value > 0 ? "+Inf" : "-Inf";
  return fmt::format("{}", value);
}

}  // namespace

void MetricsText::family(std::string_view name, MetricType type, std::string_view help) {
  family_ = name;
  series_ = 0;
  text_ += fmt::format("# HELP {} ", name);
  append_escaped(text_, help, false);
  text_ += fmt::format("\n# TYPE {} {}\n", name, type_name(type));
}

bool MetricsText::has_room() {
  if (++series_ <= most_series_) return true;
  if (left_out_.empty() || left_out_.back().first != family_) left_out_.emplace_back(family_, 0);
  ++left_out_.back().second;
  return false;
}

void MetricsText::line(std::string_view suffix, Labels labels, std::string_view le,
                       std::string_view value) {
  text_ += family_;
  text_ += suffix;
  char before = '{';
  const auto append = [&](std::string_view name, std::string_view text) {
    text_ += before;
    text_ += name;
    text_ += "=\"";
    append_escaped(text_, text, true);
    text_ += '"';
    before = ',';
  };
  for (const Label& label : labels) append(label.name, label.value);
  if (!le.empty()) append("le", le);
  if (before == ',') text_ += '}';
  text_ += ' ';
  text_ += value;
  text_ += '\n';
}

void MetricsText::add_text(Labels labels, std::string_view value) {
  if (has_room()) line("", labels, "", value);
}

void MetricsText::add(Labels labels, double value) {
  add_text(labels, number(value));
}

void MetricsText::add(Labels labels, const DurationHistogram& durations,
                      std::chrono::nanoseconds unit) {
  if (!has_room()) return;
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < DurationHistogram::kBounds.size(); ++i) {
    below += durations.count(i);
    line("_bucket", labels, number(in_units(DurationHistogram::kBounds[i], unit)),
         std::to_string(below));
  }
  below += durations.count(DurationHistogram::kBounds.size());
  line("_bucket", labels, "+Inf", std::to_string(below));
  line("_sum", labels, "", number(in_units(durations.sum(), unit)));
  line("_count", labels, "", std::to_string(below));
}

std::string MetricsText::finish() {
  const auto left_out = std::exchange(left_out_, {});
  family(kLeftOut, MetricType::kGauge,
         fmt::format("Series that are not shown, since a family has at most {}.", most_series_));
  for (const auto& [name, count] : left_out) add({{"family", name}}, count);
  return std::move(text_);
}

}  // namespace tailrace
