#include "lake/metrics.h"

#include <filesystem>
#include <map>
#include <mutex>
#include <vector>

namespace tailrace::lake {
namespace {

struct Tables {
  std::mutex mutex;
  std::map<std::string, std::weak_ptr<TableMetrics>> by_name;
};

Tables& tables() {
  static Tables one;
  return one;
}

using Named = std::vector<std::pair<std::string, std::shared_ptr<TableMetrics>>>;

Named open_tables() {
  const std::lock_guard lock(tables().mutex);
  Named open;
  std::erase_if(tables().by_name, [&](const auto& one) {
    auto metrics = one.second.lock();
    if (metrics) open.emplace_back(one.first, std::move(metrics));
    return open.empty() || open.back().first != one.first;
  });
  return open;
}

}  // namespace

std::shared_ptr<TableMetrics> metrics_of(const std::string& folder) {
  const std::string name = std::filesystem::path(folder).filename().string();
  const std::lock_guard lock(tables().mutex);
  std::weak_ptr<TableMetrics>& known = tables().by_name[name];
  auto metrics = known.lock();
  if (!metrics) {
    metrics = std::make_shared<TableMetrics>();
    known = metrics;
  }
  return metrics;
}

void write_metrics(MetricsText& out) {
  const Named all = open_tables();
  const auto family = [&](std::string_view name, MetricType type, std::string_view help,
                          auto value) {
    out.family(name, type, help);
    for (const auto& [table, metrics] : all) out.add({{"table", table}}, value(*metrics));
  };
  const auto counter = [&](std::string_view name, std::string_view help,
                           Counter TableMetrics::*of) {
    family(name, MetricType::kCounter, help,
           [of](const TableMetrics& metrics) { return (metrics.*of).value(); });
  };
  counter("tailrace_lake_commits_total", "Commits to a Delta table.", &TableMetrics::commits);
  counter("tailrace_lake_commit_failures_total", "Commits to a Delta table that failed.",
          &TableMetrics::failed_commits);
  counter("tailrace_lake_added_files_total", "Data files that commits added.",
          &TableMetrics::added_files);
  counter("tailrace_lake_added_bytes_total", "Bytes of the data files that commits added.",
          &TableMetrics::added_bytes);
  counter("tailrace_lake_compactions_total", "Times that small files were joined to a larger one.",
          &TableMetrics::compactions);
  counter("tailrace_lake_compacted_files_total", "Small files that larger ones replaced.",
          &TableMetrics::compacted_files);
  counter("tailrace_lake_vacuumed_files_total", "Files of no version that were deleted.",
          &TableMetrics::vacuumed_files);
  family("tailrace_lake_files", MetricType::kGauge, "Data files of a Delta table's newest version.",
         [](const TableMetrics& metrics) { return metrics.files.load(); });
  family("tailrace_lake_bytes", MetricType::kGauge, "Bytes of those files.",
         [](const TableMetrics& metrics) { return metrics.bytes.load(); });
  family("tailrace_lake_last_commit_timestamp_seconds", MetricType::kGauge,
         "When the last commit was made; 0 before the first of this process.",
         [](const TableMetrics& metrics) {
           return static_cast<double>(metrics.last_commit_ms.load()) / 1000;
         });
}

}  // namespace tailrace::lake
