#include "dags/dag.h"

#include <fmt/format.h>

namespace tailrace::dags {

std::string Place::text() const {
  if (line == 0) return file;
  return file + ":" + std::to_string(line) + ":" + std::to_string(column);
}

std::string XComArg::type_name() const {
  return "XComArg";
}
std::string XComArg::text() const {
  return key == "return_value" ? "XComArg(" + task_id + ")"
                               : "XComArg(" + task_id + "['" + key + "'])";
}
jinja::Value XComArg::attribute(std::string_view name) const {
  return jinja::Value(jinja::Undefined{std::string(name)});
}

std::string MappedArgument::type_name() const {
  return "MappedArgument";
}
std::string MappedArgument::text() const {
  return "MappedArgument(" + group_id + "['" + key + "'])";
}
jinja::Value MappedArgument::attribute(std::string_view name) const {
  return jinja::Value(jinja::Undefined{std::string(name)});
}

std::string PythonObject::type_name() const {
  return path;
}

/// Python's str() of dates; else the call as it would be written.
std::string PythonObject::text() const {
  const auto number = [&](std::size_t i) {
    const std::int64_t* value = i < arguments.size() ? arguments[i].integer() : nullptr;
    return value ? *value : 0;
  };
  if (path == "datetime.date" && arguments.size() == 3)
    return fmt::format("{:04}-{:02}-{:02}", number(0), number(1), number(2));
  if (path == "datetime.datetime" && arguments.size() == 7) {
    std::string out = fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", number(0), number(1),
                                  number(2), number(3), number(4), number(5));
    return number(6) == 0 ? out : out + fmt::format(".{:06}", number(6));
  }
  std::string out = path + "(";
  for (const jinja::Value& argument : arguments)
    out += (out.ends_with('(') ? "" : ", ") + argument.repr();
  for (const auto& [name, value] : named.items())
    out += (out.ends_with('(') ? "" : ", ") + name.text() + "=" + value.repr();
  return out + ")";
}

jinja::Value PythonObject::attribute(std::string_view name) const {
  if (const jinja::Value* value = named.find(name)) return *value;
  return jinja::Value(jinja::Undefined{std::string(name)});
}

const Task* Dag::find(std::string_view task_id) const {
  for (const Task& task : tasks)
    if (task.id == task_id) return &task;
  return nullptr;
}

}  // namespace tailrace::dags
