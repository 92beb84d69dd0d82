// The reader against dag-factory 1.1 on Airflow 3.3: what they made of the corpus in tests/dags is
// recorded in described.json (tests/real/dags/describe.py), and what they say of its broken files
// stands in these.
#include "dags/read.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <random>

#include "dags/yaml11.h"

namespace fs = std::filesystem;

namespace tailrace::dags {
namespace {

using jinja::Dict;
using jinja::List;
using jinja::Value;

const fs::path kFolder = fs::absolute("tests/dags");

std::string content(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

Surroundings surroundings(const fs::path& folder = kFolder) {
  return {.folder = folder.string(),
          .environment = [](const std::string& name) -> std::optional<std::string> {
            return name == "DAGS_DIR" ? std::optional(kFolder.string()) : std::nullopt;
          },
          .now = 1'790'000'000'000'000};
}

Reading read_corpus(const fs::path& path) {
  auto reading = read(path.string(), airflow_operators(), surroundings());
  EXPECT_TRUE(reading) << (reading ? "" : reading.error().what);
  return reading ? *std::move(reading) : Reading{};
}

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
  return text;
}

std::string last_part(const std::string& path) {
  return path.substr(path.rfind('.') + 1);
}

const std::string& text_of(const Dict& dict, const char* key) {
  static const std::string none;
  const Value* value = dict.find(key);
  return value && value->string() ? *value->string() : none;
}

// --- what Airflow keeps of functions is their names, and it keeps no order of tasks and tags
// ------

Value by_function_names(const Value& value);

Dict function_of(const std::string& name, const Value* arguments) {
  Dict made;
  made.set("function", name);
  if (arguments && arguments->truth()) made.set("kwargs", *arguments);
  return made;
}

Value by_function_names(const Dict& dict) {
  if (!text_of(dict, "callback").empty() && !dict.find("async"))
    return function_of(last_part(text_of(dict, "callback")), dict.find("kwargs"));
  if (dict.find("file") && dict.find("name") && dict.size() == 2)
    return function_of(text_of(dict, "name"), nullptr);
  Dict made;
  for (const auto& [key, value] : dict.items()) {
    const std::string name = key.text();
    if (name == "operator" || name == "decorator" || name == "python_callable_file") continue;
    if (name == "python_callable")
      made.set("function", last_part(value.text()));
    else if (name == "python_callable_name")
      made.set("function", value);
    else if (name == "mapped")
      made.set(key, (*value.list())[1]);
    else
      made.set(key, by_function_names(value));
  }
  return made;
}

Value by_function_names(const Value& value) {
  if (const Dict* dict = value.dict()) return by_function_names(*dict);
  if (const List* list = value.list()) {
    List made;
    for (const Value& each : *list) made.push_back(by_function_names(each));
    return made;
  }
  return value;
}

Value in_order(const Value& list) {
  List made = *list.list();
  std::ranges::sort(made, {}, [](const Value& each) {
    return each.dict() ? text_of(*each.dict(), "id") : each.text();
  });
  return made;
}

Value comparable(const Dag& dag) {
  const auto described = jinja::from_json(replaced(describe(dag), kFolder.string(), "$DAGS_DIR"));
  EXPECT_TRUE(described) << describe(dag);
  Value named = by_function_names(*described);
  Dict made = *named.dict();
  for (const char* key : {"tasks", "groups", "tags"})
    if (const Value* list = made.find(key)) made.set(key, in_order(*list));
  if (dag.user_defined_macros.dict()) {
    Dict macros;
    for (const auto& [name, value] : dag.user_defined_macros.dict()->items())
      macros.set(name,
                 value.string() ? Value(function_of(last_part(value.text()), nullptr)) : value);
    made.set("user_defined_macros", macros);
  }
  return made;
}

void differences(const Value& ours, const Value& theirs, const std::string& path,
                 std::string& out) {
  const auto say = [&](const std::string& where, const Value* a, const Value* b) {
    out += "  " + where + ": " + (a ? a->repr() : "absent") + ", Airflow has " +
           (b ? b->repr() : "nothing") + "\n";
  };
  if (ours.dict() && theirs.dict()) {
    for (const auto& [key, value] : ours.dict()->items()) {
      const Value* other = theirs.dict()->find(key);
      if (other)
        differences(value, *other, path + "." + key.text(), out);
      else
        say(path + "." + key.text(), &value, nullptr);
    }
    for (const auto& [key, value] : theirs.dict()->items())
      if (!ours.dict()->find(key)) say(path + "." + key.text(), nullptr, &value);
  } else if (ours.list() && theirs.list() && ours.list()->size() == theirs.list()->size()) {
    for (std::size_t i = 0; i < ours.list()->size(); ++i)
      differences((*ours.list())[i], (*theirs.list())[i], path + "[" + std::to_string(i) + "]",
                  out);
  } else if (!(ours == theirs)) {
    say(path, &ours, &theirs);
  }
}

TEST(read, every_dag_of_the_corpus_is_what_dag_factory_and_airflow_make_of_it) {
  std::map<std::string, std::shared_ptr<const Dag>> ours;
  const Reading reading = read_corpus(kFolder);
  for (const auto& dag : reading.dags) ours[dag->id] = dag;
  for (const Finding& finding : reading.findings)
    EXPECT_FALSE(finding.fatal && finding.place.file.find("/broken/") == std::string::npos)
        << finding.text();
  std::ifstream recorded("tests/dags/described.json");
  int count = 0;
  for (std::string line; std::getline(recorded, line); ++count) {
    const auto theirs = jinja::from_json(line);
    ASSERT_TRUE(theirs) << line;
    const Value* dag = theirs->dict()->find("dag");
    const std::string id = text_of(*dag->dict(), "id");
    ASSERT_TRUE(ours.contains(id)) << id << " was not read";
    std::string found;
    differences(comparable(*ours[id]), *dag, id, found);
    EXPECT_EQ(found, "") << text_of(*theirs->dict(), "file");
  }
  EXPECT_GE(count, 90);
}

/// The findings that a file's first lines expect: `# 5:7 what` is fatal, `# 5:7? what` a doubt.
std::string expected_findings(const fs::path& path) {
  std::ifstream in(path);
  std::string found;
  for (std::string line; std::getline(in, line) && line.starts_with("# ");)
    if (std::isdigit(static_cast<unsigned char>(line[2]))) found += line.substr(2) + "\n";
  return found;
}

TEST(read, a_broken_file_is_told_what_is_wrong_and_where) {
  int count = 0;
  for (const auto& entry : fs::directory_iterator(kFolder / "broken")) {
    const fs::path& path = entry.path();
    std::string found;
    const Reading reading = read_corpus(path);
    bool fatal = false;
    for (const Finding& finding : reading.findings) {
      EXPECT_EQ(finding.place.file, path.string());
      found += std::to_string(finding.place.line) + ":" + std::to_string(finding.place.column) +
               (finding.fatal ? " " : "? ") +
               replaced(finding.what, kFolder.string(), "$DAGS_DIR") + "\n";
      fatal = fatal || finding.fatal;
    }
    EXPECT_EQ(found, expected_findings(path)) << path;
    EXPECT_EQ(fatal, reading.dags.empty() && path.stem() != "doubt_empty") << path;
    ++count;
  }
  EXPECT_GE(count, 75);
}

// --- YAML 1.1
// -------------------------------------------------------------------------------------

TEST(yaml11, plain_words_are_what_pyyaml_makes_of_them) {
  // Each pair was given by yaml.load(…, Loader=yaml.FullLoader) of PyYAML 6.0.
  const std::vector<std::pair<const char*, Value>> words = {
      {"yes", true},
      {"Off", false},
      {"y", "y"},
      {"tRue", "tRue"},
      {"~", Value()},
      {"NULL", Value()},
      {"0", 0},
      {"-0", 0},
      {"012", 10},
      {"08", "08"},
      {"0o12", "0o12"},
      {"0b101", 5},
      {"0x1F", 31},
      {"+12_345", 12345},
      {"1:30", 90},
      {"1:30:05", 5405},
      {"0:30", "0:30"},
      {"1:60", "1:60"},
      {"1.5", 1.5},
      {"1.", 1.0},
      {".5", 0.5},
      {"-.5", "-.5"},
      {"1e3", "1e3"},
      {"1.0e+3", 1000.0},
      {"1.0e3", "1.0e3"},
      {"1_0.5", 10.5},
      {"1:30.5", 90.5},
      {"12e03", "12e03"},
      {"2026-1-1", "2026-1-1"},
      {"1.2.3", "1.2.3"},
      {"0.0.0.0", "0.0.0.0"},
      {"+", "+"},
      {"2026-01-01 10:00", "2026-01-01 10:00"},
  };
  for (const auto& [word, wanted] : words) {
    const auto value = plain_scalar(word);
    ASSERT_TRUE(value) << word;
    EXPECT_EQ(value->repr(), wanted.repr()) << word;
  }
  EXPECT_EQ(plain_scalar("2026-01-02")->text(), "2026-01-02");
  EXPECT_EQ(plain_scalar("2026-01-02 03:04:05.5")->text(), "2026-01-02 03:04:05.500000");
  EXPECT_EQ(calendar::isoformat(*plain_scalar("2026-1-2T3:04:05+5:30")->moment()),
            "2026-01-02T03:04:05+05:30");
  EXPECT_FALSE(plain_scalar("2026-02-30"));
  EXPECT_FALSE(plain_scalar("99999999999999999999"));
}

TEST(yaml11, a_place_is_that_of_the_file_before_the_environment_went_in) {
  Findings findings;
  const auto environment = [](const std::string& name) -> std::optional<std::string> {
    if (name == "LONG") return "a text of some length";
    if (name == "LINES") return "a,\n b";
    return std::nullopt;
  };
  const auto node =
      load_yaml("x: $LONG\ny: [$LINES, '${LONG}', $NONE, '${NONE}', $, é]\nz: {q: 1}\n", "f.yml",
                environment, findings);
  ASSERT_TRUE(node);
  EXPECT_EQ(to_value(*node).repr(),
            "{'x': 'a text of some length', 'y': ['a', 'b', 'a text of some length', '$NONE', "
            "'${NONE}', '$', 'é'], 'z': {'q': 1}}");
  EXPECT_EQ(node->find("y")->items[2].place.text(), "f.yml:2:13");
  EXPECT_EQ(node->find("y")->items[6].place.text(), "f.yml:2:45");
  EXPECT_EQ(node->find("z")->find("q")->place.text(), "f.yml:3:8");
}

TEST(yaml11, merges_come_before_own_keys_and_the_first_of_a_list_goes_before_the_second) {
  Findings findings;
  const auto none = [](const std::string&) { return std::optional<std::string>(); };
  const auto node =
      load_yaml("a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc:\n  z: 3\n  <<: [*a, *b]\n  w: 4\n",
                "f.yml", none, findings);
  ASSERT_TRUE(node);
  EXPECT_EQ(to_value(*node->find("c")).repr(), "{'y': 1, 'z': 3, 'x': 1, 'w': 4}");
}

TEST(yaml11, aliases_that_would_fill_the_memory_are_refused) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int k = 0; k < 9; ++k) text += before + ", ";
    text += before + "]\n";
  }
  Findings findings;
  EXPECT_FALSE(load_yaml(
      text, "f.yml", [](const std::string&) { return std::nullopt; }, findings));
  EXPECT_EQ(findings.take().at(0).what, "its aliases repeat too many values");
}

