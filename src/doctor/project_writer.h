// Writes the Tailrace project that does what a folder of a tutorial means to do: the topic, the URL
// that is polled for it, the fields as the DAG makes them, the table that is served.
//
// What is taken over: the topic and its fields from the script that sends them; the URL and the
// path to its records; the key from CREATE TABLE; the DAG that runs the script, with its schedule.
// A value that the script makes up for a record (uuid4, now) comes of the record itself, so that a
// record that comes twice is one row. What could not be followed is told in the notes, and its
// column is NULL.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "doctor/doctor.h"

namespace tailrace::doctor {

/// The notes: what is not as it was. kAlreadyExists when `target` is there; kFailedPrecondition
/// when no script sends anything to a topic.
Result<std::vector<std::string>> write_project(const Folder& folder, const std::string& target);

}  // namespace tailrace::doctor
