#include "dags/task_reader.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include "dags/assets.h"
#include "dags/fields.h"
#include "dags/python_types.h"
#include "dags/task_fields.h"
#include "jinja/template.h"

namespace tailrace::dags {
namespace {

using jinja::Value;

/// dag-factory's own keys of a task.
constexpr std::array<std::string_view, 5> kStructure = {"operator", "decorator", "dependencies",
                                                        "task_group_name", "parent_group_name"};
constexpr std::array<std::string_view, 3> kBeyond = {"is_setup", "is_teardown",
                                                     "on_failure_fail_dagrun"};
constexpr std::array<std::string_view, 5> kCallbacks = {"execute", "success", "failure", "retry",
                                                        "skipped"};

struct KindKey {
  std::string_view kind, key;
};
/// Keys that dag-factory takes for operators of a kind, and turns into their arguments.
constexpr std::array kKindKeys = std::to_array<KindKey>({
    {"python", "python_callable_name"},
    {"python", "python_callable_file"},
    {"http_sensor", "response_check_name"},
    {"http_sensor", "response_check_file"},
    {"http_sensor", "response_check_lambda"},
    {"sql_sensor", "success_check_name"},
    {"sql_sensor", "success_check_file"},
    {"sql_sensor", "success_check_lambda"},
    {"sql_sensor", "failure_check_name"},
    {"sql_sensor", "failure_check_file"},
    {"sql_sensor", "failure_check_lambda"},
});

template <typename List>
bool among(const List& list, std::string_view word) {
  return std::ranges::find(list, word) != std::ranges::end(list);
}

std::string last_part(std::string_view path) {
  return std::string(path.substr(path.rfind('.') + 1));
}

}  // namespace

std::string GroupDraft::child_id(const std::string& child) const {
  return group.prefix_group_id ? group.id + "." + child : child;
}

/// The reading of one task.
class TaskReader::One {
 public:
  One(TaskReader& reader, const Node::Key& name, const Node& conf, const GroupDraft* group,
      std::vector<std::string>& upstream)
      : reader_(reader),
        findings_(reader.setting_.findings),
        name_(name.text()),
        place_(name.place),
        conf_(conf),
        group_(group),
        upstream_(upstream) {}

  std::optional<Task> read() {
    const int faults = findings_.fatal_count();
    if (!conf_.is_map()) {
      findings_.fatal(conf_.place, "the task `" + name_ +
                                       "` is a mapping with `operator` or "
                                       "`decorator`, not " +
                                       conf_.what());
      return std::nullopt;
    }
    task_.place = place_;
    task_.id = group_ ? group_->child_id(name_) : name_;
    if (group_) task_.group = group_->group.id;
    check_key(task_.id, false, place_, findings_);
    if (!find_signature()) return std::nullopt;
    collect_defaults();
    find_function();
    read_expansion();
    read_arguments();
    check_templates();
    tell_ignored();
    read_callbacks();
    read_setup();
    task_fields();
    check_required();
    if (findings_.fatal_count() > faults) return std::nullopt;
    return std::move(task_);
  }
  Made made() const {
    return {task_.id, !task_.decorator_path.empty(), task_.expansion.has_value()};
  }
  bool decorated() const { return decorator_; }

 private:
  bool find_signature() {
    const Node* path = conf_.find("operator");
    decorator_ = !path;
    if (!path) path = conf_.find("decorator");
    if (!path) {
      findings_.fatal(place_, "the task `" + name_ +
                                  "` has neither `operator` nor `decorator`: "
                                  "write the dotted path of one");
      return false;
    }
    if (!path->text()) {
      findings_.fatal(path->place, "an operator is a dotted path, not " + path->what());
      return false;
    }
    (decorator_ ? task_.decorator_path : task_.operator_path) = *path->text();
    signature_ = reader_.setting_.operators.find(*path->text());
    if (signature_ && signature_->decorator == decorator_) {
      if (!reader_.setting_.operators.runs(*path->text()))
        findings_.doubt(path->place, "`" + *path->text() +
                                         "` is not embedded: this task will fail here; run its DAG "
                                         "on an Airflow (tailrace airflow)");
      return true;
    }
    const std::string why = "the operator `" + *path->text() + "` is not known here";
    signature_ = signature_ ? nullptr : reader_.setting_.operators.stand_in(decorator_);
    if (signature_)
      findings_.doubt(path->place, why + ": what it takes is not checked");
    else
      findings_.fatal(path->place, why + nearest_operator(*path->text()));
    return signature_ != nullptr;
  }

