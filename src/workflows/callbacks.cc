// A callback as dag-factory writes it, called.
#include "workflows/callbacks.h"

#include <fmt/format.h>

#include <map>
#include <vector>

#include "jinja/texts.h"
#include "tasks/python_call.h"
#include "workflows/scope.h"

namespace tailrace::workflows {
namespace {

using jinja::Dict;
using jinja::Value;

/// A notifier of Airflow's that sends what an operator sends.
struct Notifier {
  std::string_view operator_path;
  std::vector<std::pair<std::string_view, std::string_view>> renamed;  ///< its argument, ours
  std::string_view connection_argument, connection;                    ///< ours, its default
  std::vector<std::pair<std::string_view, Value>> defaults = {};       ///< more of it
};

const Notifier* find_notifier(std::string_view path) {
  static const Notifier kSlack{
      .operator_path = "airflow.providers.slack.operators.slack_webhook.SlackWebhookOperator",
      .renamed = {{"text", "message"}},
      .connection_argument = "slack_webhook_conn_id",
      .connection = "slack_default"};
  static const Notifier kSlackApi{
      .operator_path = "airflow.providers.slack.operators.slack.SlackAPIPostOperator",
      .renamed = {},
      .connection_argument = "slack_conn_id",
      .connection = "slack_api_default",
      .defaults = {{"text", Value("This is a default message")},
                   {"unfurl_links", Value(true)},
                   {"unfurl_media", Value(true)}}};
  static const Notifier kSmtp{
      .operator_path = "airflow.providers.smtp.operators.smtp.EmailOperator",
      .renamed = {{"smtp_conn_id", "conn_id"}},
      .connection_argument = "conn_id",
      .connection = "smtp_default"};
  static const std::map<std::string_view, const Notifier*> kNotifiers{
      {"airflow.providers.slack.notifications.slack_webhook.SlackWebhookNotifier", &kSlack},
      {"airflow.providers.slack.notifications.slack_webhook.send_slack_webhook_notification",
       &kSlack},
      {"airflow.providers.slack.notifications.slack.SlackNotifier", &kSlackApi},
      {"airflow.providers.slack.notifications.slack.send_slack_notification", &kSlackApi},
      {"airflow.providers.smtp.notifications.smtp.SmtpNotifier", &kSmtp},
      {"airflow.providers.smtp.notifications.smtp.send_smtp_notification", &kSmtp},
  };
  const auto at = kNotifiers.find(path);
  return at == kNotifiers.end() ? nullptr : at->second;
}

std::string html_lines(const std::string& text) {
  std::string out;
  for (const char c : jinja::html_escaped(text)) out += c == '\n' ? "<br>" : std::string(1, c);
  return out;
}

/// The try's context with one more name or two.
jinja::Scope with(jinja::Scope scope, const Occasion& occasion) {
  Dict more;
  if (occasion.exception) {
    more.set("exception", Value(*occasion.exception));
    // For the mail's text alone; Airflow's callbacks do not have it.
    if (occasion.is_mail) more.set("exception_html", Value(html_lines(*occasion.exception)));
  }
  if (occasion.reason) more.set("reason", Value(*occasion.reason));
  return [scope = std::move(scope), more = std::move(more)](std::string_view name) {
    const Value* own = more.find(name);
    return own == nullptr ? scope(name) : *own;
  };
}

Result<Value> render(const Value& value, const jinja::Scope& scope,
                     const jinja::Template::Options& options) {
  if (const std::string* text = value.string()) {
    ASSIGN(const auto parsed, jinja::Template::parse(*text));
    if (parsed.is_plain()) return value;
    ASSIGN(auto rendered, parsed.render(scope, options));
    return Value(std::move(rendered));
  }
  if (value.list() != nullptr) {
    jinja::List done;
    for (const Value& part : *value.list()) {
      ASSIGN(auto one, render(part, scope, options));
      done.push_back(std::move(one));
    }
    return Value(std::move(done));
  }
  if (value.dict() != nullptr) {
    Dict done;
    for (const auto& [name, part] : value.dict()->items()) {
      ASSIGN(auto one, render(part, scope, options));
      done.set(name, std::move(one));
    }
    return Value(std::move(done));
  }
  return value;
}

Status notify(tasks::Context& context, const Notifier& notifier, const Dict& given) {
  const tasks::Operator* made = tasks::find_operator(notifier.operator_path);
  if (made == nullptr)
    return error(Code::kUnimplemented, fmt::format("{} is not embedded", notifier.operator_path));
  tasks::Context own = context;
  own.arguments = {};
  own.arguments.set(Value(std::string(notifier.connection_argument)),
                    Value(std::string(notifier.connection)));
  for (const auto& [name, value] : notifier.defaults)
    own.arguments.set(Value(std::string(name)), value);
  for (const auto& [name, value] : given.items()) {
    Value called = name;
    for (const auto& [its, ours] : notifier.renamed)
      if (name.text() == its) called = Value(std::string(ours));
    ASSIGN(auto rendered, context.render(value));
    own.arguments.set(called, std::move(rendered));
  }
  const tasks::Outcome outcome = made->run(own);
  if (outcome.how_is_success()) return {};
  return error(Code::kAborted, outcome.why);
}

Status call_python(tasks::Context& context, const Dict& callback, const Occasion& occasion) {
  auto job = tasks::python_job(context);
  job["callback"] = true;
  job["keep"] = false;
  for (const char* name : {"file", "name"}) {
    if (const Value* value = callback.find(std::string_view(name))) job[name] = value->text();
  }
  if (const Value* path = callback.find("callback")) job["path"] = path->text();
  if (const Value* kwargs = callback.find("kwargs")) job["kwargs"] = tasks::value_json(*kwargs);
  if (occasion.exception) job["exception"] = *occasion.exception;
  if (occasion.reason) job["reason"] = *occasion.reason;
  if (occasion.deadline) job["deadline"] = *occasion.deadline;
  ASSIGN(const tasks::Called called, tasks::call_python(context, std::move(job)));
  if (called.outcome.how_is_success()) return {};
  return error(Code::kAborted, called.outcome.why);
}

Status call(tasks::Context& context, const Dict& callback, const Occasion& occasion) {
  tasks::Context own = context;
  own.scope = with(context.scope, occasion);
  own.render = [&](const Value& value) {
    return render(value, own.scope, template_options(context.clock, context.dag));
  };
  const Value* path = callback.find("callback");
  const Notifier* notifier = path == nullptr ? nullptr : find_notifier(path->text());
  if (notifier == nullptr) return call_python(own, callback, occasion);
  const Value* kwargs = callback.find("kwargs");
  return notify(own, *notifier, kwargs && kwargs->dict() ? *kwargs->dict() : Dict());
}

}  // namespace

void call_back(tasks::Context& context, const Value& callback, const Occasion& occasion) {
  if (callback.dict() == nullptr) return;
  const auto called = call(context, *callback.dict(), occasion);
  if (!called) context.log.line(fmt::format("{} failed: {}", occasion.name, called.error().what));
}

void send_mail(tasks::Context& context, const Occasion& occasion) {
  const Value* to = context.task.arguments.find("email");
  if (to == nullptr || !to->truth()) return;
  Dict kwargs, callback;
  kwargs.set("to", *to);
  kwargs.set("from_email", "airflow@airflow");
  kwargs.set("subject", "Airflow alert: {{ti}}");
  // The text of airflow/sdk/execution_time/task_runner.py.
  kwargs.set("html_content",
             "Try {{ti.try_number}} out of {{ti.max_tries + 1}}<br>"
             "Exception:<br>{{exception_html}}<br>"
             "Log: <a href=\"{{ti.log_url}}\">Link</a><br>"
             "Host: {{ti.hostname}}<br>"
             "Mark success: <a href=\"{{ti.mark_success_url}}\">Link</a><br>");
  callback.set("callback", "airflow.providers.smtp.notifications.smtp.SmtpNotifier");
  callback.set("kwargs", Value(std::move(kwargs)));
  Occasion mail = occasion;
  mail.is_mail = true;
  call_back(context, Value(std::move(callback)), mail);
}

}  // namespace tailrace::workflows
