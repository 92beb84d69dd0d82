// `tailrace spark`: writes the project for open Spark beside the records of its topics, and runs it
// there.
#include <unistd.h>

#include <filesystem>
#include <iostream>

#include "app/commands.h"
#include "app/instance.h"
#include "app/open_log.h"
#include "app/open_schemas.h"
#include "pipeline/spark_export.h"
#include "pipeline/spark_project.h"
#include "spark/update.h"

namespace tailrace::app {
namespace {

namespace fs = std::filesystem;

Status write(const SparkOptions& options, const std::string& data, const std::string& out) {
  ASSIGN(const pipeline::Project project, pipeline::load_project(options.project));
  ASSIGN(const auto types, pipeline::stored_topic_types(project, data));
  ASSIGN(const auto files, pipeline::spark_project(project, out, types));
  TRY(pipeline::write_spark_project(files, out));
  ASSIGN(const auto opened, open_log(project, data, true));
  ASSIGN(const auto schemas, open_schemas(project, opened));
  ASSIGN(const auto topics,
         pipeline::export_topics(*opened.log, project, out, types, schemas.client.get()));
  std::int64_t records = 0;
  for (const pipeline::TopicExport& topic : topics) records += topic.records;
  std::cout << "wrote " << out << ": " << files.size() << " files, " << records
            << " new records of the topics" << std::endl;
  for (const pipeline::TopicExport& topic : topics) {
    if (topic.removed > 0)
      std::cout << "topic " << topic.topic << ": retention removed " << topic.removed
                << " records before this export, Spark does not get them; `retention.ms: -1` under "
                   "topics in tailrace.yml keeps all"
                << std::endl;
  }
  return opened.log->close();
}

}  // namespace

int spark_command(const SparkOptions& options) {
  const std::string data = data_folder(options.project, options.data);
  const std::string out =
      fs::absolute(options.out.empty() ? data + "/spark" : options.out).lexically_normal().string();
  if (auto written = write(options, data, out); !written) return fail(written.error());
  if (options.write_only) return 0;
  const auto runner = spark::update_script();
  if (!runner) return fail(runner.error());
  const std::string interpreter = spark::interpreter();
  execlp(interpreter.c_str(), interpreter.c_str(), runner->c_str(), out.c_str(), "--master",
         options.master.c_str(), nullptr);
  return fail({Code::kNotFound,
               interpreter + " cannot be started; set TAILRACE_PYTHON to a Python with pyspark"});
}

}  // namespace tailrace::app