  std::string nearest_operator(const std::string& path) const {
    const std::string wanted = last_part(path);
    std::vector<std::string> names;
    std::vector<std::string> paths;
    for (const std::string& known : reader_.setting_.operators.paths()) {
      const auto* signature = reader_.setting_.operators.find(known);
      if (signature->decorator != decorator_) continue;
      paths.push_back(known);
      names.push_back(last_part(known));
      if (names.back() == wanted) return "; did you mean `" + known + "`?";
    }
    const std::string near = yaml_nearest(wanted, names);
    for (std::size_t i = 0; i < names.size(); ++i)
      if (names[i] == near) return "; did you mean `" + paths[i] + "`?";
    return "";
  }
  static std::string yaml_nearest(const std::string& word, const std::vector<std::string>& words) {
    const std::string text = suggestion(word, words);
    const std::size_t start = text.find('`');
    return start == std::string::npos ? "" : text.substr(start + 1, text.rfind('`') - start - 1);
  }

  /// get_merged_defaults: the DAG's, the groups', the task's own default_args.
  void collect_defaults() {
    const auto add = [&](const Node* from) {
      if (!from || !from->is_map()) return;
      for (std::size_t i = 0; i < from->keys.size(); ++i)
        defaults_.set(from->keys[i], from->items[i]);
    };
    defaults_.kind = Node::Kind::kMap;
    add(&reader_.setting_.defaults);
    if (group_) add(&group_->defaults);
    const Node* own = conf_.find("default_args");
    if (own && !own->is_none() && !own->is_map())
      findings_.fatal(own->place, "`default_args` is a mapping, not " + own->what());
    add(own);
  }

  /// What the task says, or its defaults; null when neither does.
  const Node* given(std::string_view key) const {
    if (const Node* own = conf_.find(key)) return own;
    return among(signature_->arguments, key) ? defaults_.find(key) : nullptr;
  }
  /// given() that is not null in YAML: dag-factory's check_dict_key.
  const Node* set(std::string_view key) const {
    const Node* node = given(key);
    return node && !node->is_none() ? node : nullptr;
  }

  void find_function() {
    if (!decorator_ && !signature_->is("python")) return;
    const Node* path = set("python_callable");
    const Node* name = conf_.find("python_callable_name");
    const Node* file = conf_.find("python_callable_file");
    if (path && !(decorator_ && name && file)) {
      if (!path->text()) {
        findings_.fatal(path->place, "`python_callable` is a dotted path, not " + path->what());
        return;
      }
      if (const auto known = reader_.setting_.callables.by_path(*path->text()))
        take_function(*known, *path);
      else if (path->text()->find('.') == std::string::npos)
        findings_.fatal(path->place, "`" + *path->text() + "` is no dotted path, module.function");
      return;
    }
    if (!name || !file || !name->text() || !file->text()) {
      findings_.fatal(place_, "the task `" + name_ +
                                  "` needs its function: `python_callable` with "
                                  "a dotted path, or `python_callable_file` and "
                                  "`python_callable_name`");
      return;
    }
    if (!std::filesystem::path(*file->text()).is_absolute()) {
      findings_.fatal(file->place,
                      "`python_callable_file` must be an absolute path; a variable of "
                      "the environment may stand in it, ${DAGS}/" +
                          *file->text());
      return;
    }
    take_function(reader_.setting_.callables.in_file(*file->text(), *name->text()), *name);
  }

  void take_function(const Result<Callables::Function>& found, const Node& where) {
    if (found)
      function_ = *found;
    else if (found.error().code == Code::kNotFound)
      findings_.fatal(where.place, found.error().what);
  }

