// `tailrace status | sql | redrive`: asked of the running instance over its API, or of the data
// folder when none runs.
#include <fmt/format.h>
#include <unistd.h>

#include <iostream>
#include <nlohmann/json.hpp>

#include "app/backend.h"
#include "app/commands.h"
#include "app/instance.h"
#include "app/running_api.h"
#include "app/terminal.h"

namespace tailrace::app {
namespace {

Result<Json> answer_of(Result<net::HttpResponse> response) {
  if (!response) return std::unexpected(response.error());
  Json json = Json::parse(response->body, nullptr, false);
  if (response->status >= 400) {
    const std::string what = json.is_object() && json.contains("error")
                                 ? json["error"].value("message", response->body)
                                 : response->body;
    return error(Code::kInvalidArgument, what);
  }
  if (json.is_discarded())
    return error(Code::kInternal, "the instance answered with what is no JSON");
  return json;
}

/// For the list of webhooks.
constexpr int kDoorMs = 2000;
constexpr std::size_t kAnswerBytes = std::size_t{1} << 30;

/// What an opened folder is for.
enum class Use { kAsk, kChange };

/// One call of the API: the running instance's, or of one opened on the folder for this call.
class Api {
 public:
  static Result<Api> open(const std::string& project, const std::string& data, Use use) {
    Api api;
    auto running = find_running(data_folder(project, data));
    if (running && !running->url.empty()) {
      api.running_ = running_console(*running, data_folder(project, data));
      return api;
    }
    const RunOptions options{.project = project, .data = data, .console = {.listen = "off"}};
    ASSIGN(api.offline_,
           use == Use::kAsk ? Instance::open_to_read(options) : Instance::open(options));
    api.backend_ = make_backend(*api.offline_);
    return api;
  }

