// Names of subjects: contexts before them, and which are refused.
#include "subjects/name.h"

#include <algorithm>

namespace tailrace::subjects {

SubjectName SubjectName::parse(std::string_view qualified) {
  SubjectName name;
  if (qualified.starts_with(":.")) {
    const std::size_t end = qualified.find(':', 2);
    name.context = qualified.substr(1, end == std::string_view::npos ? end : end - 1);
    if (end != std::string_view::npos) name.subject = qualified.substr(end + 1);
  } else if (qualified.starts_with(kEveryContext)) {
    name.context = "*";
    name.subject = qualified.substr(kEveryContext.size());
  } else {
    name.subject = qualified;
  }
  return name;
}

SubjectName SubjectName::within(std::string_view parent, std::string_view name) {
  SubjectName own = parse(name);
  if (own.context == kDefaultContext) own.context = parse(parent).context;
  return own;
}

std::string SubjectName::prefix() const {
  return context == kDefaultContext ? "" : ":" + context + ":";
}

std::string normalized(std::string_view qualified) {
  return SubjectName::parse(qualified).qualified();
}

std::string context_prefix(std::string_view context) {
  if (context.starts_with(':')) context.remove_prefix(1);
  if (context.ends_with(':')) context.remove_suffix(1);
  std::string name(context);
  if (!name.starts_with('.')) name.insert(0, ".");
  return name == kDefaultContext ? "" : ":" + name + ":";
}

bool is_valid_subject(std::string_view qualified, bool for_settings) {
  const bool has_control = std::ranges::any_of(
      qualified, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
  const SubjectName name = SubjectName::parse(qualified);
  if (has_control || name.subject == "__GLOBAL" || name.subject == "__EMPTY") return false;
  return for_settings || name.context != kGlobalContext;
}

}  // namespace tailrace::subjects
