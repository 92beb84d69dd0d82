// What a Python script of a pipeline does: which URL it fetches, what it sends to which topic, what
// it reads, writes and connects to, each with its line.
//
// The script is followed, not run: names are bound, functions of the file are called with what they
// are given, both sides of an `if` and every block are taken in their order, a loop's body once.
// What cannot be known is left out. os.getenv answers from the environment of the container that
// the script is in.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace tailrace::doctor {

/// A text with its place.
struct Site {
  std::string text;
  int line = 0;
};

/// A member of what is sent: where its value comes from, if that is known.
struct Field {
  std::string name;
  int line = 0;
  std::string sql;  ///< over a record `r` of the URL's answer; empty: not known
  std::vector<std::vector<std::string>> paths = {};  ///< of the record, which `sql` takes
  std::string json_trouble = {};  ///< the Python type that json.dumps refuses; empty: none
};

struct Send {
  Site topic;
  std::vector<Field> fields;  ///< none: what is sent is not known, or the record as it came
  bool whole = false;         ///< the record as it came
  std::string url;            ///< where the record comes from
  std::string records;        ///< the path to it in the answer: $.results
};

struct Address {
  std::string host;
  int port = 0;
  int line = 0;
  std::string what;  ///< "Kafka", "Cassandra", "a database"; "Spark's …": its executors connect
};

/// A DAG of Airflow.
struct DagCall {
  std::string id;
  std::string schedule;  ///< "@daily", "0 6 * * *"; empty: none, or it is not known
  int line = 0;
};

struct Script {
  std::string path;
  std::map<std::string, int> modules;   ///< imported, with the line of the first time
  std::map<std::string, int> handlers;  ///< functions of (event, context), as AWS Lambda calls them
  std::vector<Site> urls;
  std::vector<Address> addresses;
  std::vector<Send> sends;
  std::vector<Field> unserialisable;  ///< given to json.dumps, which refuses them
  std::vector<Site> swallowed;        ///< an `except` that hides the failure of what `text` names
  std::vector<Site> texts;            ///< every string
  std::vector<DagCall> dags;
  std::vector<Site> old_words;  ///< of Airflow 2, which Airflow 3 refuses

  // Spark
  std::map<std::string, Site> options;        ///< of .option, .config and .set, by name
  std::vector<Site> schema;                   ///< StructField: NAME TYPE
  std::vector<Site> cql;                      ///< statements that are executed or prepared
  std::vector<std::vector<Site>> selections;  ///< the columns of each .select that names them all
  Site master;
  int streams = 0;  ///< the line of writeStream; 0: none

  bool is_spark() const { return modules.contains("pyspark.sql") || modules.contains("pyspark"); }
};

Script read_script(const std::string& path, std::string_view text,
                   const std::map<std::string, std::string>& environment);

}  // namespace tailrace::doctor