  /// `+task`, `+task['key']` in a decorated task's arguments; what it is then.
  std::optional<Value> result_of(const Node& node, bool decorated_place) {
    const std::string* text = node.text();
    if (!text || !text->starts_with('+')) return std::nullopt;
    std::size_t end = 1;
    while (end < text->size() && (std::isalnum(static_cast<unsigned char>((*text)[end])) ||
                                  (*text)[end] == '_' || ((*text)[end] & 0x80)))
      ++end;
    const std::string name = text->substr(1, end - 1);
    std::optional<std::string> key;
    const std::string_view rest = std::string_view(*text).substr(end);
    if (!rest.empty()) {
      const bool quoted = rest.size() >= 4 && rest[0] == '[' && rest.back() == ']' &&
                          (rest[1] == '\'' || rest[1] == '"') &&
                          (rest[rest.size() - 2] == '\'' || rest[rest.size() - 2] == '"');
      if (!quoted) return std::nullopt;
      key = rest.substr(2, rest.size() - 4);
    }
    if (key)
      if (const GroupDraft* mapped = mapped_group(name)) return group_argument(*mapped, *key, node);
    if (!decorated_place) return std::nullopt;
    const auto found = reader_.made_.find(name);
    if (found == reader_.made_.end()) {
      std::vector<std::string> names;
      for (const auto& [each, made] : reader_.made_)
        if (made.decorated) names.push_back(each);
      findings_.fatal(node.place, "`" + *text +
                                      "` names no task made before this one; add it to "
                                      "`dependencies`" +
                                      suggestion(name, names));
      return Value();
    }
    if (!found->second.decorated) {
      findings_.fatal(node.place, "`" + *text +
                                      "`: `+` takes the result of a task with a "
                                      "`decorator`; of an operator's, pull it in a template: {{ "
                                      "ti.xcom_pull('" +
                                      found->second.id + "') }}");
      return Value();
    }
    return xcom(found->second, key.value_or("return_value"));
  }

  const GroupDraft* mapped_group(const std::string& name) const {
    for (const GroupDraft* group = group_; group; group = group->parent)
      if (group->name == name && group->group.expansion) return group;
    return nullptr;
  }

  Value group_argument(const GroupDraft& mapped, const std::string& key, const Node& node) {
    std::vector<std::string> names;
    for (const auto& [name, value] : mapped.group.expansion->arguments) names.push_back(name);
    if (!among(names, key))
      findings_.fatal(node.place, "the group `" + mapped.name + "` is not expanded over `" + key +
                                      "`" + suggestion(key, names));
    return Value(std::shared_ptr<const jinja::Object>(
        std::make_shared<MappedArgument>(mapped.group.id, key)));
  }

  Value xcom(const Made& from, const std::string& key) {
    upstream_.push_back(from.id);
    return Value(std::shared_ptr<const jinja::Object>(std::make_shared<XComArg>(from.id, key)));
  }

  /// An argument's value with results of other tasks in the place of their names.
  Value value_of(const Node& node, bool function_argument) {
    if (auto result = result_of(node, function_argument)) return *std::move(result);
    return to_value(node);
  }

  /// `task.output` and `XcomArg(task)` in an operator's expand.
  std::optional<Value> output_of(const Node& node) {
    const std::string* text = node.text();
    if (!text) return std::nullopt;
    std::string name;
    if (const std::size_t dot = text->find(".output"); dot != std::string::npos) {
      name = text->substr(0, dot);
    } else if (text->find("XcomArg") != std::string::npos && text->find('(') != std::string::npos) {
      const std::size_t open = text->find_first_not_of('(', text->find('('));
      name = text->substr(std::min(open, text->size()));
      name = name.substr(0, name.find(')'));
    } else {
      return std::nullopt;
    }
    const auto found = reader_.made_.find(name);
    if (found == reader_.made_.end()) {
      std::vector<std::string> names;
      for (const auto& [each, made] : reader_.made_) names.push_back(each);
      findings_.fatal(node.place, "`" + *text +
                                      "` names no task made before this one; add it to "
                                      "`dependencies`" +
                                      suggestion(name, names));
      return Value();
    }
    return xcom(found->second, "return_value");
  }

  void read_expansion() {
    const Node* expand = set("expand");
    const Node* all = set("expand_kwargs");
    const Node* partial = set("partial");
    if (expand && !expand->is_map()) {
      findings_.fatal(expand->place,
                      "`expand` is a mapping of arguments and lists, not " + expand->what());
      return;
    }
    if (partial && !expand && !all)
      findings_.fatal(partial->place, "`partial` is for mapped tasks: it needs `expand` beside it");
    if (partial && !partial->is_map())
      findings_.fatal(partial->place, "`partial` is a mapping, not " + partial->what());
    if (expand && all)
      findings_.fatal(all->place, "`expand` and `expand_kwargs` exclude each other");
    if (!all && (!expand || expand->items.empty())) return;
    for (const GroupDraft* group = group_; group; group = group->parent)
      if (group->group.expansion)
        findings_.fatal((all ? all : expand)->place,
                        "a mapped task within a mapped group is not supported by Airflow");
    Expansion made;
    if (all) {
      made.kind = Expansion::Kind::kZip;
      made.arguments.emplace_back("", mapped_value(*all, "expand_kwargs"));
    } else {
      for (std::size_t i = 0; i < expand->keys.size(); ++i) {
        const std::string name = expand->keys[i].text();
        check_mapped_name(name, expand->keys[i].place);
        made.arguments.emplace_back(name, mapped_value(expand->items[i], name));
      }
    }
    task_.expansion = std::move(made);
    if (all) check_kwargs(*all);
  }

