// What the text of a project's tailrace.yml says that its loaded form does not: values as they are
// written, before ${NAME} and file:PATH are looked up, for they are secrets afterwards.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"

namespace tailrace::compose {

/// The roles that are said, each as one line of YAML.
Result<std::map<std::string, std::string>> written_roles(const std::string& settings);

/// The engine's role of written_roles(), empty where it is not said, at another place: with what it
/// has beside that, and with these of Spark's properties.
std::string with_engine(const std::string& written, const std::string& url,
                        const std::map<std::string, std::string>& properties);

/// The files outside the project's folder that are named (`file:PATH`, `ca_file: PATH` and the
/// like, `certificate`, `key` and `clients` of a `tls`, the folder `jars` of an engine), each once:
/// as they are written, relative to the folder or absolute.
Result<std::vector<std::string>> files_outside(const std::string& settings);

}  // namespace tailrace::compose
