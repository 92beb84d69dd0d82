// What must not be shown of variables and connections: the rules of Airflow's secrets masker.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "metadata/metadata.h"

namespace tailrace::metadata {

/// `password`, `my-api-key`, `TOKEN` …
bool sounds_secret(std::string_view name);
/// SecretsMasker.add_mask: texts of a value, all where it has no name or one that sounds secret;
/// members of dicts by their own names.
std::vector<std::string> secrets_in(const jinja::Value& value, std::string_view name = "");
/// Texts that logs must not have: the password, extra, and its members with such names.
std::vector<std::string> secrets_of(const Connection& connection);
/// All of the value where the variable's name is one; else members of a JSON value, at any depth,
/// with such names.
std::vector<std::string> secrets_of(std::string_view variable, const std::string& value);

}  // namespace tailrace::metadata
