// `tailrace check` and `tailrace init`.
#include <filesystem>
#include <iostream>

#include "app/alert_check.h"
#include "app/asset_check.h"
#include "app/commands.h"
#include "app/function_check.h"
#include "app/instance.h"
#include "app/served_tables.h"
#include "dags/read.h"
#include "pipeline/contracts/measures.h"
#include "pipeline/graph.h"
#include "pipeline/project.h"
#include "spark/spark_runner.h"
#include "tasks/operator.h"

namespace tailrace::app {

namespace {

/// What the contracts say, and what of it is only kept. Errors have ended the check already.
void show_contracts(const pipeline::Project& project, const pipeline::Graph& graph) {
  const auto measures = pipeline::taken_measures(project, graph);
  for (const pipeline::Contract& contract : project.contracts) {
    std::cout << contract_line(contract) << "\n";
    for (std::size_t i = 0; measures && i < measures->size(); ++i)
      if ((*measures)[i].contract == contract.id)
        std::cout << "  judged: " << measure_line((*measures)[i]) << "\n";
    for (const pipeline::ServiceLevel& level : contract.levels)
      std::cout << "  service level: " << level_text(level) << "\n";
  }
  for (const pipeline::Finding& finding : contract_findings(project, graph))
    std::cout << (finding.level == pipeline::Finding::Level::kWarning ? "warning  " : "note  ")
              << finding.what << "\n";
}

/// The workflows' files: every finding on a line of its own; false when one is fatal.
bool show_workflows(const pipeline::Project& project, const pipeline::Graph& graph,
                    std::vector<std::string>& ids) {
  if (!std::filesystem::is_directory(project.folder + "/dags")) return true;
  const bool here = project.roles.schedule == "embedded";
  auto reading = dags::read(project.folder + "/dags",
                            here ? tasks::operators_here() : dags::operators_of_an_airflow());
  if (!reading) {
    std::cerr << "tailrace: " << reading.error().what << "\n";
    return false;
  }
  bool sound = true;
  for (dags::Finding& finding : check_assets(project, graph, reading->dags))
    reading->findings.push_back(std::move(finding));
  for (const dags::Finding& finding : reading->findings) {
    sound = sound && !finding.fatal;
    if (finding.fatal)
      std::cerr << "tailrace: " << finding.text() << "\n";
    else
      std::cout << "warning  " << finding.text() << "\n";
  }
  for (const auto& dag : reading->dags) ids.push_back(dag->id);
  for (const auto& dag : reading->dags)
    std::cout << "workflow  " << dag->id << "  " << dag->timetable_summary << ", "
              << dag->tasks.size() << " tasks\n";
  return sound;
}

}  // namespace

int check_command(const std::string& path) {
  auto project = pipeline::load_project(path);
  if (!project) return fail(project.error());
  const auto types = pipeline::declared_topic_types(*project);
  if (!types) return fail(types.error());
  auto graph = pipeline::make_graph(*project, *types);
  if (!graph) return fail(graph.error());
  if (auto served = pipeline::check_serving(*project, *graph); !served) return fail(served.error());
  if (auto served = check_served_tables(*project, *graph); !served) return fail(served.error());
  if (project->roles.engine != "embedded")
    if (auto sound = spark::check_engine(*project, *graph, *types); !sound)
      return fail(sound.error());
  if (auto outside = check_outside(*project); !outside) return fail(outside.error());
  const auto functions = check_functions(*project, *graph);
  if (!functions) return fail(functions.error());
  const auto lambda = check_lambda(*project);
  if (!lambda) return fail(lambda.error());
  show_contracts(*project, *graph);
  for (const pipeline::Flow& flow : graph->flows) {
    const pipeline::Table& table = graph->tables[static_cast<std::size_t>(flow.table)];
    std::cout << layer_name(table.layer) << "  " << flow.name << "  " << table.schema->num_fields()
              << " columns";
    if (!flow.plan.expectations.empty())
      std::cout << ", " << flow.plan.expectations.size() << " expectations";
    std::cout << "\n";
  }
  for (const std::string& line : functions->lines) std::cout << line << "\n";
  for (const auto* warnings : {&functions->warnings, &*lambda})
    for (const std::string& warning : *warnings) std::cout << "warning  " << warning << "\n";
  std::vector<std::string> dags;
  if (!show_workflows(*project, *graph, dags)) return 1;
  // Those that an Airflow runs are not seen here.
  if (project->roles.schedule != "embedded") dags.clear();
  const auto alerts = alerts::load_settings(project->folder);
  if (!alerts) return fail(alerts.error());
  if (auto known = check_alerts(*alerts, *project, *graph, std::move(dags)); !known)
    return fail(known.error());
  std::cout << "ok: " << graph->topics.size() << " topics, " << graph->tables.size() << " tables, "
            << project->serving.size() << " served\n";
  return 0;
}

int init_command(const std::string& name) {
  if (auto done = pipeline::init_project(name); !done) return fail(done.error());
  std::cout << "wrote " << name << ": read its README.md, or run it now: tailrace run " << name
            << "\n";
  return 0;
}

}  // namespace tailrace::app
