// The files of operators, one function each, which puts its operators into the table by their
// paths.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "tasks/operator.h"

namespace tailrace::tasks {

using OperatorTable = std::map<std::string, std::unique_ptr<Operator>, std::less<>>;

void add_bash(OperatorTable& table);
void add_branches(OperatorTable& table);
void add_cassandra(OperatorTable& table);
void add_email(OperatorTable& table);
void add_empty(OperatorTable& table);
void add_http(OperatorTable& table);
void add_kafka(OperatorTable& table);
void add_other_dags(OperatorTable& table);
void add_python(OperatorTable& table);
void add_s3(OperatorTable& table);
void add_sensors(OperatorTable& table);
void add_slack(OperatorTable& table);
void add_spark(OperatorTable& table);
void add_sql(OperatorTable& table);
void add_sql_checks(OperatorTable& table);
void add_tailrace(OperatorTable& table);

}  // namespace tailrace::tasks
