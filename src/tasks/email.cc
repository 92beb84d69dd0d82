// EmailOperator: a message by the SMTP server of a connection.
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "jinja/json.h"
#include "net/mail.h"
#include "tasks/operators.h"

namespace tailrace::tasks {
namespace {

using jinja::Dict;
using jinja::List;
using jinja::Value;

constexpr std::uintmax_t kMostFileBytes = 32 << 20;

const Value* given(const Dict& dict, std::string_view name) {
  const Value* value = dict.find(name);
  return value == nullptr || value->is_none() ? nullptr : value;
}

bool is_set(const Dict& extra, std::string_view name) {
  const Value* value = given(extra, name);
  return value != nullptr && value->truth();
}

Result<std::string> content(const std::string& path) {
  std::error_code failed;
  const auto size = std::filesystem::file_size(path, failed);
  if (failed) return error(Code::kNotFound, fmt::format("{}: {}", path, failed.message()));
  if (size > kMostFileBytes)
    return error(Code::kInvalidArgument, fmt::format("{}: over 32 MiB", path));
  std::ifstream in(path, std::ios::binary);
  return std::string((std::istreambuf_iterator<char>(in)), {});
}

/// A list, or a text with commas or semicolons.
Result<std::vector<std::string>> addresses(const Context& context, std::string_view name) {
  std::vector<std::string> all;
  const Value* value = given(context.arguments, name);
  if (value == nullptr) return all;
  const auto add = [&](std::string_view text) {
    const auto first = text.find_first_not_of(" \t\n"), last = text.find_last_not_of(" \t\n");
    if (first != text.npos) all.emplace_back(text.substr(first, last - first + 1));
  };
  if (const std::string* text = value->string()) {
    for (std::size_t at = 0; at <= text->size();) {
      const std::size_t end = std::min(text->find_first_of(",;", at), text->size());
      add(std::string_view(*text).substr(at, end - at));
      at = end + 1;
    }
    return all;
  }
  const List* list = value->list() != nullptr    ? value->list()
                     : value->tuple() != nullptr ? &value->tuple()->items
                                                 : nullptr;
  if (list == nullptr)
    return error(Code::kInvalidArgument,
                 fmt::format("Unexpected argument type: Received '{}'.", value->type_name()));
  for (const auto& one : *list) {
    if (one.string() == nullptr)
      return error(Code::kInvalidArgument, "The items in your iterable must be strings.");
    add(*one.string());
  }
  return all;
}

class Email final : public Operator {
 public:
  Outcome run(Context& context) const override {
    const auto sent = send(context);
    return sent ? Outcome::success() : Outcome::failed(sent.error().what);
  }

 private:
  /// The argument; else the connection's template file, rendered.
  static Result<std::string> text_of(Context& context, const Dict& extra, const std::string& name) {
    if (given(context.arguments, name) != nullptr) return text_argument(context, name);
    const std::string word = name + "_template";
    const Value* file = given(extra, word);
    if (file == nullptr)
      return error(
          Code::kInvalidArgument,
          fmt::format("You should provide `{}` or define `{}` in the connection.", name, word));
    ASSIGN(std::string text, content(absolute(context, file->text())));
    std::erase(text, '\n');
    ASSIGN(const Value rendered, context.render(Value(text)));
    return rendered.text();
  }

  static std::string absolute(const Context& context, const std::string& path) {
    return path.starts_with('/') ? path : context.folder + "/" + path;
  }

