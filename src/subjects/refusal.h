// Why a registry refuses a request, in the words and with the codes of Confluent's registry.
#pragma once

#include <expected>
#include <string>

#include "base/result.h"

namespace tailrace::subjects {

struct Refusal {
  /// The code of the answer's `error_code`; a store that fails is 50001.
  int code = 50001;
  std::string message;

  Refusal(int why, std::string text) : code(why), message(std::move(text)) {}
  Refusal(Error error) : message("Error in the backend data store: " + error.what) {}

  /// The HTTP status: the code's first three digits.
  int status() const { return code >= 10'000 ? code / 100 : code; }
};

template <typename T>
using Answer = std::expected<T, Refusal>;

inline std::unexpected<Refusal> refuse(int code, std::string message) {
  return std::unexpected(Refusal(code, std::move(message)));
}

inline std::unexpected<Refusal> subject_not_found(const std::string& subject) {
  return refuse(40401, "Subject '" + subject + "' not found.");
}
inline std::unexpected<Refusal> invalid_schema(std::string message) {
  return refuse(42201, std::move(message));
}
inline std::unexpected<Refusal> not_permitted(std::string message) {
  return refuse(42205, std::move(message));
}

}  // namespace tailrace::subjects
