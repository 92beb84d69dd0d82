// The JSON that tokens and key sets are made of, read strictly: what two readers could understand
// differently is refused.
#pragma once

#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace tailrace::auth {

/// One JSON object; nullopt for anything else, and for a name that is in an object twice.
std::optional<nlohmann::json> strict_object(std::string_view text);
/// Base64url without padding (RFC 7515 §2).
std::optional<std::string> from_base64url(std::string_view text);

/// HEADER.CLAIMS.SIGNATURE, each as it stands; nullopt for more or fewer parts.
std::optional<std::array<std::string_view, 3>> token_parts(std::string_view token);
/// The JSON of a part.
std::optional<nlohmann::json> token_object(std::string_view part);
/// nullptr where it is not there or null.
const nlohmann::json* member(const nlohmann::json& object, const std::string& name);
/// Its text; empty where it is not there or no text.
std::string text_member(const nlohmann::json& object, const std::string& name);
/// As Java's String.trim(): without blanks and control characters around it.
std::string trimmed(std::string_view text);

}  // namespace tailrace::auth
