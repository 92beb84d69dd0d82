// One family after the other, each with HELP and TYPE, a line a hop or a table.
#include "console/metrics.h"

#include <fmt/format.h>

#include "console/json.h"

namespace tailrace::console {
namespace {

std::string escape(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '\\' || c == '"') out.push_back('\\');
    if (c == '\n') {
      out += "\\n";
    } else {
      out.push_back(c);
    }
  }
  return out;
}

class Family {
 public:
  Family(std::string& out, std::string_view name, std::string_view type, std::string_view help)
      : out_(out), name_(name) {
    out_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
  }
  template <typename Number>
  void add(std::string_view labels, Number value) {
    out_ += fmt::format("{}{{{}}} {}\n", name_, labels, value);
  }

 private:
  std::string& out_;
  std::string name_;
};

std::string label(std::string_view name, std::string_view value) {
  return fmt::format("{}=\"{}\"", name, escape(value));
}

std::string hop_labels(const Hop& hop) {
  return label("hop", hop.id) + "," + label("kind", pipeline::hop_kind_name(hop.kind));
}

void add_hops(std::string& out, const Status& status) {
  Family records(out, "tailrace_hop_records_total", "counter", "Records that went through a hop.");
  for (const auto& hop : status.hops) records.add(hop_labels(hop), hop.count);
  Family bytes(out, "tailrace_hop_bytes_total", "counter", "Bytes that went through a hop.");
  for (const auto& hop : status.hops) bytes.add(hop_labels(hop), hop.bytes);
  Family rejected(out, "tailrace_hop_rejected_total", "counter", "Records rejected, by reason.");
  for (const auto& hop : status.hops) {
    for (const auto& [reason, count] : hop.reasons) {
      rejected.add(hop_labels(hop) + "," + label("reason", reason), count);
    }
    if (hop.reasons.empty())
      rejected.add(hop_labels(hop) + "," + label("reason", ""), hop.rejected);
  }
  Family lag(out, "tailrace_hop_lag_records", "gauge", "Records a hop has still to take.");
  for (const auto& hop : status.hops) lag.add(hop_labels(hop), hop.lag_records);
  Family late(out, "tailrace_hop_lag_seconds", "gauge", "Age of the oldest record to take.");
  for (const auto& hop : status.hops) late.add(hop_labels(hop), hop.lag_s);
  Family up(out, "tailrace_hop_up", "gauge", "1 unless the hop stopped with an error.");
  for (const auto& hop : status.hops)
    up.add(hop_labels(hop), hop.state == HopState::kError ? 0 : 1);
}

void add_tables(std::string& out, const std::vector<TableInfo>& tables) {
  auto labels = [](const TableInfo& table) {
    return label("table", table.name) + "," + label("layer", table.layer);
  };
  Family rows(out, "tailrace_table_rows", "gauge", "Rows of a table now.");
  for (const auto& table : tables) rows.add(labels(table), table.rows);
  Family passed(out, "tailrace_expectation_passed_total", "counter", "Rows that met a rule.");
  for (const auto& table : tables) {
    for (const auto& rule : table.expectations) {
      passed.add(labels(table) + "," + label("expectation", rule.name), rule.passed);
    }
  }
  Family failed(out, "tailrace_expectation_failed_total", "counter", "Rows that broke a rule.");
  for (const auto& table : tables) {
    for (const auto& rule : table.expectations) {
      auto action = label("action", rule.action);
      failed.add(labels(table) + "," + label("expectation", rule.name) + "," + action, rule.failed);
    }
  }
}

}  // namespace

std::string metrics_text(const Status& status, const std::vector<TableInfo>& tables) {
  std::string out;
  Family info(out, "tailrace_info", "gauge", "The running project.");
  info.add(label("project", status.project) + "," + label("version", status.version), 1);
  Family uptime(out, "tailrace_uptime_seconds", "gauge", "Seconds since the start.");
  uptime.add(label("state", status.state), status.uptime_s);
  Family ready(out, "tailrace_ready", "gauge", "1 when the pipeline runs.");
  ready.add("", status.ready ? 1 : 0);
  add_hops(out, status);
  add_tables(out, tables);
  return out;
}

}  // namespace tailrace::console