  static net::SmtpServer server_of(const metadata::Connection& connection, const Dict& extra) {
    using Tls = net::SmtpServer::Tls;
    net::SmtpServer server{.host = connection.host.value_or("")};
    server.port = static_cast<int>(connection.port.value_or(0));
    server.tls = !is_set(extra, "disable_ssl")   ? Tls::kFromTheBegin
                 : !is_set(extra, "disable_tls") ? Tls::kStartTls
                                                 : Tls::kNone;
    if (const Value* check = given(extra, "ssl_context"))
      server.verify_tls = check->text() != "none";
    server.user = connection.login.value_or("");
    server.password = connection.password.value_or("");
    if (server.password.empty()) server.user.clear();
    if (const Value* seconds = given(extra, "timeout"))
      server.timeout_ms = static_cast<int>(seconds->number().value_or(30) * 1000);
    const Value* type = given(extra, "auth_type");
    const Value* token = given(extra, "access_token");
    if (type != nullptr && type->text() == "oauth2" && token != nullptr) {
      server.bearer = token->text();
      const Value* from = given(extra, "from_email");
      server.user = connection.login.value_or(from != nullptr ? from->text() : "");
    }
    return server;
  }

  static Result<net::Mail> mail_of(Context& context, const Dict& extra) {
    net::Mail mail;
    ASSIGN(mail.from, text_argument(context, "from_email"));
    if (mail.from.empty()) {
      const Value* from = given(extra, "from_email");
      if (from == nullptr)
        return error(Code::kInvalidArgument,
                     "You should provide `from_email` or define it in the connection.");
      mail.from = from->text();
    }
    ASSIGN(mail.subject, text_of(context, extra, "subject"));
    ASSIGN(mail.html, text_of(context, extra, "html_content"));
    ASSIGN(mail.to, addresses(context, "to"));
    ASSIGN(mail.cc, addresses(context, "cc"));
    ASSIGN(mail.charset, text_argument(context, "mime_charset", "utf-8"));
    ASSIGN(mail.subtype, text_argument(context, "mime_subtype", "mixed"));
    if (const Value* files = given(context.arguments, "files"); files != nullptr && files->list()) {
      for (const auto& file : *files->list()) {
        const std::string path = file.text();
        ASSIGN(auto bytes, content(absolute(context, path)));
        mail.files.push_back({path.substr(path.rfind('/') + 1), std::move(bytes)});
      }
    }
    const Value* headers = given(context.arguments, "custom_headers");
    if (headers != nullptr && headers->dict() != nullptr) {
      for (const auto& [name, value] : headers->dict()->items())
        mail.headers.emplace_back(name.text(), value.text());
    }
    return mail;
  }

  static Status send(Context& context) {
    ASSIGN(const std::string id, text_argument(context, "conn_id", "smtp_default"));
    const auto connection = context.connection(id);
    if (!connection) return error(Code::kNotFound, "SMTP connection is not found.");
    Dict extra;
    if (connection->extra && !connection->extra->empty()) {
      ASSIGN(const Value read, jinja::from_json(*connection->extra));
      if (read.dict() != nullptr) extra = *read.dict();
    }
    if (const Value* token = given(extra, "access_token")) context.log.mask(token->text());
    ASSIGN(const net::Mail mail, mail_of(context, extra));
    ASSIGN(std::vector<std::string> recipients, addresses(context, "bcc"));
    recipients.insert(recipients.begin(), mail.cc.begin(), mail.cc.end());
    recipients.insert(recipients.begin(), mail.to.begin(), mail.to.end());
    ASSIGN(const std::string message, net::mime_text(mail, context.clock.now().value / 1000));
    const net::SmtpServer server = server_of(*connection, extra);
    std::int64_t tries = 6;
    if (const Value* limit = given(extra, "retry_limit"); limit != nullptr && limit->index())
      tries = std::clamp<std::int64_t>(*limit->index() + 1, 1, 100);
    Status sent;
    for (std::int64_t i = 0; i < tries; ++i) {
      sent = net::send_mail(server, mail.from, recipients, message, context.stop);
      if (sent || sent.error().code != Code::kUnavailable) break;
    }
    return sent;
  }
};

}  // namespace

void add_email(OperatorTable& table) {
  table["airflow.providers.smtp.operators.smtp.EmailOperator"] = std::make_unique<Email>();
}

}  // namespace tailrace::tasks
