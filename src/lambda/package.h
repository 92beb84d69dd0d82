// A function as AWS Lambda takes it: a zip with `bootstrap`, which may be executed, and what it
// reads. The same input gives the same bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tailrace::lambda {

struct PackageFile {
  std::string name, content;
  bool executable = false;
};

struct PackageReport {
  std::uint64_t zipped = 0, unzipped = 0;
  std::vector<std::string> files;
};

/// AWS's limits: of a zip that is uploaded with the command, and of what it unpacks to.
inline constexpr std::uint64_t kMostZipped = 50ULL << 20, kMostUnzipped = 250ULL << 20;

/// "x86_64" or "arm64" of a program for Linux. kInvalidArgument for what is none, and for one that
/// needs libraries of its machine, which a function does not have.
Result<std::string> architecture_of(std::string_view program);

/// What of a project goes along: the `lambda:` part of its tailrace.yml, and the files that it
/// names below `files`. Nothing where there is no such part.
Result<std::vector<PackageFile>> project_files(const std::string& project);

Result<PackageReport> write_package(const std::string& path, const std::vector<PackageFile>& files);

/// How it is made a function, for `--help` and after packaging.
std::string create_command(const std::string& zip, const std::string& architecture);
/// A SAM template: the function, and a mapping of each kind of source to be cut down.
std::string sam_template(const std::string& zip, const std::string& architecture);

}  // namespace tailrace::lambda
