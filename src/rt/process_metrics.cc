#include "rt/process_metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <string>
#include <system_error>
#include <vector>

namespace tailrace::rt {
namespace {

/// proc_pid_stat(5) from its third field on; the second one, the name, may hold anything.
std::vector<std::string> stat_fields() {
  std::ifstream file("/proc/self/stat");
  std::string text;
  std::getline(file, text);
  std::istringstream rest(text.substr(std::min(text.size(), text.rfind(')') + 1)));
  std::vector<std::string> fields;
  for (std::string field; rest >> field;) fields.push_back(field);
  return fields;
}

/// When the machine started, in seconds since 1970.
std::optional<double> boot_time() {
  std::ifstream file("/proc/stat");
  for (std::string word; file >> word;)
    if (double seconds = 0; word == "btime" && file >> seconds) return seconds;
  return std::nullopt;
}

std::int64_t open_files() {
  std::error_code failed;
  std::filesystem::directory_iterator files("/proc/self/fd", failed);
  if (failed) return 0;
  return std::distance(begin(files), end(files)) - 1;  // without the one that reads the folder
}

void gauge(MetricsText& out, std::string_view name, std::string_view help, auto value) {
  out.family(name, MetricType::kGauge, help);
  out.add({}, value);
}

void write_stat(MetricsText& out) {
  constexpr std::size_t kUser = 11, kSystem = 12, kThreads = 17, kStart = 19, kVirtual = 20,
                        kResident = 21;
  const auto fields = stat_fields();
  if (fields.size() <= kResident) return;
  const auto field = [&](std::size_t i) { return std::strtoll(fields[i].c_str(), nullptr, 10); };
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  out.family("process_cpu_seconds_total", MetricType::kCounter, "User and system time.");
  out.add({}, static_cast<double>(field(kUser) + field(kSystem)) / ticks);
  gauge(out, "process_threads", "Threads.", field(kThreads));
  gauge(out, "process_virtual_memory_bytes", "Virtual memory.", field(kVirtual));
  gauge(out, "process_resident_memory_bytes", "Memory that is in use.",
        field(kResident) * sysconf(_SC_PAGESIZE));
  if (const auto boot = boot_time())
    gauge(out, "process_start_time_seconds", "Start, in seconds since 1970.",
          *boot + static_cast<double>(field(kStart)) / ticks);
}

}  // namespace

void write_process_metrics(MetricsText& out) {
  write_stat(out);
  gauge(out, "process_open_fds", "Open file descriptors.", open_files());
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
    gauge(out, "process_max_fds", "The most file descriptors that may be open.", limit.rlim_cur);
}

}  // namespace tailrace::rt
