// URI references (RFC 3986 as java.net.URI reads them, which is what decides which `$ref` the
// registry takes): whether a text is one, and what it is relative to a base.
#pragma once

#include <string>
#include <string_view>

namespace tailrace::schema::json_schema {

/// Whether java.net.URI takes it.
bool is_uri(std::string_view text);

/// "https:", "urn:": has a scheme.
bool is_absolute_uri(std::string_view text);

/// `reference` relative to `base`; an empty base gives the reference itself.
std::string resolve_uri(std::string_view base, std::string_view reference);

/// Without "#…".
std::string_view without_fragment(std::string_view uri);
/// "#…", or nothing.
std::string_view fragment_of(std::string_view uri);

}  // namespace tailrace::schema::json_schema
