#include "postgres/sqlstate.h"

#include <algorithm>
#include <utility>

namespace tailrace::postgres {
namespace {

constexpr std::pair<std::string_view, Code> kStates[] = {
    {"57014", Code::kCancelled},         // query_canceled
    {"57P01", Code::kUnavailable},       // admin_shutdown
    {"57P02", Code::kUnavailable},       // crash_shutdown
    {"57P03", Code::kUnavailable},       // cannot_connect_now
    {"55006", Code::kUnavailable},       // object_in_use: a slot that another connection reads
    {"55P03", Code::kUnavailable},       // lock_not_available
    {"3D000", Code::kNotFound},          // a database
    {"3F000", Code::kNotFound},          // a schema
    {"42P01", Code::kNotFound},          // a table
    {"42704", Code::kNotFound},          // undefined_object: a slot, a publication
    {"42710", Code::kAlreadyExists},     // duplicate_object
    {"42P07", Code::kAlreadyExists},     // duplicate_table
    {"42501", Code::kPermissionDenied},  // insufficient_privilege
    {"23505", Code::kAlreadyExists},     // unique_violation
    {"0A000", Code::kUnimplemented},     // feature_not_supported
};

// By class: the first two characters.
constexpr std::pair<std::string_view, Code> kClasses[] = {
    {"08", Code::kUnavailable},        {"22", Code::kInvalidArgument},
    {"23", Code::kFailedPrecondition}, {"25", Code::kFailedPrecondition},
    {"28", Code::kPermissionDenied},   {"40", Code::kAborted},
    {"42", Code::kInvalidArgument},    {"53", Code::kUnavailable},
    {"54", Code::kResourceExhausted},  {"55", Code::kFailedPrecondition},
    {"57", Code::kUnavailable},        {"P0", Code::kFailedPrecondition},
};

bool is_state(std::string_view text) {
  return text.size() == 5 && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
         });
}

void blank(std::string& text, std::string_view secret) {
  if (secret.empty()) return;
  for (auto at = text.find(secret); at != std::string::npos; at = text.find(secret, at + 3))
    text.replace(at, secret.size(), "***");
}

}  // namespace

Code code_of(std::string_view sqlstate) {
  if (sqlstate.empty()) return Code::kUnavailable;
  for (const auto& [state, code] : kStates)
    if (state == sqlstate) return code;
  for (const auto& [head, code] : kClasses)
    if (sqlstate.starts_with(head)) return code;
  return Code::kInternal;
}

std::string_view sqlstate_in(std::string_view message) {
  for (auto at = message.find(":  "); at != std::string_view::npos;
       at = message.find(":  ", at + 1)) {
    const std::string_view state = message.substr(at + 3, 5);
    if (is_state(state) && message.substr(at + 8).starts_with(':')) return state;
  }
  return {};
}

std::string sentence(std::string_view message) {
  if (const auto at = message.find("\nLOCATION:"); at != std::string_view::npos)
    message = message.substr(0, at);
  std::string text(message);
  if (const std::string_view state = sqlstate_in(text); !state.empty()) {
    const std::string between = ":  " + std::string(state) + ": ";
    text.replace(text.find(between), between.size(), ":  ");
  }
  for (const std::string_view head : {"ERROR:  ", "FATAL:  ", "PANIC:  "})
    if (const auto at = text.find(head); at != std::string::npos) text.erase(at, head.size());
  std::string line;
  for (const char c : text) {
    const char one = c == '\n' || c == '\t' || c == '\r' ? ' ' : c;
    if (one != ' ' || (!line.empty() && line.back() != ' ')) line += one;
  }
  while (line.ends_with(' ')) line.pop_back();
  return line;
}

std::string without_password(std::string text, std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme != std::string_view::npos) {
    const std::string_view rest = url.substr(scheme + 3);
    const auto at = rest.rfind('@');
    const std::string_view user = at == std::string_view::npos ? "" : rest.substr(0, at);
    if (const auto colon = user.find(':'); colon != std::string_view::npos)
      blank(text, user.substr(colon + 1));
  }
  for (auto at = url.find("password="); at != std::string_view::npos;
       at = url.find("password=", at + 1)) {
    const std::string_view value = url.substr(at + 9);
    blank(text, value.substr(0, value.find_first_of("& ")));
  }
  return text;
}

}  // namespace tailrace::postgres
