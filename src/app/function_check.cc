#include "app/function_check.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdlib>
#include <filesystem>

#include "app/served_tables.h"
#include "lambda/settings.h"
#include "pipeline/names.h"
#include "tasks/process.h"

extern "C" {
extern const char app_function_check_begin[];
extern const char app_function_check_end[];
}

namespace tailrace::app {
namespace {

namespace fs = std::filesystem;
using Kind = pipeline::FunctionSpec::Kind;

constexpr std::chrono::seconds kPythonTakes{30};

std::string shown(const std::string& file, const pipeline::Project& project) {
  std::error_code unknown;
  const fs::path near = fs::relative(file, fs::absolute(project.folder), unknown);
  return unknown || near.empty() ? file : near.string();
}

Result<std::string> check_sql(const pipeline::FunctionSpec& function, const std::string& file,
                              const std::vector<pipeline::QueryRelation>& relations) {
  ASSIGN(const auto columns, pipeline::check_query(function.code, file, relations));
  if (!columns) return std::string("reads system tables: bound when it runs");
  const int count = (*columns)->num_fields();
  if (function.answer == "value" && count != 1)
    return error(Code::kInvalidArgument,
                 fmt::format("{}: `answer: value` is of a query with one column; {} has {}",
                             function.place, file, count));
  return fmt::format("{} columns", count);
}

/// Empty: nothing is wrong with it. kUnavailable: there is no Python to ask.
Result<std::string> ask_python(const pipeline::FunctionSpec& function) {
  const std::string handler = function.handler.substr(function.handler.rfind('.') + 1);
  tasks::Command command{
      .arguments = {"python3", "-I", "-c",
                    std::string(app_function_check_begin, app_function_check_end), function.file,
                    handler}};
  if (const char* path = std::getenv("PATH")) command.environment["PATH"] = path;
  command.environment["PYTHONUTF8"] = "1";
  command.timeout = kPythonTakes;
  std::string said;
  ASSIGN(const auto ended, tasks::run_process(command,
                                              [&](std::string_view line) {
                                                if (said.empty()) said = line;
                                              },
                                              {}));
  if (ended.code != 0) return error(Code::kUnavailable, "python3 failed: " + said);
  return said;
}

}  // namespace

std::vector<pipeline::QueryRelation> stored_relations(const pipeline::Project& project,
                                                      const pipeline::Graph& graph) {
  std::vector<pipeline::QueryRelation> all;
  for (const pipeline::Table& table : graph.tables) all.push_back({table.name, table.schema, {}});
  for (const pipeline::ServingSpec& serving : project.serving)
    if (const int index = graph.table_index(serving.table); index >= 0)
      for (const std::string& name : served_names(project, serving, graph))
        all.push_back({name, graph.tables[static_cast<std::size_t>(index)].schema, {}});
  return all;
}

Result<FunctionReport> check_functions(const pipeline::Project& project,
                                       const pipeline::Graph& graph) {
  FunctionReport report;
  auto relations = stored_relations(project, graph);
  std::erase_if(relations, [](const auto& one) { return pipeline::same_name(one.name, "event"); });
  relations.push_back({"event", arrow::schema({arrow::field("value", arrow::utf8())}), {}});
  for (const pipeline::FunctionSpec& function : project.functions) {
    const std::string file = shown(function.file, project);
    std::string what = "source " + function.ingest;
    if (function.kind == Kind::kSql) {
      ASSIGN(what, check_sql(function, file, relations));
    } else if (function.kind == Kind::kPython) {
      what = function.handler;
      const auto fault = ask_python(function);
      if (!fault) {
        report.warnings.push_back(
            fmt::format("{}: {} is not looked at: {}", function.place, file, fault.error().what));
      } else if (!fault->empty()) {
        return error(Code::kInvalidArgument, file + ":" + *fault);
      }
    }
    report.lines.push_back(fmt::format("function  {}  {}{}", function.name,
                                       function.file.empty() ? "" : file + ", ", what));
  }
  return report;
}

Result<std::vector<std::string>> check_lambda(const pipeline::Project& project) {
  const std::string file = project.folder + "/tailrace.yml";
  std::error_code none;
  if (!fs::exists(file, none)) return std::vector<std::string>();
  ASSIGN(const bool has, lambda::has_settings(file));
  if (!has) return std::vector<std::string>();
  ASSIGN(const auto missing, lambda::check_settings(file));
  std::vector<std::string> warnings;
  if (!missing.empty())
    warnings.push_back(fmt::format(
        "lambda: {} {} to be set in the function's environment: tailrace.yml does not say it",
        fmt::join(missing, " and "), missing.size() == 1 ? "is" : "are"));
  return warnings;
}

}  // namespace tailrace::app