  void check_mapped_name(const std::string& name, const Place& place) {
    if ((decorator_ && !function_) || signature_->any_arguments) return;
    const std::vector<std::string>& known =
        decorator_ ? function_->arguments : signature_->arguments;
    if (!among(known, name))
      findings_.fatal(place,
                      (decorator_ ? std::string("the function") : last_part(signature_->path)) +
                          " has no argument `" + name + "` to map over" + suggestion(name, known));
  }

  Value mapped_value(const Node& node, const std::string& name) {
    auto value = decorator_ ? result_of(node, true) : output_of(node);
    if (!value && !decorator_) value = result_of(node, false);
    Value made = value ? *std::move(value) : to_value(node);
    if (!value && !made.list() && !made.dict())
      findings_.fatal(node.place,
                      "`" + name + "` is mapped over a list, a mapping or another task's result (" +
                          (decorator_ ? "+task" : "task.output") + "), not over a " +
                          node.type_name());
    return made;
  }

  void check_kwargs(const Node& all) {
    if (all.is_list())
      for (const Node& item : all.items)
        if (!item.is_map())
          findings_.fatal(item.place,
                          "each of `expand_kwargs` is a mapping of arguments, not " + item.what());
  }

  /// Everything that has no field of Task.
  void read_arguments() {
    jinja::Dict function_arguments;
    for (std::size_t i = 0; i < conf_.keys.size(); ++i) {
      const std::string key = conf_.keys[i].text();
      if (among(kStructure, key) || key == "expand" || key == "expand_kwargs" || key == "partial" ||
          key == "default_args" || among(kBeyond, key))
        continue;
      if (decorator_ && function_ && among(function_->arguments, key)) {
        function_arguments.set(key, value_of(conf_.items[i], true));
        continue;
      }
      if (is_task_field(key) || is_callback(key)) continue;
      argument(conf_.keys[i], conf_.items[i], function_arguments, false);
    }
    if (const Node* partial = set("partial"); partial && partial->is_map())
      for (std::size_t i = 0; i < partial->keys.size(); ++i)
        partial_argument(partial->keys[i], partial->items[i], function_arguments);
    for (std::size_t i = 0; i < defaults_.keys.size(); ++i) {
      const std::string key = defaults_.keys[i].text();
      if (conf_.find(key) || is_task_field(key) || key == "default_args" ||
          !among(signature_->arguments, key) || has(key))
        continue;
      task_.arguments.set(key, to_value(defaults_.items[i]));
    }
    if (!decorator_) return;
    if (task_.expansion && !beside_.empty() && set("partial"))
      findings_.fatal(place_, "`" + beside_ +
                                  "`: with `expand` and `partial` all arguments of the "
                                  "function stand in one of the two");
    else if (task_.expansion && !beside_.empty())
      findings_.doubt(place_,
                      "`" + beside_ + "` beside `expand` is ignored; write it in `partial`");
    if (function_ && !task_.expansion)  // a function's arguments have defaults there, too
      for (const std::string& name : function_->arguments)
        if (const Node* value = defaults_.find(name);
            value && !function_arguments.find(std::string_view(name)))
          function_arguments.set(name, to_value(*value));
    if (function_arguments.size() > 0 && (!task_.expansion || set("partial")))
      task_.arguments.set("op_kwargs", std::move(function_arguments));
  }

  void tell_ignored() {
    for (const std::string& name : signature_->arguments) {
      const Node* node = reader_.setting_.operators.ignores(name) ? set(name) : nullptr;
      if (node && reader_.ignored_.insert(node->place.text()).second)
        findings_.doubt(node->place, "`" + name +
                                         "` does nothing here: tasks are processes of this "
                                         "machine and its user; only an Airflow looks at it");
    }
  }

