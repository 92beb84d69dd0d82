// An expected failure is a value: Result<T> holds a T or an Error. TRY and ASSIGN pass an Error
// upwards.
//
// A wrong program is CHECK (check.h), never an Error. Messages are for people: what was wrong,
// where (file:line:column, topic-partition@offset), and what to do.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace tailrace {

/// What kind of failure; each door maps a code to its wire's number in one function.
enum class Code {
  kInvalidArgument,
  kNotFound,
  kAlreadyExists,
  kFailedPrecondition,
  kOutOfRange,
  kUnimplemented,
  kInternal,
  kUnavailable,
  kDataLoss,
  kResourceExhausted,
  kDeadlineExceeded,
  kPermissionDenied,
  kAborted,
  kCancelled,
};

std::string_view code_name(Code code);

struct Error {
  Code code;
  std::string what;

  /// The same code, with `where` put before the message.
  Error in(std::string_view where) const { return Error{code, std::string(where) + ": " + what}; }
};

template <typename T>
using Result = std::expected<T, Error>;

using Status = Result<void>;

/// `return error(Code::kNotFound, "topic …")` converts to any Result.
inline std::unexpected<Error> error(Code code, std::string what) {
  return std::unexpected(Error{code, std::move(what)});
}

}  // namespace tailrace

#define TAILRACE_CONCAT_(a, b) a##b
#define TAILRACE_CONCAT(a, b) TAILRACE_CONCAT_(a, b)

/// Returns the Error of a Status or Result expression to the caller.
#define TRY(expression)                                           \
  do {                                                            \
    if (auto try_result = (expression); !try_result) [[unlikely]] \
      return std::unexpected(std::move(try_result.error()));      \
  } while (false)

/// `ASSIGN(auto file, File::open(path));`: declares or assigns the value, or returns the Error.
#define ASSIGN(target, expression) \
  ASSIGN_IMPL_(TAILRACE_CONCAT(assign_result_, __COUNTER__), target, expression)
#define ASSIGN_IMPL_(temporary, target, expression)       \
  auto temporary = (expression);                          \
  if (!temporary) [[unlikely]]                            \
    return std::unexpected(std::move(temporary.error())); \
  target = std::move(*temporary)
