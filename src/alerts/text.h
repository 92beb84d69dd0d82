// The words of a message, which every channel puts into its own form.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "alerts/states.h"

namespace tailrace::alerts {

/// Who speaks, and where the page is.
struct Sender {
  std::string project = {};
  std::string page = {};  ///< "https://host:9021", without / at its end; empty: there is no page
  std::string host = {};
};

/// `Firing: served.users is empty`, without line ends.
std::string title(const Message& message);
/// One or two sentences: the rule's own message, or what the first alert says, and how many more.
std::string summary(const Message& message);
/// The facts of one alert: its labels, value, since when, where to look; then its own.
std::vector<std::pair<std::string, std::string>> facts(const Alert& alert);
/// Where the first alert's link leads on the page; empty where there is no page.
std::string page_link(const Message& message, const Sender& sender);
std::string page_link(const Alert& alert, const Sender& sender);
/// The whole message as lines of plain text.
std::string plain_text(const Message& message, const Sender& sender);
/// Those that a channel shows one by one: what fires first, then what is resolved.
std::vector<const Alert*> shown(const Message& message, std::size_t most);
std::size_t count(const Message& message);
/// Names a text of a project for good: 32 hexadecimal digits.
std::string stable_id(const Sender& sender, std::string_view text);
/// Names a message's group.
std::string group_id(const Message& message, const Sender& sender);
/// With each secret as ***.
std::string without_secrets(std::string text, const std::vector<std::string>& secrets);

}  // namespace tailrace::alerts
