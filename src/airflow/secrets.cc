#include "airflow/secrets.h"

#include "metadata/secrets.h"

namespace tailrace::airflow {
namespace {

using metadata::sounds_secret;

constexpr const char* kStars = "***";

}  // namespace

Json redacted(Json value, std::string_view name) {
  const bool secret = sounds_secret(name);
  if (value.is_object()) {
    for (auto& [key, member] : value.items())
      member = redacted(std::move(member), secret ? name : std::string_view(key));
  } else if (value.is_array()) {
    for (auto& item : value) item = redacted(std::move(item), name);
  } else if (secret && !value.is_null()) {
    return kStars;
  }
  return value;
}

std::string redacted_text(const std::string& text, std::string_view name) {
  const Json value = Json::parse(text, nullptr, false);
  if (value.is_discarded()) return sounds_secret(name) ? kStars : text;
  return python_dump(redacted(value, name));
}

}  // namespace tailrace::airflow
