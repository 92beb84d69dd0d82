// Looks at a folder in the manner of the streaming tutorials (a compose file, Airflow DAGs, a Spark
// script, requirements) and names what will break, by file and line, with what to do.
//
// Nothing is run and nothing is asked of the network. Only what the files say counts: a finding is
// a place where two of them contradict each other, or where one asks for what cannot be. What is
// not understood is passed over, so that silence is no proof, but a finding is one.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "doctor/compose_file.h"
#include "doctor/python_script.h"

namespace tailrace::doctor {

struct Finding {
  std::string file;
  int line = 0;
  std::string fault;  ///< one of faults()
  std::string what;
  std::string remedy;

  auto operator<=>(const Finding&) const = default;
};

/// A line of a requirements file.
struct Requirement {
  std::string file;
  int line = 0;
  std::string name, version;  ///< version is empty unless it is pinned by ==
};

/// CREATE TABLE or INSERT, in a script or in a .cql file.
struct CqlStatement {
  std::string file;
  std::string text;
  int line = 0;
};

/// A line of a README that says that data is stored in PostgreSQL.
struct Claim {
  std::string file;
  int line = 0;
};

struct Folder {
  std::string path;
  std::vector<ComposeFile> compose;
  std::vector<Script> scripts;
  std::vector<Requirement> requirements;
  std::vector<CqlStatement> cql;
  std::vector<Claim> claims;
  std::vector<std::string> unread;  ///< compose files that are no YAML, with the reason

  /// The services in which a script is: it is mounted there, or part of what is built.
  std::vector<const Service*> homes(const Script& script) const;
};

/// kNotFound when there is no such folder, kInvalidArgument when nothing in it can be looked at.
Result<Folder> read_folder(const std::string& path);

/// In the order of files and lines, each once.
std::vector<Finding> find_faults(const Folder& folder);

/// Every fault's name with a sentence on it.
std::vector<std::pair<std::string, std::string>> faults();

}  // namespace tailrace::doctor
