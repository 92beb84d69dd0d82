// `tailrace lambda`: what the command line says of it.
#pragma once

#include <string>

namespace tailrace::app {

struct LambdaOptions {
  enum class Action { kRun, kPackage };
  Action action = Action::kPackage;
  std::string project = {};  ///< may be empty: told by the environment alone
  std::string out = "tailrace-lambda.zip";
  std::string architecture = "x86_64";  ///< or arm64
  std::string binary = {};              ///< a function built elsewhere; empty: the one in here
  bool print_template = false, json = false;
};
/// Runs as AWS Lambda's custom runtime, or writes the zip that Lambda takes.
int lambda_command(const LambdaOptions& options);

}  // namespace tailrace::app
