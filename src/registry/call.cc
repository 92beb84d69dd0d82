// Paths and parameters of the registry's API.
#include "registry/call.h"

#include <algorithm>
#include <charconv>

namespace tailrace::registry {

using subjects::Answer;
using subjects::refuse;

namespace {

std::optional<long> number_of(std::string_view text) {
  long value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  constexpr long kMax = 0x7FFFFFFF;
  if (failed != std::errc() || end != text.data() + text.size() || value > kMax || value < -kMax)
    return std::nullopt;
  return value;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

std::string trimmed(std::string_view text) {
  const auto from = text.find_first_not_of(" \t");
  if (from == std::string_view::npos) return "";
  return std::string(text.substr(from, text.find_last_not_of(" \t") - from + 1));
}

}  // namespace

Call::Call(subjects::Registry& registry, const net::Request& request)
    : registry_(registry), request_(request), path_(request.segments) {
  std::erase(path_, "");
  const bool in_context = path_.size() >= 2 && path_[0] == "contexts" &&
                          (path_.size() > 2 || request.method != "DELETE");
  if (!in_context) return;
  std::string_view name = path_[1];
  if (name.starts_with(':')) name.remove_prefix(1);
  if (name.ends_with(':')) name.remove_suffix(1);
  if (name.contains(':'))
    refusal_.emplace(400, "Context name '" + std::string(name) + "' cannot contain a colon");
  context_ = subjects::context_prefix(path_[1]);
  path_.erase(path_.begin(), path_.begin() + 2);
}

std::string Call::in_context(const std::string& name) const {
  const bool has_own = name.starts_with(":.") || name.starts_with(subjects::kEveryContext);
  return subjects::normalized(has_own ? name : context_ + name);
}

std::string Call::subject_at(std::size_t place) const {
  return in_context(path_[place]);
}

std::string Call::aliased_subject_at(std::size_t place) const {
  return registry_.resolved_alias(subject_at(place));
}

subjects::Scope Call::scope_at(std::size_t place) const {
  const std::string name = place < path_.size() ? subject_at(place) : context_;
  if (subjects::SubjectName::parse(name).is_default_context()) return std::nullopt;
  return name;
}

Answer<int> Call::version_at(std::size_t place) const {
  const std::string text = trimmed(path_[place]);
  if (lower(text) == "latest") return -1;
  const auto number = number_of(text);
  if (!number || (*number <= 0 && *number != -1)) {
    return refuse(42202, "The specified version '" + text +
                             "' is not a valid version id. Allowed values are between [1, 2^31-1] "
                             "and the string \"latest\"");
  }
  return static_cast<int>(*number);
}

Answer<int> Call::number_at(std::size_t place) const {
  const auto number = number_of(path_[place]);
  if (!number) return refuse(404, "HTTP 404 Not Found");
  return static_cast<int>(*number);
}

bool Call::flag(std::string_view name) const {
  return lower(param(name)) == "true";
}

std::string Call::subject_param() const {
  const std::string subject = in_context(param("subject"));
  return subject.empty() ? subject : registry_.resolved_alias(subject);
}

std::string Call::context_param() const {
  return context_.empty() ? subjects::context_prefix(param("context")) : context_;
}

std::string Call::prefix_param(std::string_view otherwise) const {
  const auto given = request_.param("subjectPrefix");
  if (!given && context_.empty()) return std::string(otherwise);
  const std::string prefix = given.value_or("");
  return prefix.starts_with(':') ? prefix : context_ + prefix;
}

subjects::Show Call::show() const {
  if (flag("deletedOnly")) return subjects::Show::kDeletedOnly;
  return flag("deleted") ? subjects::Show::kAll : subjects::Show::kLive;
}

std::optional<std::size_t> Call::whole_param(std::string_view name) const {
  const auto number = number_of(param(name));
  if (!number || *number < 0) return std::nullopt;
  return static_cast<std::size_t>(*number);
}

}  // namespace tailrace::registry