// --- what the corpus cannot show
// ------------------------------------------------------------------

class folder : public ::testing::Test {
 protected:
  folder() : path_(fs::path(::testing::TempDir()) / "dags_read_test") {
    fs::remove_all(path_);
    fs::create_directories(path_);
  }
  ~folder() override { fs::remove_all(path_); }
  void write(const std::string& name, const std::string& text) {
    fs::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name) << text;
  }
  Reading read_folder() {
    auto reading = read(path_.string(), airflow_operators(), surroundings(path_));
    EXPECT_TRUE(reading);
    return reading ? *std::move(reading) : Reading{};
  }
  static std::string dag(const std::string& id, const std::string& more = "") {
    return id + ":\n  start_date: 2026-01-01\n" + more +
           "  tasks: {t: {operator: airflow.providers.standard.operators.empty.EmptyOperator}}\n";
  }
  fs::path path_;
};

TEST_F(folder, a_dag_id_belongs_to_one_file) {
  write("a.yml", dag("same"));
  write("b/c.yaml", dag("same"));
  const Reading reading = read_folder();
  EXPECT_EQ(reading.dags.size(), 1u);
  ASSERT_EQ(reading.findings.size(), 1u);
  EXPECT_EQ(reading.findings[0].text(),
            (path_ / "b/c.yaml").string() + ":1:1: the DAG `same` is at " +
                (path_ / "a.yml").string() + ":1:1 already; give one of them another id");
}

