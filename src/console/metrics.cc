// One family after the other, a line a hop or a table; then what the log has to say.
#include "console/metrics.h"

#include "rt/process_metrics.h"

namespace tailrace::console {
namespace {

void add_hops(MetricsText& out, const std::vector<Hop>& hops) {
  const auto family = [&](std::string_view name, MetricType type, std::string_view help,
                          auto value) {
    out.family(name, type, help);
    for (const auto& hop : hops)
      out.add({{"hop", hop.id}, {"kind", pipeline::hop_kind_name(hop.kind)}}, value(hop));
  };
  family("tailrace_hop_records_total", MetricType::kCounter, "Records that went through a hop.",
         [](const Hop& hop) { return hop.count; });
  family("tailrace_hop_bytes_total", MetricType::kCounter, "Bytes that went through a hop.",
         [](const Hop& hop) { return hop.bytes; });
  family("tailrace_hop_lag_records", MetricType::kGauge, "Records a hop has still to take.",
         [](const Hop& hop) { return hop.lag_records; });
  family("tailrace_hop_lag_seconds", MetricType::kGauge, "Age of the oldest record to take.",
         [](const Hop& hop) { return hop.lag_s; });
  family("tailrace_hop_up", MetricType::kGauge, "1 unless the hop stopped with an error.",
         [](const Hop& hop) { return hop.state == HopState::kError ? 0 : 1; });
  family("tailrace_hop_empty", MetricType::kGauge,
         "1 when nothing came out although something should have.",
         [](const Hop& hop) { return hop.state == HopState::kEmpty ? 1 : 0; });
}

void add_rejected(MetricsText& out, const std::vector<Hop>& hops) {
  out.family("tailrace_hop_rejected_total", MetricType::kCounter, "Records rejected, by reason.");
  for (const auto& hop : hops) {
    const auto add = [&](std::string_view reason, std::int64_t count) {
      out.add({{"hop", hop.id}, {"kind", pipeline::hop_kind_name(hop.kind)}, {"reason", reason}},
              count);
    };
    for (const auto& [reason, count] : hop.reasons) add(reason, count);
    if (hop.reasons.empty()) add("", hop.rejected);
  }
}

void add_tables(MetricsText& out, const std::vector<TableInfo>& tables) {
  out.family("tailrace_table_rows", MetricType::kGauge, "Rows of a table now.");
  for (const auto& table : tables)
    out.add({{"table", table.name}, {"layer", table.layer}}, table.rows);
  const auto rules = [&](auto add) {
    for (const auto& table : tables)
      for (const auto& rule : table.expectations) add(table, rule);
  };
  out.family("tailrace_expectation_passed_total", MetricType::kCounter, "Rows that met a rule.");
  rules([&](const TableInfo& table, const Expectation& rule) {
    out.add({{"table", table.name}, {"layer", table.layer}, {"expectation", rule.name}},
            rule.passed);
  });
  out.family("tailrace_expectation_failed_total", MetricType::kCounter, "Rows that broke a rule.");
  rules([&](const TableInfo& table, const Expectation& rule) {
    out.add({{"table", table.name},
             {"layer", table.layer},
             {"expectation", rule.name},
             {"action", rule.action}},
            rule.failed);
  });
}

}  // namespace

std::string metrics_text(Backend& backend) {
  MetricsText out;
  const Status status = backend.status();
  out.family("tailrace_info", MetricType::kGauge, "The running project.");
  out.add({{"project", status.project}, {"version", status.version}}, 1);
  out.family("tailrace_uptime_seconds", MetricType::kGauge, "Seconds since the start.");
  out.add({{"state", status.state}}, status.uptime_s);
  out.family("tailrace_ready", MetricType::kGauge, "1 when the pipeline runs.");
  out.add({}, status.ready ? 1 : 0);
  rt::write_process_metrics(out);
  add_hops(out, status.hops);
  add_rejected(out, status.hops);
  add_tables(out, backend.tables());
  write_route_metrics(out);
  backend.log_view().write_metrics(out);
  backend.write_metrics(out);
  return out.finish();
}

}  // namespace tailrace::console
