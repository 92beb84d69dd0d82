// E-mail: HTML beside plain text, by SMTP; messages of a group are one thread.
#include <fmt/format.h>

#include "alerts/http_channel.h"

namespace tailrace::alerts {
namespace {

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    out += c == '&'    ? "&amp;"
           : c == '<'  ? "&lt;"
           : c == '>'  ? "&gt;"
           : c == '"'  ? "&quot;"
           : c == '\n' ? "<br>"
                       : std::string(1, c);
  }
  return out;
}

std::string_view colour(const Message& message) {
  if (message.kind == MessageKind::kResolved || message.kind == MessageKind::kNotice)
    return "#1a7f37";
  if (message.kind == MessageKind::kTest || message.severity == "info") return "#0969da";
  return message.severity == "warning" ? "#bc4c00" : "#cf222e";
}

std::string html_of(const Message& message, const Sender& sender) {
  constexpr std::size_t kShown = 20;
  std::string html = fmt::format(
      "<html><body style=\"font-family:sans-serif\"><h2 style=\"color:{}\">{}</h2><p>{}</p>",
      colour(message), escaped(title(message)), escaped(summary(message)));
  const auto alerts = shown(message, kShown);
  for (const Alert* alert : alerts) {
    if (alerts.size() > 1)
      html += fmt::format("<h3>{}: {}</h3>", name(alert->state), escaped(alert->seen.summary));
    html += "<table cellpadding=\"4\">";
    for (const auto& [fact, value] : facts(*alert))
      html += fmt::format("<tr><td><b>{}</b></td><td>{}</td></tr>", escaped(fact),
                          fact == "look" ? "<code>" + escaped(value) + "</code>" : escaped(value));
    html += "</table>";
    if (!alert->seen.details.empty())
      html += fmt::format("<pre>{}</pre>", escaped(alert->seen.details));
  }
  if (count(message) > alerts.size())
    html += fmt::format("<p>and {} more</p>", count(message) - alerts.size());
  const auto link = [&](const std::string& url, std::string_view text) {
    if (!url.empty()) html += fmt::format("<p><a href=\"{}\">{}</a></p>", escaped(url), text);
  };
  link(page_link(message, sender), "Open in Tailrace");
  link(message.link, "Link");
  link(message.runbook, "Runbook");
  return html + fmt::format("<p><small>{} ({}), project {}, {}</small></p></body></html>",
                            escaped(message.rule), escaped(message.severity),
                            escaped(sender.project), time_text(message.at));
}

class Email final : public Channel {
 public:
  Email(const ChannelSpec& spec, Sender sender) : spec_(spec), sender_(std::move(sender)) {}

  Attempt send(const Message& message, const Envelope& envelope, std::stop_token stop) override {
    using enum Attempt::End;
    const auto text = net::mime_text(mail_of(message, sender_, envelope, spec_), message.at / 1000);
    if (!text) return {.end = kRefused, .said = text.error().what};
    const auto sent = net::send_mail(spec_.smtp, spec_.from, spec_.to, *text, std::move(stop));
    if (sent)
      return {.end = kSent,
              .said = fmt::format("{} took it for {}", spec_.smtp.host, fmt::join(spec_.to, ", "))};
    std::string said = without_secrets(sent.error().what, spec_.secrets);
    switch (sent.error().code) {
      case Code::kInvalidArgument:
      case Code::kPermissionDenied:
        return {.end = kRefused, .said = std::move(said)};
      case Code::kAborted:
        return {.end = kUnknown, .said = std::move(said)};
      default:
        return {.end = kAgain, .said = std::move(said)};
    }
  }

 private:
  ChannelSpec spec_;
  Sender sender_;
};

}  // namespace

net::Mail mail_of(const Message& message, const Sender& sender, const Envelope& envelope,
                  const ChannelSpec& spec) {
  const std::string group = group_id(message, sender);
  net::Mail mail{.from = spec.from,
                 .subject = fmt::format("[{}] {}", sender.project, title(message)),
                 .to = spec.to,
                 .cc = {},
                 .html = html_of(message, sender)};
  mail.subtype = "alternative";
  mail.text = plain_text(message, sender);
  mail.headers = {
      {"Message-ID", fmt::format("<{}.{}@tailrace>", group,
                                 envelope.id != 0 ? std::to_string(envelope.id)
                                                  : "test" + std::to_string(message.at))},
      {"References", fmt::format("<{}@tailrace>", group)},
      {"Auto-Submitted", "auto-generated"}};
  return mail;
}

std::unique_ptr<Channel> make_email(const ChannelSpec& spec, Sender sender) {
  return std::make_unique<Email>(spec, std::move(sender));
}

}  // namespace tailrace::alerts