TEST_F(folder, a_fault_in_what_dags_share_is_said_once_and_counts_for_each) {
  write("a.yml", "default:\n  tasks: {t: {operator: no.such.Operator}}\na: {}\nb: {}\n" + dag("c"));
  const Reading reading = read_folder();
  ASSERT_EQ(reading.dags.size(), 1u);
  EXPECT_EQ(reading.dags[0]->id, "c");
  EXPECT_EQ(reading.findings.size(), 1u);
}

TEST_F(folder, files_that_an_airflowignore_names_are_left_out) {
  write(".airflowignore",
        "old_*.yml  # kept for reference\n!old_but_gold.yml\ndrafts/\n/b/*.yaml\n");
  write("old_one.yml", dag("old_one"));
  write("old_but_gold.yml", dag("old_but_gold"));
  write("drafts/d.yml", dag("drafted"));
  write("b/c.yaml", dag("anchored"));
  write("b/deep/c.yaml", dag("deep"));
  write("b/.airflowignore", "e.yml\n");
  write("b/e.yml", dag("nested"));
  write("e.yml", dag("other"));
  std::vector<std::string> ids;
  for (const auto& each : read_folder().dags) ids.push_back(each->id);
  std::ranges::sort(ids);
  EXPECT_EQ(ids, (std::vector<std::string>{"deep", "old_but_gold", "other"}));
}