  /// Airflow finds a template's fault when the task runs.
  void check_templates() {
    for (const std::string& field : signature_->template_fields) {
      const Value* value = task_.arguments.find(std::string_view(field));
      const Node* node = conf_.find(field);
      if (value) check_template(*value, node ? node->place : place_);
    }
  }
  void check_template(const Value& value, const Place& place) {
    if (const std::string* text = value.string()) {
      const auto parsed = jinja::Template::parse(*text);
      if (!parsed) findings_.doubt(place, "this template will fail: " + parsed.error().what);
    } else if (const jinja::List* list = value.list()) {
      for (const Value& each : *list) check_template(each, place);
    } else if (const jinja::Dict* dict = value.dict()) {
      for (const auto& [key, each] : dict->items()) check_template(each, place);
    }
  }

  bool has(std::string_view argument) const { return task_.arguments.find(argument) != nullptr; }

  bool is_callback(std::string_view key) const {
    return std::ranges::any_of(kCallbacks, [&](std::string_view kind) {
      const std::string word = "on_" + std::string(kind) + "_callback";
      return key == word || key == word + "_name" || key == word + "_file";
    });
  }

  bool takes(std::string_view key) const {
    if (among(signature_->arguments, key)) return true;
    if (key == "execution_date_fn_name" || key == "execution_date_fn_file")
      return among(signature_->arguments, "execution_date_fn");
    if (decorator_ && (key == "python_callable_name" || key == "python_callable_file")) return true;
    return std::ranges::any_of(kKindKeys, [&](const KindKey& known) {
      return known.key == key && signature_->is(known.kind);
    });
  }

  void argument(const Node::Key& key, const Node& value, jinja::Dict& function_arguments,
                bool partial) {
    const std::string name = key.text();
    if (name == "variables_as_arguments") {
      findings_.doubt(key.place,
                      "`variables_as_arguments` is read when the file is loaded; write "
                      "a template instead, {{ var.value.name }}");
      return;
    }
    if (takes(name)) {
      if (name == "execution_delta" && value.text()) {
        const auto delta = relative_time(*value.text());
        if (delta)
          task_.arguments.set(name, Value(jinja::TimeDelta{*delta}));
        else
          findings_.fatal(value.place, "`execution_delta` is a time such as `1 hour` or `2 days`");
        return;
      }
      task_.arguments.set(name, value_of(value, false));
      return;
    }
    if (signature_->any_arguments && !decorator_) {
      task_.arguments.set(name, value_of(value, false));
      return;
    }
    if (decorator_ && !function_) {  // a function that could not be looked at
      function_arguments.set(name, value_of(value, true));
      if (!partial) beside_ = name;
      return;
    }
    std::vector<std::string> known = signature_->arguments;
    if (function_)
      known.insert(known.end(), function_->arguments.begin(), function_->arguments.end());
    known.insert(known.end(), {"dependencies", "task_group_name", "expand", "partial"});
    findings_.fatal(key.place, (decorator_ ? "neither the decorator nor its function takes `"
                                           : last_part(signature_->path) + " takes no argument `") +
                                   name + "`" + suggestion(name, known));
  }

  void partial_argument(const Node::Key& key, const Node& value, jinja::Dict& function_arguments) {
    const std::string name = key.text();
    if (conf_.find(name) && !conf_.find(name)->is_none() && !decorator_)
      findings_.fatal(key.place, "`" + name + "` is given in `partial` and beside it; leave one");
    if (decorator_) {
      if (function_ && !among(function_->arguments, name))
        findings_.fatal(key.place, "the function has no argument `" + name + "`" +
                                       suggestion(name, function_->arguments));
      function_arguments.set(name, value_of(value, true));
      return;
    }
    if (is_task_field(name) || is_callback(name)) {
      moved_.set(key, value);
      return;
    }
    argument(key, value, function_arguments, true);
  }

  void read_callbacks() {
    const std::array<Value*, 5> fields = {&task_.on_execute, &task_.on_success, &task_.on_failure,
                                          &task_.on_retry, &task_.on_skipped};
    for (std::size_t i = 0; i < fields.size(); ++i) {
      const std::string word = "on_" + std::string(kCallbacks[i]) + "_callback";
      const auto read_from = [&](const Node& from) {
        const Node* name = from.find(word + "_name");
        const Node* file = from.find(word + "_file");
        if (name && file && name->text() && file->text()) {
          jinja::Dict made;
          made.set("file", *file->text());
          made.set("name", *name->text());
          *fields[i] = Value(std::move(made));
          auto found = reader_.setting_.callables.in_file(*file->text(), *name->text());
          if (!found && found.error().code == Code::kNotFound)
            findings_.fatal(name->place, found.error().what);
          return true;
        }
        const Node* plain = from.find(word);
        if (!plain) return false;
        if (plain->is_none()) return true;
        if (auto value = callback_field(*plain, word, findings_)) *fields[i] = *std::move(value);
        return true;
      };
      if (!read_from(conf_)) read_from(defaults_);
    }
  }

