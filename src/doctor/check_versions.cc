// Versions that do not go together: Spark and its connectors, Scala, Airflow and what was written
// for another one.
#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <optional>

#include "doctor/rules.h"

namespace tailrace::doctor {
namespace {

/// 3.5 of "3.5.1-python3"; empty when it begins with no number.
std::string minor_of(const std::string& version) {
  std::size_t end = 0;
  int dots = 0;
  while (end < version.size()) {
    if (version[end] == '.' && ++dots == 2) break;
    if (version[end] != '.' && std::isdigit(static_cast<unsigned char>(version[end])) == 0) break;
    ++end;
  }
  return dots > 0 ? version.substr(0, end) : "";
}

struct Spark {
  std::string version, source;  ///< "3.5.1" of "spark-master"
  std::string scala = "2.12";
};

/// The Spark that runs: the cluster's, else the pinned pyspark.
std::optional<Spark> spark_of(const Folder& folder) {
  std::optional<Spark> out;
  for (const ComposeFile& file : folder.compose)
    for (const Service& one : file.services) {
      const std::string tag = image_parts(one.image.text).second;
      if (one.role != Role::kSpark || minor_of(tag).empty() || out) continue;
      out = Spark{tag.substr(0, tag.find('-')), one.name};
      if (std::atoi(tag.c_str()) >= 4 || tag.find("scala2.13") != std::string::npos)
        out->scala = "2.13";
    }
  for (const Requirement& one : folder.requirements)
    if (one.name == "pyspark" && !one.version.empty() && !out) {
      out = Spark{one.version, one.file};
      if (std::atoi(one.version.c_str()) >= 4) out->scala = "2.13";
    }
  return out;
}

struct Coordinate {
  std::string text, artifact, scala, version;
  std::string file = {};
  int line = 0;
};

/// group:artifact_SCALA:VERSION, by commas.
std::vector<Coordinate> coordinates_in(const std::string& text) {
  std::vector<Coordinate> out;
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t end = std::min(text.find_first_of(", \n", from), text.size());
    const std::string one = text.substr(from, end - from);
    from = end + 1;
    const auto first = one.find(':'), last = one.rfind(':');
    if (first == std::string::npos || first == last) continue;
    Coordinate made{one, one.substr(first + 1, last - first - 1), "", one.substr(last + 1)};
    if (const auto mark = made.artifact.rfind("_2."); mark != std::string::npos) {
      made.scala = made.artifact.substr(mark + 1);
      made.artifact = made.artifact.substr(0, mark);
    }
    if (!minor_of(made.version).empty()) out.push_back(made);
  }
  return out;
}

bool is_of_cassandra(const Coordinate& one) {
  return one.artifact == "spark-cassandra-connector" ||
         one.artifact == "spark-cassandra-connector-assembly";
}

/// It is released with Spark, under its version.
bool is_of_spark(const Coordinate& one) {
  return one.artifact.starts_with("spark-sql-kafka") ||
         one.artifact.starts_with("spark-streaming-kafka") ||
         one.artifact.starts_with("spark-avro");
}

/// The Spark that it is made for; empty: any, or not known.
std::string spark_for(const Coordinate& one) {
  return is_of_spark(one) || is_of_cassandra(one) ? minor_of(one.version) : "";
}

void add_mismatch(const Coordinate& one, std::string what, std::string remedy, Findings& out) {
  out.push_back({one.file, one.line, "version-mismatch", one.text + ": " + std::move(what),
                 std::move(remedy)});
}

void check_package(const Coordinate& one, const Spark& spark, Findings& out) {
  const auto add = [&](std::string what, std::string remedy) {
    add_mismatch(one, std::move(what), std::move(remedy), out);
  };
  const std::string minor = minor_of(spark.version);
  const std::string runs = "Spark " + spark.version + " (" + spark.source + ")";
  if (!one.scala.empty() && one.scala != spark.scala)
    return add("built for Scala " + one.scala + ", while " + runs + " is of Scala " + spark.scala +
                   ": NoSuchMethodError",
               "take the artifact that ends in _" + spark.scala);
  if (is_of_spark(one)) {
    if (minor_of(one.version) != minor)
      add("made for Spark " + minor_of(one.version) + ", not for " + runs,
          "take version " + spark.version);
  } else if (is_of_cassandra(one)) {
    if (std::atoi(minor.c_str()) >= 4)
      add("no release of this connector knows " + runs,
          "stay on Spark 3.5 with 3.5.1, or write from foreachBatch with the driver");
    else if (minor_of(one.version) != minor)
      add("made for Spark " + minor_of(one.version) + ", not for " + runs,
          "take its release for Spark " + minor);
  }
}

/// No version of Spark is pinned: what is asked for together is to be for one Spark and one Scala.
void check_together(const std::vector<Coordinate>& all, Findings& out) {
  const auto scala = std::ranges::find_if(all, [](const auto& one) { return !one.scala.empty(); });
  const auto spark =
      std::ranges::find_if(all, [](const auto& one) { return !spark_for(one).empty(); });
  for (const Coordinate& one : all) {
    if (!one.scala.empty() && one.scala != scala->scala)
      add_mismatch(one,
                   "built for Scala " + one.scala + ", while " + scala->text + " is of Scala " +
                       scala->scala + ": one of them ends in NoSuchMethodError",
                   "take the same Scala for both", out);
    else if (!spark_for(one).empty() && spark_for(one) != spark_for(*spark))
      add_mismatch(one,
                   "made for Spark " + spark_for(one) + ", while " + spark->text +
                       " is made for Spark " + spark_for(*spark),
                   "take the release of both for one Spark", out);
  }
}

/// An image without a version is the newest Spark, while a connector is for the one it names.
void check_moving_images(const Folder& folder, const std::vector<Coordinate>& all, Findings& out) {
  const auto first =
      std::ranges::find_if(all, [](const auto& one) { return !spark_for(one).empty(); });
  if (first == all.end()) return;
  const std::string needs =
      "Spark " + spark_for(*first) + (first->scala.empty() ? "" : " of Scala " + first->scala);
  for (const ComposeFile& file : folder.compose)
    for (const Service& one : file.services) {
      const auto [name, tag] = image_parts(one.image.text);
      if (one.role != Role::kSpark || name.empty() || (!tag.empty() && tag != "latest")) continue;
      out.push_back({one.image_file, one.image.line, "version-mismatch",
                     one.image.text + ": is the newest Spark of the day, while " + first->text +
                         " is made for " + needs,
                     "pin an image of " + needs});
    }
}

void check_packages(const Folder& folder, Findings& out) {
  std::vector<Coordinate> all;
  const auto add = [&](const std::string& file, const Site& text) {
    for (Coordinate& one : coordinates_in(text.text)) {
      one.file = file;
      one.line = text.line;
      all.push_back(std::move(one));
    }
  };
  for (const Script& script : folder.scripts)
    for (const Site& text : script.texts) add(script.path, text);
  for (const ComposeFile& file : folder.compose)
    for (const Service& service : file.services) add(file.path, service.command);
  if (const auto spark = spark_of(folder))
    for (const Coordinate& one : all) check_package(one, *spark, out);
  else
    check_together(all, out);
  check_moving_images(folder, all, out);
}

std::optional<std::string> airflow_of(const Folder& folder) {
  for (const ComposeFile& file : folder.compose)
    for (const Service& one : file.services)
      if (one.role == Role::kAirflow && !minor_of(image_parts(one.image.text).second).empty())
        return image_parts(one.image.text).second;
  return std::nullopt;
}

/// 3.12 of the tag "3.3.2-python3.12"; Airflow's images without that have the newest Python of
/// their time.
int python_minor(const std::string& tag) {
  if (const auto at = tag.find("python3."); at != std::string::npos)
    return std::atoi(tag.c_str() + at + 8);
  return std::atoi(tag.c_str()) >= 3 || tag.starts_with("2.10") || tag.starts_with("2.11") ? 12 : 8;
}

void check_requirements(const Folder& folder, Findings& out) {
  const auto spark = spark_of(folder);
  const auto airflow = airflow_of(folder);
  for (const Requirement& one : folder.requirements) {
    if (one.version.empty()) continue;
    const auto add = [&](std::string what, std::string remedy) {
      out.push_back({one.file, one.line, "version-mismatch",
                     one.name + "==" + one.version + ": " + std::move(what), std::move(remedy)});
    };
    if (one.name == "pyspark" && spark && minor_of(spark->version) != minor_of(one.version))
      add("the cluster has Spark " + spark->version + " (" + spark->source + ")",
          "pin pyspark==" + spark->version);
    if (one.name == "apache-airflow" && airflow && minor_of(*airflow) != minor_of(one.version))
      add("the image has Airflow " + airflow->substr(0, airflow->find('-')),
          "leave it out: the image has it");
    if (one.name == "kafka-python" && airflow && python_minor(*airflow) >= 12 &&
        (one.version.starts_with("1.") || one.version == "2.0.0" || one.version == "2.0.1" ||
         one.version == "2.0.2"))
      add("does not import on Python 3.12 (kafka.vendor.six.moves)",
          "pin kafka-python==2.0.6 or newer");
  }
}

void check_airflow_words(const Folder& folder, Findings& out) {
  const auto airflow = airflow_of(folder);
  if (!airflow || std::atoi(airflow->c_str()) < 3) return;
  for (const Script& script : folder.scripts) {
    for (const Site& one : script.old_words)
      out.push_back({script.path, one.line, "version-mismatch",
                     one.text + " is of Airflow 2; Airflow " +
                         airflow->substr(0, airflow->find('-')) +
                         " refuses it, and the DAG does not load",
                     "write schedule="});
    for (const auto& [module, line] : script.modules)
      for (const char* old : {"airflow.operators.python_operator",
                              "airflow.operators.bash_operator", "airflow.operators.dummy_operator",
                              "airflow.operators.dummy", "airflow.operators.subdag"})
        if (module == old)
          out.push_back({script.path, line, "version-mismatch",
                         module + " is not in Airflow " + airflow->substr(0, airflow->find('-')),
                         "import from airflow.providers.standard.operators"});
  }
}

}  // namespace

void check_versions(const Folder& folder, Findings& out) {
  check_packages(folder, out);
  check_requirements(folder, out);
  check_airflow_words(folder, out);
}

}  // namespace tailrace::doctor