TEST_F(folder, a_relative_start_counts_from_the_start_of_today_in_the_dags_zone) {
  write("a.yml", dag("a", "  timezone: Asia/Kathmandu\n").replace(17, 10, "2 days    "));
  const Reading reading = read_folder();
  ASSERT_EQ(reading.dags.size(), 1u);
  // 2026-09-21T14:13:20Z is the 21st in Kathmandu too, whose days begin at 18:15Z.
  EXPECT_EQ(calendar::isoformat({*reading.dags[0]->start_date, calendar::Zone::utc()}),
            "2026-09-18T18:15:00+00:00");
}

TEST_F(folder, a_version_is_of_what_a_dag_does_and_not_of_how_it_is_written) {
  const auto version = [&](const std::string& text) {
    write("a.yml", text);
    const Reading reading = read_folder();
    EXPECT_EQ(reading.dags.size(), 1u);
    return reading.dags.empty() ? "" : reading.dags[0]->version;
  };
  const std::string plain = version(dag("a"));
  EXPECT_EQ(version("# a comment\n\n" + dag("a", "  catchup: no\n")), plain);
  EXPECT_NE(version(dag("a", "  catchup: yes\n")), plain);
  EXPECT_NE(version(dag("a", "  default_args: {retries: 1}\n")), plain);
}

TEST(read, what_is_not_there_is_an_error) {
  const auto reading = read("tests/dags/no_such_folder", airflow_operators());
  ASSERT_FALSE(reading);
  EXPECT_EQ(reading.error().code, Code::kNotFound);
}

TEST_F(folder, texts_that_were_damaged_at_random_end_in_dags_or_findings) {
  std::mt19937 random(20261122);
  std::vector<std::string> texts;
  for (const auto& entry : fs::directory_iterator(kFolder))
    if (entry.path().extension() == ".yml") texts.push_back(content(entry.path()));
  std::ranges::sort(texts);
  const auto any = [&](std::size_t below) { return random() % below; };
  const std::string odd = "{}[]:,-#&*!|>'\"%@`?<\n \t$0\xc3";
  int read_whole = 0;
  for (int round = 0; round < 1500; ++round) {
    std::string text = texts[any(texts.size())];
    for (std::size_t damages = 1 + any(3); damages > 0; --damages) {
      const std::size_t at = any(text.size());
      switch (any(4)) {
        case 0:
          text[at] = odd[any(odd.size())];
          break;
        case 1:
          text.erase(at, 1 + any(30));
          break;
        case 2:
          text.insert(at, text.substr(any(text.size()), any(60)));
          break;
        default:
          text.insert(at, 1, odd[any(odd.size())]);
      }
    }
    write("a.yml", text);
    const Reading reading = read_folder();
    read_whole += !reading.dags.empty();
    bool fatal = false;
    for (const Finding& finding : reading.findings) fatal = fatal || finding.fatal;
    EXPECT_TRUE(fatal || !reading.dags.empty() || !reading.findings.empty()) << text;
  }
  EXPECT_GT(read_whole, 100);
}

}  // namespace
}  // namespace tailrace::dags
