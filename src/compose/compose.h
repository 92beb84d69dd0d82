// A project as files of Docker Compose: one service that is everything, or the real systems beside
// it. `tailrace compose` writes them; deploy/ holds those of examples/random_users.
//
// compose.yml      the services, pinned, with health checks, limits of memory and one volume each
// .env             what Compose reads beside it: profiles, passwords, made up anew, and the
// variables
//                  that the settings ask for, with what they are here (only where there are some)
// tailrace.yml     the project's settings with its roles on the real systems (only --real), and
// with
//                  its sources listening at all addresses of the container (only where some do
//                  not); it is mounted over the project's own
// airflow/         Airflow's DAGs folder: what loads the project's DAGs, and Tailrace's operators
//                  (only where it has some)
//
// A service is asked by its name alone: inside a container `localhost` is that container. Each one
// that others need has a health check, and they wait for it. What is published is bound to the
// host's loopback.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "pipeline/project.h"

namespace tailrace::compose {

struct File {
  std::string name;
  std::string text;
  /// For its owner alone, lines NAME=VALUE; one that is there already is kept, and only gets the
  /// names that it lacks.
  bool secret = false;
};

struct Options {
  bool real = false;       ///< the real systems instead of the embedded roles
  bool all = false;        ///< with `real`: also those that the project has no need of
  std::string folder;      ///< the project's, as seen from the folder of compose.yml
  std::string version;     ///< of the image tailrace:VERSION
  std::string settings;    ///< the text of the project's tailrace.yml
  bool workflows = false;  ///< the project has DAGs
  bool hooks = false;      ///< others push to it: webhooks, functions
  /// Of the variables that the settings ask for, those that are set here.
  std::map<std::string, std::string> environment = {};
  std::string packages =
      "dag-factory==1.1.0";  ///< what Airflow's image lacks for them, as pip takes it
  bool secrets = false;      ///< tailrace.yml has connections or variables for them
  std::vector<File> loader;  ///< the files of Airflow's DAGs folder, which load them
};

/// kFailedPrecondition where a role of the project is at localhost, which no container can reach.
Result<std::vector<File>> compose_files(const pipeline::Project& project, const Options& options);

/// The names that `text` uses as ${NAME}, but for those in comments.
std::set<std::string> variables_of(const std::string& text);

/// What `text` of such a file lacks of the names that `wanted` has, as lines to be added.
std::string missing_lines(const std::string& text, const std::string& wanted);

/// The settings with these roles in place of theirs; everything else stays as it is written.
std::string with_roles(const std::string& settings, const std::string& roles);

}  // namespace tailrace::compose
