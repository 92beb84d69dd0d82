// Functions of a project as data.
#include "pipeline/functions.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <span>

#include "rt/file.h"

namespace tailrace::pipeline {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostCodeBytes = 16 << 20;

struct Unit {
  std::string_view suffix;
  std::int64_t factor;
};
constexpr Unit kTimes[] = {{"ms", 1}, {"s", 1000}, {"m", 60'000}};
constexpr Unit kSizes[] = {{"MB", 1 << 20}, {"MiB", 1 << 20}, {"GB", 1 << 30}, {"GiB", 1 << 30}};

Status read_quantity(const yaml::File& file, const YAML::Node& node, const char* key,
                     std::span<const Unit> units, std::int64_t low, std::int64_t high,
                     const char* range, std::int64_t& value) {
  if (!node[key]) return {};
  ASSIGN(const std::string text, file.text(node[key], key));
  std::int64_t number = 0;
  const auto [rest, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view suffix(rest, text.data() + text.size());
  for (const Unit& unit : units) {
    if (code != std::errc() || suffix != unit.suffix || number < 0 || number > high) continue;
    value = number * unit.factor;
    if (value >= low && value <= high) return {};
  }
  return file.fail(node[key], fmt::format("`{}: {}`: it is {}", key, text, range));
}

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  });
}

/// The file's place beside tailrace.yml, and its text.
Status read_code(const yaml::File& file, const YAML::Node& node, const char* key,
                 FunctionSpec& spec) {
  ASSIGN(const std::string name, file.text(node[key], key));
  const fs::path path = fs::absolute(fs::path(file.path).parent_path() / name);
  auto text = rt::read_whole(rt::posix_files(), path.string(), kMostCodeBytes);
  if (!text) return file.fail(node[key], fmt::format("`{}`: {}", key, text.error().what));
  spec.file = path.lexically_normal().string();
  spec.code = std::move(*text);
  return {};
}

Status read_python(const yaml::File& file, const YAML::Node& node, FunctionSpec& spec) {
  spec.kind = FunctionSpec::Kind::kPython;
  TRY(read_code(file, node, "python", spec));
  const std::string module = fs::path(spec.file).stem().string();
  spec.handler = module + ".handler";
  if (node["handler"]) {
    ASSIGN(spec.handler, file.text(node["handler"], "handler"));
  }
  if (!spec.handler.starts_with(module + ".") || spec.handler.size() == module.size() + 1)
    return file.fail(
        node["handler"],
        fmt::format("`handler: {}` is a function of that file: {}.NAME", spec.handler, module));
  TRY(read_quantity(file, node, "memory", kSizes, std::int64_t{64} << 20, std::int64_t{10} << 30,
                    "64MB to 10GB, as in 128MB", spec.memory_bytes));
  if (node["workers"]) {
    ASSIGN(const std::int64_t workers, file.integer(node["workers"], "workers"));
    if (workers < 1 || workers > 64) return file.fail(node["workers"], "`workers` is 1 to 64");
    spec.workers = static_cast<int>(workers);
  }
  ASSIGN(const auto variables,
         file.entries(node["environment"], "environment", "{NAME: ${VALUE}}"));
  for (const yaml::File::Entry& one : variables) {
    ASSIGN(spec.environment[one.key], file.text(one.value, one.key));
  }
  return {};
}

Status check_source(const Project& project, const yaml::File& file, const YAML::Node& node,
                    const FunctionSpec& spec) {
  std::vector<std::string_view> names;
  for (const IngestSpec& ingest : project.ingest)
    if (ingest.type == "webhook") names.push_back(ingest.name);
  if (std::ranges::find(names, spec.ingest) != names.end()) return {};
  const std::string near = yaml::nearest(spec.ingest, names);
  return file.fail(node["ingest"], "`ingest: " + spec.ingest +
                                       "` is no source of `ingest` with `use: webhook`" +
                                       (near.empty() ? "" : "; did you mean `" + near + "`?"));
}

Result<FunctionSpec> read_function(const Project& project, const yaml::File& file,
                                   const yaml::File::Entry& entry) {
  const YAML::Node& node = entry.value;
  FunctionSpec spec;
  spec.name = entry.key;
  spec.place = file.place(entry.key_node);
  if (!is_name(spec.name))
    return file.fail(entry.key_node, "a function's name is of letters, digits, - and _");
  TRY(file.only_keys(node, {"sql", "python", "ingest", "answer", "handler", "timeout", "memory",
                            "workers", "environment", "description", "retry_after"}));
  if (!node.IsMap() || !(node["sql"] || node["python"] || node["ingest"]))
    return file.fail(entry.key_node,
                     "a function is `sql: FILE`, `python: FILE` or `ingest: SOURCE`");
  if (node["sql"] && node["python"])
    return file.fail(entry.key_node, "a function is `sql` or `python`, not both");
  for (const char* key : {"handler", "memory", "workers", "environment"})
    if (node[key] && !node["python"])
      return file.fail(node[key], fmt::format("`{}` is of a function with `python`", key));
  if (node["timeout"] && !node["python"] && !node["sql"])
    return file.fail(node["timeout"], "`timeout` is of a function with `python` or `sql`");
  TRY(read_quantity(file, node, "timeout", kTimes, 1, 900'000, "1ms to 15m, as in 3s",
                    spec.timeout_ms));
  if (node["python"]) TRY(read_python(file, node, spec));
  if (node["sql"]) {
    spec.kind = FunctionSpec::Kind::kSql;
    TRY(read_code(file, node, "sql", spec));
  }
  if (node["answer"]) {
    if (!node["sql"] || node["ingest"])
      return file.fail(node["answer"], "`answer` is of a function with `sql` and no `ingest`");
    ASSIGN(spec.answer, file.text(node["answer"], "answer"));
    if (spec.answer != "rows" && spec.answer != "row" && spec.answer != "value")
      return file.fail(node["answer"], "`answer` is rows, row or value");
  }
  if (node["description"]) {
    ASSIGN(spec.description, file.text(node["description"], "description"));
  }
  TRY(read_quantity(file, node, "retry_after", kTimes, 1, 3'600'000, "1ms to 60m, as in 1m",
                    spec.retry_after_ms));
  if (node["ingest"]) {
    ASSIGN(spec.ingest, file.text(node["ingest"], "ingest"));
    TRY(check_source(project, file, node, spec));
  }
  return spec;
}

}  // namespace

Status read_functions(Project& project, const yaml::File& file) {
  ASSIGN(const auto functions,
         file.entries(file.root["functions"], "functions", "NAME: {sql: hooks/NAME.sql}"));
  for (const yaml::File::Entry& entry : functions) {
    ASSIGN(auto spec, read_function(project, file, entry));
    project.functions.push_back(std::move(spec));
  }
  const YAML::Node invoke = file.root["invoke"];
  if (!invoke) return {};
  TRY(file.only_keys(invoke, {"token", "access_key", "secret_key"}));
  InvokeSpec& login = project.invoke;
  for (auto [key, value] : {std::pair{"token", &login.token},
                            {"access_key", &login.access_key},
                            {"secret_key", &login.secret_key}}) {
    if (!invoke.IsMap() || !invoke[key]) continue;
    ASSIGN(*value, file.text(invoke[key], key));
    if (value->empty()) return file.fail(invoke[key], fmt::format("`{}` is empty", key));
  }
  if (login.access_key.empty() != login.secret_key.empty())
    return file.fail(invoke, "`access_key` and `secret_key` go together");
  return {};
}

}  // namespace tailrace::pipeline
