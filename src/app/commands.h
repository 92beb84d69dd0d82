// The commands of `tailrace`, one file each: each returns the exit code and prints its own errors.
#pragma once

#include <string>
#include <vector>

#include "app/instance.h"

namespace tailrace::app {

int run_command(const RunOptions& options, bool check);
struct BrokerOptions {
  std::string data, listen;
  std::vector<std::string> settings;  ///< NAME=VALUE
};
int broker_command(const BrokerOptions& options);

int check_command(const std::string& project);
int init_command(const std::string& name);
int status_command(const std::string& project, const std::string& data, bool json);

struct SqlOptions {
  std::string project, data, query;  ///< without a query statements come from standard input
  bool json = false;
  int limit = console::kQueryRows;
};
int sql_command(const SqlOptions& options);

struct RedriveOptions {
  std::string project, data, table, reason;
  std::vector<std::string> ids;
  bool all = false;
};
int redrive_command(const RedriveOptions& options);

struct SparkOptions {
  std::string project, data, master = "local[2]", out;
  bool write_only = false;
};
int spark_command(const SparkOptions& options);

/// Prints "tailrace: what" to standard error and returns 1.
int fail(const Error& error);

}  // namespace tailrace::app
