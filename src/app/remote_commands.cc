// `tailrace status | sql | redrive`: asked of the running instance over its API, or of the data
// folder when none runs.
#include <unistd.h>

#include <iomanip>
#include <iostream>
#include <nlohmann/json.hpp>

#include "app/backend.h"
#include "app/commands.h"
#include "net/http_client.h"

namespace tailrace::app {
namespace {

using Json = nlohmann::ordered_json;

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

/// One call of the API: the running instance's, or of one opened on the folder for this call.
class Api {
 public:
  static Result<Api> open(const std::string& project, const std::string& data) {
    Api api;
    auto running = find_running(data_folder(project, data));
    if (running && !running->url.empty()) {
      api.url_ = running->url;
      while (api.url_.ends_with('/')) api.url_.pop_back();
      return api;
    }
    ASSIGN(api.offline_, Instance::open({.project = project, .data = data, .console = "off"}));
    api.backend_ = make_backend(*api.offline_);
    return api;
  }

  Result<Json> get(const std::string& path) {
    if (!offline_) return answer_of(net::HttpClient().get(url_ + path, {.timeout_ms = 60'000}));
    return local("GET", path, "");
  }
  Result<Json> post(const std::string& path, const Json& body) {
    if (!offline_)
      return answer_of(net::HttpClient().post(
          url_ + path, body.dump(),
          {.headers = {{"Content-Type", "application/json"}}, .timeout_ms = 600'000}));
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

  std::string url_;
  std::unique_ptr<Instance> offline_;
  std::unique_ptr<console::Backend> backend_;
};

std::string cell_text(const Json& value) {
  if (value.is_null()) return "NULL";
  if (value.is_string()) return value.get<std::string>();
  return value.dump();
}

/// Display width: code points, near enough for a table on a terminal.
std::size_t width(const std::string& text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
}

void print_grid(const Json& rows) {
  std::vector<std::vector<std::string>> cells(1);
  for (const Json& column : rows["columns"]) cells[0].push_back(column.value("name", ""));
  for (const Json& row : rows["rows"]) {
    cells.emplace_back();
    for (const Json& value : row) cells.back().push_back(cell_text(value));
  }
  std::vector<std::size_t> widths(cells[0].size());
  for (const auto& row : cells)
    for (std::size_t c = 0; c < row.size(); ++c)
      widths[c] = std::max(widths[c], std::min<std::size_t>(width(row[c]), 60));
  for (std::size_t r = 0; r < cells.size(); ++r) {
    std::string line;
    for (std::size_t c = 0; c < cells[r].size(); ++c) {
      line += (c ? "  " : "") + cells[r][c];
      if (c + 1 < cells[r].size() && width(cells[r][c]) < widths[c])
        line.append(widths[c] - width(cells[r][c]), ' ');
    }
    std::cout << line << "\n";
    if (r == 0) {
      std::size_t total = 0;
      for (std::size_t w : widths) total += w + 2;
      std::cout << std::string(total > 2 ? total - 2 : 0, '-') << "\n";
    }
  }
  const std::size_t count = rows["rows"].size();
  std::cout << "(" << count << (count == 1 ? " row" : " rows")
            << (rows.value("truncated", false) ? ", cut short" : "") << ")\n";
}

void print_json_lines(const Json& rows) {
  for (const Json& row : rows["rows"]) {
    Json line = Json::object();
    for (std::size_t c = 0; c < row.size(); ++c)
      line[rows["columns"][c].value("name", "")] = row[c];
    std::cout << line.dump() << "\n";
  }
}

int query(Api& api, const std::string& text, bool json) {
  auto rows = api.post("/api/sql", {{"query", text}});
  if (!rows) return fail(rows.error());
  if (json)
    print_json_lines(*rows);
  else
    print_grid(*rows);
  return 0;
}

}  // namespace

int status_command(const std::string& project, const std::string& data, bool json) {
  auto api = Api::open(project, data);
  if (!api) return fail(api.error());
  auto status = api->get("/api/status");
  if (!status) return fail(status.error());
  if (json) {
    std::cout << status->dump(2) << "\n";
    return 0;
  }
  for (const Json& hop : (*status)["hops"]) {
    std::cout << std::left << std::setw(10) << hop.value("kind", "") << std::setw(28)
              << hop.value("title", "") << std::right << std::setw(12)
              << hop.value("count", std::int64_t{0});
    if (hop.value("rejected", 0) > 0) std::cout << "  rejected " << hop.value("rejected", 0);
    if (!hop.value("why", "").empty()) std::cout << "  " << hop.value("why", "");
    std::cout << "\n";
  }
  const std::string empty = status->value("first_empty_hop", "");
  std::cout << (empty.empty() ? "rows reach every serving table" : empty) << "\n";
  if (api->offline()) std::cout << "(not running; this is what the data folder holds)\n";
  return 0;
}

int sql_command(const std::string& project, const std::string& data, const std::string& text,
                bool json) {
  auto api = Api::open(project, data);
  if (!api) return fail(api.error());
  if (!text.empty()) return query(*api, text, json);
  const bool terminal = isatty(STDIN_FILENO);
  if (terminal) std::cout << "SELECT …; SHOW TABLES; DESCRIBE t; EXPLAIN SELECT …; Ctrl-D ends\n";
  std::string statement, line;
  int code = 0;
  for (;;) {
    if (terminal) std::cout << (statement.empty() ? "tailrace> " : "       -> ") << std::flush;
    if (!std::getline(std::cin, line)) break;
    statement += line + "\n";
    const std::size_t end = statement.find_last_not_of(" \t\n");
    if (end == std::string::npos) statement.clear();
    if (end == std::string::npos || statement[end] != ';') continue;
    code = query(*api, statement, json);
    statement.clear();
  }
  if (statement.find_first_not_of(" \t\n") != std::string::npos)
    code = query(*api, statement, json);
  return code;
}

int redrive_command(const RedriveOptions& options) {
  if (options.ids.empty() && options.table.empty() && options.reason.empty() && !options.all)
    return fail(
        {Code::kInvalidArgument, "say which: --id N, --table NAME, --reason TEXT, or --all"});
  auto api = Api::open(options.project, options.data);
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
  std::cout << "sent back: " << sent->dump() << "\n";
  return 0;
}

}  // namespace tailrace::app
