// What the routes of routes.cc call, a group of addresses a file. Each reads its parameters or
// body, asks the workflows, and answers in the shape of Airflow's model of the same name.
#pragma once

#include "airflow/call.h"

namespace tailrace::airflow {

// monitor.cc
Answer<Reply> version(Call& call);
Answer<Reply> health(Call& call);
Answer<Reply> no_jobs(Call& call);
Answer<Reply> no_plugins(Call& call);
Answer<Reply> no_plugin_errors(Call& call);
Answer<Reply> providers(Call& call);
Answer<Reply> no_event_logs(Call& call);
Answer<Reply> no_dag_warnings(Call& call);
Answer<Reply> import_errors(Call& call);

// dags.cc
Answer<Reply> list_dags(Call& call);
Answer<Reply> get_dag(Call& call);
Answer<Reply> dag_details(Call& call);

}  // namespace tailrace::airflow
