// `tailrace doctor`: what will break in a folder of another making, and the project that does the
// same.
#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "doctor/doctor.h"
#include "doctor/project_writer.h"

namespace tailrace::app {
namespace {

void print_findings(const std::vector<doctor::Finding>& findings, bool json) {
  for (const doctor::Finding& one : findings) {
    if (json)
      std::cout << nlohmann::json{{"file", one.file},
                                  {"line", one.line},
                                  {"fault", one.fault},
                                  {"what", one.what},
                                  {"remedy", one.remedy}}
                       .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)
                << "\n";
    else
      std::cout << one.file << ":" << one.line << ": " << one.fault << ": " << one.what << "\n    "
                << one.remedy << "\n";
  }
}

}  // namespace

int doctor_command(const DoctorOptions& options) {
  if (options.faults) {
    for (const auto& [name, about] : doctor::faults()) std::cout << name << "  " << about << "\n";
    return 0;
  }
  auto folder = doctor::read_folder(options.folder);
  if (!folder) return fail(folder.error());
  for (const std::string& unread : folder->unread) std::cerr << "tailrace: " << unread << "\n";
  const auto findings = doctor::find_faults(*folder);
  print_findings(findings, options.json);
  if (!options.write.empty()) {
    auto written = doctor::write_project(*folder, options.write);
    if (!written) return fail(written.error());
    for (const std::string& note : *written) std::cerr << note << "\n";
    std::cerr << "wrote " << options.write << ": tailrace run " << options.write << "\n";
  }
  if (!options.json)
    std::cerr << (findings.empty() ? "nothing found" : std::to_string(findings.size()) + " found")
              << ": " << folder->compose.size() << " compose files, " << folder->scripts.size()
              << " scripts\n";
  return findings.empty() && folder->unread.empty() ? 0 : 1;
}

}  // namespace tailrace::app