  void read_setup() {
    for (const auto& [word, field] :
         {std::pair("is_setup", &task_.is_setup), std::pair("is_teardown", &task_.is_teardown),
          std::pair("on_failure_fail_dagrun", &task_.on_failure_fail_dagrun)}) {
      const Node* node = conf_.find(word);
      if (!node) continue;
      const auto value = bool_field(*node, word, findings_);
      if (value) *field = *value;
    }
    if (task_.is_setup && task_.is_teardown)
      findings_.fatal(place_, "a task is a setup or a teardown, not both");
  }

  void task_fields() {
    const TaskFieldSource source{.given = [&](std::string_view key) -> const Node* {
                                   // A key that is an argument of the task's function is the
                                   // function's.
                                   if (decorator_ && function_ && among(function_->arguments, key))
                                     return defaults_.find(key);
                                   if (const Node* moved = moved_.find(key)) return moved;
                                   return given(key);
                                 },
                                 .place = place_,
                                 .start_date = reader_.setting_.start_date,
                                 .end_date = reader_.setting_.end_date};
    read_task_fields(source, task_, findings_);
    if (task_.is_teardown) task_.trigger_rule = TriggerRule::kAllDoneSetupSuccess;
    if (reader_.setting_.fail_fast && task_.trigger_rule != TriggerRule::kAllSuccess &&
        task_.trigger_rule != TriggerRule::kAllDoneSetupSuccess)
      findings_.fatal(place_,
                      "a DAG with `fail_fast` takes no other trigger rule than "
                      "all_success, which the task `" +
                          task_.id + "` has not");
    for (const GroupDraft* group = group_; group; group = group->parent)
      if (group->group.expansion && task_.trigger_rule == TriggerRule::kAlways)
        findings_.fatal(place_, "a task of a mapped group cannot have the trigger rule `always`");
  }

  void check_required() {
    if (set("expand") && !task_.expansion) return;  // said by read_expansion
    std::vector<std::string> missing;
    for (const std::string& name : signature_->required) {
      if (has(name) || is_task_field(name)) continue;
      if (name == "python_callable" && has("python_callable_file")) continue;
      const auto mapped = [&](const auto& argument) {
        return argument.first == name || argument.first.empty();
      };
      if (task_.expansion && std::ranges::any_of(task_.expansion->arguments, mapped)) continue;
      if (name == "python_callable") continue;  // said by find_function
      missing.push_back(name);
    }
    std::string list;
    for (const std::string& name : missing) list += (list.empty() ? "`" : ", `") + name + "`";
    if (!missing.empty())
      findings_.fatal(place_, "the task `" + name_ + "` lacks " + list + ", which " +
                                  last_part(signature_->path) + " needs");
  }

  TaskReader& reader_;
  Findings& findings_;
  std::string name_;
  Place place_;
  const Node& conf_;
  const GroupDraft* group_;
  std::vector<std::string>& upstream_;
  bool decorator_ = false;
  const Operators::Signature* signature_ = nullptr;
  std::optional<Callables::Function> function_;
  Node defaults_;
  Node moved_ = Node{.kind = Node::Kind::kMap};  ///< BaseOperator's arguments out of `partial`
  std::string beside_;                           ///< an argument of the function beside `expand`
  Task task_;
};

std::optional<Task> TaskReader::read(const Node::Key& name, const Node& conf,
                                     const GroupDraft* group, std::vector<std::string>& upstream) {
  One one(*this, name, conf, group, upstream);
  auto task = one.read();
  // Kept though it is wrong: those that name it are not wrong for that.
  Made made = task ? Made{task->id, one.decorated(), task->expansion.has_value()}
                   : Made{group ? group->child_id(name.text()) : name.text(), one.decorated()};
  made_[one.decorated() ? name.text() : made.id] = std::move(made);
  return task;
}

}  // namespace tailrace::dags
