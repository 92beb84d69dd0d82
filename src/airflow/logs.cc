// Logs of tries: lines with their times, a part at a time, or as a stream that goes on until the
// try is over.
#include <charconv>

#include "airflow/handlers.h"
#include "airflow/models.h"

namespace tailrace::airflow {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMostText = 8 << 20;         // of one answer
constexpr std::size_t kMostWholeText = 256 << 20;  // of one with full_content
constexpr int kStreamEveryMs = 100;

/// `TIME text` as {"timestamp": …, "event": …}; a line without a time has none.
Json line_json(std::string_view line) {
  const auto space = line.find(' ');
  const auto time = calendar::parse_moment(line.substr(0, std::min(space, line.size())));
  if (space == std::string_view::npos || !time || space < 19)
    return {{"timestamp", nullptr}, {"event", line}};
  return {{"timestamp", time_json(time->instant)}, {"event", line.substr(space + 1)}};
}

/// Whole lines from a byte on.
struct Lines {
  std::vector<std::string> lines;
  std::uint64_t next = 0;
  bool over = false;
};

/// At most about `most` bytes; over: the try is, and there is no more.
Result<Lines> read_lines(workflows::Workflows& workflows, const sched::TaskId& task, int number,
                         std::uint64_t from, std::size_t most) {
  Lines read{.lines = {}, .next = from};
  std::string rest;
  for (std::size_t bytes = 0; bytes < most;) {
    ASSIGN(const auto part, workflows.log(task, number, from, 0ms));
    from = part.next;
    bytes += part.text.size();
    rest += part.text;
    for (std::size_t end; (end = rest.find('\n')) != std::string::npos;) {
      read.lines.push_back(rest.substr(0, end));
      read.next += end + 1;
      rest.erase(0, end + 1);
    }
    if (!part.text.empty()) continue;
    if (part.over && !rest.empty()) {  // cut off by a crash
      read.next += rest.size();
      read.lines.push_back(std::move(rest));
    }
    read.over = part.over;
    break;
  }
  return read;
}

struct Asked {
  sched::TaskId task;
  int number = 0;
  std::uint64_t from = 0;
  bool whole = false;
};

Answer<Asked> asked_of(Call& call) {
  Parameters parameters = call.parameters();
  Asked asked{.task = {{call.at(0), call.at(1)},
                       call.at(2),
                       static_cast<int>(parameters.number("map_index").value_or(-1))},
              .whole = parameters.flag("full_content").value_or(false)};
  TRY(parameters.check());
  const std::string& number = call.at(3);
  const auto [end, failed] =
      std::from_chars(number.data(), number.data() + number.size(), asked.number);
  if (failed != std::errc() || end != number.data() + number.size() || asked.number < 0) {
    Faults faults;
    faults.add("int_parsing", "path", "try_number",
               "Input should be a valid integer, unable to parse string as an integer", number);
    return std::unexpected(faults.check().error());
  }
  const std::string token = parameters.text("token");
  const auto [last, bad] = std::from_chars(token.data(), token.data() + token.size(), asked.from);
  if (!token.empty() && (bad != std::errc() || last != token.data() + token.size()))
    return refuse(400, "Bad Signature. Please use only the tokens provided by the API.");
  return asked;
}

/// Whether the try is there, and whether more may come of it.
Answer<bool> is_open(const Call& call, const Asked& asked) {
  ASSIGN(const auto tasks, or_refuse(call.kept().tasks(asked.task.run)));
  const auto at = std::ranges::find(tasks, asked.task, &sched::TaskInstance::id);
  if (at == tasks.end() || asked.number > at->try_number)
    return refuse(404, "TaskInstance not found");
  return at->try_number == asked.number && !sched::is_finished(at->state) &&
         at->state != sched::TaskState::kUpForRetry;
}

net::Response stream(Call& call, const Asked& asked) {
  net::Response response;
  response.content_type = "application/x-ndjson";
  net::TextStream text;
  text.every_ms = kStreamEveryMs;
  text.next = [&workflows = call.workflows, asked, over = false,
               from = asked.from]() mutable -> std::optional<std::string> {
    if (over) return std::nullopt;
    const auto read = read_lines(workflows, asked.task, asked.number, from, kMostText);
    std::string lines;
    if (read) {
      for (const auto& line : read->lines) lines += dump(line_json(line)) + "\n";
      from = read->next;
    }
    const auto tasks = workflows.metadata().tasks(asked.task.run);
    const auto at = tasks ? std::ranges::find(*tasks, asked.task, &sched::TaskInstance::id)
                          : decltype(tasks->begin())();
    const bool done = !tasks || at == tasks->end() || at->try_number != asked.number ||
                      sched::is_finished(at->state) || at->state == sched::TaskState::kUpForRetry;
    over = done && (!read || read->over);
    if (over && lines.empty()) return std::nullopt;
    return lines;
  };
  response.stream = std::move(text);
  return response;
}

}  // namespace

Answer<Reply> task_log(Call& call) {
  ASSIGN(const Asked asked, asked_of(call));
  ASSIGN(const bool open, is_open(call, asked));
  const bool lines = call.request.header("accept").contains("application/x-ndjson");
  if (lines && asked.whole) return Reply(stream(call, asked));
  const auto read = read_lines(call.workflows, asked.task, asked.number, asked.from,
                               asked.whole ? kMostWholeText : kMostText);
  if (!read && read.error().code != Code::kNotFound) return refuse(read.error());
  Json content = Json::array();
  if (read)
    for (const auto& line : read->lines) content.push_back(line_json(line));
  const bool over = !open && (!read || read->over);
  Json token = over ? Json(nullptr) : Json(std::to_string(read ? read->next : asked.from));
  if (!lines)
    return Reply(Json{{"content", std::move(content)}, {"continuation_token", std::move(token)}});
  net::Response response;
  response.content_type = "application/x-ndjson";
  for (const Json& line : content) response.body += dump(line) + "\n";
  if (!over) response.headers.emplace_back("Airflow-Continuation-Token", token.get<std::string>());
  return Reply(std::move(response));
}

Answer<Reply> external_log_url(Call&) {
  return refuse(400, "Task log handler does not support external logs.");
}

}  // namespace tailrace::airflow
