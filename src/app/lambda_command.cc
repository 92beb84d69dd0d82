#include "app/lambda_command.h"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "app/commands.h"
#include "lambda/package.h"
#include "lambda/runtime.h"

extern "C" {
extern const char app_lambda_function_begin[];
extern const char app_lambda_function_end[];
}

namespace tailrace::app {
namespace {

constexpr double kMegabyte = 1 << 20;

Result<std::string> own_function() {
  const std::string_view all(app_lambda_function_begin,
                             app_lambda_function_end - app_lambda_function_begin);
  if (all.empty())
    return error(Code::kFailedPrecondition,
                 "this build has no Lambda function in it (one with sanitizers, or without static "
                 "libraries): give one with --binary FILE");
  return std::string(all);
}

Result<std::string> function_of(const LambdaOptions& options) {
  if (options.binary.empty()) return own_function();
  std::ifstream in(options.binary, std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (!in) return error(Code::kNotFound, options.binary + " cannot be read");
  return bytes;
}

Result<int> write_zip(const LambdaOptions& options) {
  if (!options.project.empty() && !std::filesystem::is_directory(options.project))
    return error(Code::kNotFound, options.project + " is no folder");
  ASSIGN(std::string program, function_of(options));
  auto architecture = lambda::architecture_of(program);
  if (!architecture) return std::unexpected(architecture.error().in(options.binary));
  if (*architecture != options.architecture)
    return error(Code::kInvalidArgument,
                 fmt::format("{} is for {}: for {} a function built on such a machine is needed "
                             "(build/src/lambda/bootstrap there), given with --binary FILE",
                             options.binary.empty() ? "this program" : options.binary,
                             *architecture, options.architecture));
  std::vector<lambda::PackageFile> files;
  files.push_back({.name = "bootstrap", .content = std::move(program), .executable = true});
  if (!options.project.empty()) {
    ASSIGN(const auto more, lambda::project_files(options.project));
    files.insert(files.end(), more.begin(), more.end());
  }
  ASSIGN(const auto report, lambda::write_package(options.out, files));
  if (options.json) {
    std::cout << fmt::format(
        "{{\"zip_bytes\":{},\"unzipped_bytes\":{},\"architecture\":\"{}\",\"files\":{}}}\n",
        report.zipped, report.unzipped, *architecture, report.files.size());
  } else {
    std::cout << fmt::format("{}: {:.1f} MB, {:.1f} MB unpacked (limits: 50 and 250), {}\n",
                             options.out, static_cast<double>(report.zipped) / kMegabyte,
                             static_cast<double>(report.unzipped) / kMegabyte, *architecture);
    for (const std::string& name : report.files) std::cout << "  " << name << "\n";
    if (files.size() == 1)
      std::cout << "no `lambda:` part in a tailrace.yml: the function is told by its environment\n";
    std::cout << "\n" << lambda::create_command(options.out, *architecture) << "\n";
  }
  if (report.zipped > lambda::kMostZipped)
    std::cerr << "over 50 MB: upload it to S3, and name it with --code S3Bucket=…,S3Key=…\n";
  if (report.unzipped > lambda::kMostUnzipped)
    return error(Code::kResourceExhausted, "over 250 MB unpacked: Lambda does not take it");
  return 0;
}

}  // namespace

int lambda_command(const LambdaOptions& options) {
  using Action = LambdaOptions::Action;
  if (options.action == Action::kRun) {
    if (!options.project.empty()) setenv("LAMBDA_TASK_ROOT", options.project.c_str(), 1);
    return lambda::run_function(lambda::process_environment());
  }
  if (options.print_template) {
    std::cout << lambda::sam_template(options.out, options.architecture);
    return 0;
  }
  auto done = write_zip(options);
  return done ? *done : fail(done.error());
}

}  // namespace tailrace::app