  Result<Json> get(const std::string& path) {
    if (!offline_)
      return answer_of(net::HttpClient().get(running_.url + path, running_.options(60'000)));
    return local("GET", path, "");
  }
  Result<Json> post(const std::string& path, const Json& body) {
    if (!offline_)
      return answer_of(net::HttpClient().post(running_.url + path, body.dump(),
                                              running_.options(600'000, kAnswerBytes)));
    return local("POST", path, body.dump());
  }
  bool offline() const { return offline_ != nullptr; }
  Instance& instance() { return *offline_; }

 private:
  Result<Json> local(const std::string& method, const std::string& path, std::string body) {
    net::Request request;
    request.method = method;
    request.path = path;
    request.segments = {"api", path.substr(std::string("/api/").size())};
    request.body = std::move(body);
    const net::Response response = console::answer(*backend_, request);
    net::HttpResponse plain;
    plain.status = response.status;
    plain.body = response.body;
    return answer_of(std::move(plain));
  }

  RunningApi running_;
  std::unique_ptr<Instance> offline_;
  std::unique_ptr<console::Backend> backend_;
};

/// Where the running program listens, and the paths of its webhooks; null when none runs.
Json doors_of(const std::string& project, const std::string& data) {
  const auto running = find_running(data_folder(project, data));
  if (!running) return nullptr;
  Json doors = {{"console", running->url},       {"kafka", running->kafka},
                {"registry", running->registry}, {"cql", running->cql},
                {"airflow", running->airflow},   {"hooks", running->hooks}};
  doors["webhooks"] = Json::array();
  if (running->hooks.empty()) return doors;
  // Its certificate need not be one that this machine trusts: only paths are asked for.
  const auto answer = net::HttpClient().get(
      running->hooks + "/hooks",
      {.timeout_ms = kDoorMs, .max_body_bytes = 1 << 20, .verify_tls = false});
  if (!answer || answer->status != 200) return doors;
  const Json said = Json::parse(answer->body, nullptr, false);
  if (said.is_object() && said.contains("hooks")) doors["webhooks"] = said["hooks"];
  return doors;
}

void show_doors(const Json& doors) {
  if (!doors.is_object()) return;
  for (const auto& [name, title] : {std::pair{"kafka", "kafka"},
                                    {"registry", "registry"},
                                    {"cql", "cql"},
                                    {"airflow", "airflow API"},
                                    {"hooks", "webhooks"}}) {
    const std::string at = doors.value(name, "");
    if (at.empty()) continue;
    std::cout << fmt::format("{:<12} {}\n", title, at);
    if (std::string_view(name) == "hooks")
      for (const Json& path : doors["webhooks"])
        if (path.is_string())
          std::cout << fmt::format("{:<12} POST {}{}\n", "", at, path.get<std::string>());
  }
}

int status_text(const Json& status, bool offline) {
  const Paint paint(STDOUT_FILENO);
  for (const Json& hop : status["hops"])
    std::cout << paint.state(hop.value("state", "")) << " " << status_line(hop) << "\n";
  const std::string empty = status.value("first_empty_hop", "");
  std::cout << (empty.empty() ? "rows reach every serving table" : empty) << "\n";
  show_doors(status["doors"]);
  if (offline) std::cout << "(not running, or without a console: this is the last checkpoint)\n";
  return 0;
}

class Shell {
 public:
  Shell(Api api, SqlOptions options) : api_(std::move(api)), options_(std::move(options)) {}

  /// Every statement of `text`; 1 when one failed.
  int run(const std::string& text) {
    int code = 0;
    const Statements found = split_statements(text);
    for (const std::string& statement : found.whole) code |= one(statement);
    return found.rest.empty() ? code : code | one(found.rest);
  }

  /// Statements from standard input until its end; 1 when one failed.
  int read(bool terminal) {
    if (terminal)
      std::cout << "SELECT …; SHOW TABLES; DESCRIBE t; EXPLAIN SELECT …; end with a semicolon. "
                   "`exit` or Ctrl-D leaves.\n";
    std::string open, line;
    int code = 0;
    for (;;) {
      if (terminal) std::cout << (open.empty() ? "tailrace> " : "       -> ") << std::flush;
      if (!std::getline(std::cin, line)) break;
      if (open.empty() && (line == "exit" || line == "quit" || line == "exit;" || line == "quit;"))
        return code;
      Statements found = split_statements(open + line + "\n");
      open = std::move(found.rest);
      for (const std::string& statement : found.whole) code |= one(statement);
    }
    if (terminal) std::cout << "\n";
    return open.empty() ? code : code | one(open);
  }

 private:
  int one(const std::string& statement) {
    auto rows = api_.post("/api/sql", {{"query", statement}, {"limit", options_.limit}});
    Grid grid;
    bool truncated = false;
    for (;;) {
      if (!rows) return fail(rows.error());
      if (options_.json)
        print_json_lines(*rows);
      else
        grid.print(*rows);
      truncated = rows->value("truncated", false);
      const std::string next = rows->value("next", "");
      if (next.empty()) break;
      rows = api_.post("/api/sql", {{"next", next}});
    }
    if (!options_.json) grid.end();
    for (const auto& note : rows->value("notes", nlohmann::json::array()))
      std::cerr << "tailrace: " << note.get<std::string>() << "\n";
    if (truncated)
      std::cerr << "tailrace: cut short after " << options_.limit
                << " rows; --limit N shows more\n";
    return 0;
  }

  Api api_;
  SqlOptions options_;
};

}  // namespace

int status_command(const std::string& project, const std::string& data, bool json) {
  auto api = Api::open(project, data, Use::kAsk);
  if (!api) return fail(api.error());
  auto status = api->get("/api/status");
  if (!status) return fail(status.error());
  (*status)["doors"] = doors_of(project, data);
  if (!json) return status_text(*status, api->offline());
  std::cout << status->dump(2) << "\n";
  return 0;
}

int sql_command(const SqlOptions& options) {
  auto api = Api::open(options.project, options.data, Use::kAsk);
  if (!api) return fail(api.error());
  Shell shell(std::move(*api), options);
  if (!options.query.empty()) return shell.run(options.query);
  return shell.read(isatty(STDIN_FILENO) && isatty(STDOUT_FILENO));
}

int redrive_command(const RedriveOptions& options) {
  if (options.ids.empty() && options.table.empty() && options.reason.empty() && !options.all)
    return fail(
        {Code::kInvalidArgument, "say which: --id N, --table NAME, --reason TEXT, or --all"});
  auto api = Api::open(options.project, options.data, Use::kChange);
  if (!api) return fail(api.error());
  Json body = Json::object();
  if (!options.ids.empty()) body["ids"] = options.ids;
  if (!options.table.empty()) body["table"] = options.table;
  if (!options.reason.empty()) body["reason"] = options.reason;
  if (options.all) body["all"] = true;
  auto sent = api->post("/api/redrive", body);
  if (!sent) return fail(sent.error());
  if (api->offline())
    if (auto drained = api->instance().runner().drain(); !drained) return fail(drained.error());
  const std::int64_t count = sent->value("redriven", std::int64_t{0});
  std::cout << "sent back " << count << (count == 1 ? " letter" : " letters") << "\n";
  return 0;
}

}  // namespace tailrace::app
