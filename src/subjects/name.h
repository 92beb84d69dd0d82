// The name of a subject as a registry's clients write it: ":.CONTEXT:SUBJECT", or SUBJECT alone in
// the default context. A context is a namespace of subjects and of ids.
#pragma once

#include <string>
#include <string_view>

namespace tailrace::subjects {

inline constexpr std::string_view kDefaultContext = ".";
/// Its config and mode hold for every context that has none.
inline constexpr std::string_view kGlobalContext = ".__GLOBAL";
/// A prefix that stands for every context.
inline constexpr std::string_view kEveryContext = ":*:";

struct SubjectName {
  std::string context{kDefaultContext};
  std::string subject;  ///< "" names the context itself

  /// ":.eu:orders" → {".eu", "orders"}, ":.eu:" → {".eu", ""}, "orders" → {".", "orders"}.
  static SubjectName parse(std::string_view qualified);
  /// As a schema or config of `parent` means it: `name` stands in the parent's context unless it
  /// says its own.
  static SubjectName within(std::string_view parent, std::string_view name);

  /// "" or ":.eu:".
  std::string prefix() const;
  /// The shortest name that parse() gives this for.
  std::string qualified() const { return prefix() + subject; }

  bool is_default_context() const { return context == kDefaultContext && subject.empty(); }
  bool operator==(const SubjectName&) const = default;
};

/// ":.:orders" → "orders".
std::string normalized(std::string_view qualified);
/// ":.eu:" for "eu", ".eu" and ":.eu:"; "" for "." and "".
std::string context_prefix(std::string_view context);
/// Whether schemas may be registered under it; `for_settings`: whether it may have a config or
/// mode.
bool is_valid_subject(std::string_view qualified, bool for_settings);

}  // namespace tailrace::subjects
