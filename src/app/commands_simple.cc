// `tailrace check` and `tailrace init`.
#include <iostream>

#include "app/commands.h"
#include "pipeline/graph.h"
#include "pipeline/project.h"

namespace tailrace::app {

int check_command(const std::string& path) {
  auto project = pipeline::load_project(path);
  if (!project) return fail(project.error());
  const auto types = pipeline::declared_topic_types(*project);
  if (!types) return fail(types.error());
  auto graph = pipeline::make_graph(*project, *types);
  if (!graph) return fail(graph.error());
  if (auto served = pipeline::check_serving(*project, *graph); !served) return fail(served.error());
  if (auto outside = check_outside(*project); !outside) return fail(outside.error());
  for (const pipeline::Flow& flow : graph->flows) {
    const pipeline::Table& table = graph->tables[static_cast<std::size_t>(flow.table)];
    std::cout << layer_name(table.layer) << "  " << flow.name << "  " << table.schema->num_fields()
              << " columns";
    if (!flow.plan.expectations.empty())
      std::cout << ", " << flow.plan.expectations.size() << " expectations";
    std::cout << "\n";
  }
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
