// ~/.aws/credentials and ~/.aws/config: sections in brackets, `name = value` below them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "s3/credentials.h"

namespace tailrace::s3 {

using Section = std::map<std::string, std::string>;

/// The section's settings; none when the text does not have it. Lines that are indented belong to a
/// nested setting and are passed over, as are comments (# and ;).
std::optional<Section> section_of(std::string_view text, std::string_view name);

/// Of the profile that the environment names, of both files, the credentials' before the config's.
/// kNotFound: AWS_PROFILE names one that neither has. kPermissionDenied: a file cannot be read.
Result<Section> profile_of(const Environment& environment);

}  // namespace tailrace::s3
