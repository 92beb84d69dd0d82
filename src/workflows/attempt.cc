// From a task's arguments to its operator's outcome.
#include "workflows/attempt.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <ranges>
#include <utility>

#include "dags/read.h"
#include "jinja/template.h"
#include "metadata/secrets.h"
#include "rt/file.h"
#include "tasks/python_call.h"
#include "workflows/callbacks.h"
#include "workflows/scope.h"
#include "workflows/time_limit.h"

namespace tailrace::workflows {
namespace {

using jinja::Dict;
using jinja::List;
using jinja::Value;

constexpr std::string_view kReturnValue = "return_value";
constexpr std::string_view kOwnArguments = "op_kwargs";
constexpr std::size_t kMostTemplateBytes = 4 << 20;

/// The file of a template, looked for as Jinja's FileSystemLoader does it: `name` below the folder
/// of the DAGs, then below each of template_searchpath; `/name` is no other one, and nothing above
/// them is reached.
Result<std::string> template_file(const Workshop& workshop, const dags::Dag& dag,
                                  const std::string& name) {
  std::string relative;
  for (const auto part : std::views::split(name, '/')) {
    const std::string_view word(part.begin(), part.end());
    if (word == "..") {
      relative.clear();
      break;
    }
    if (!word.empty() && word != ".") relative += "/" + std::string(word);
  }
  std::vector<std::string> folders{workshop.dags_folder};
  for (const std::string& folder : dag.template_searchpath)
    folders.push_back(folder.starts_with('/') ? folder : workshop.folder + "/" + folder);
  for (const std::string& folder : folders) {
    const std::string path = folder + relative;
    std::error_code failed;
    if (relative.empty() || !std::filesystem::is_regular_file(path, failed)) continue;
    auto text = rt::read_whole(rt::posix_files(), path, kMostTemplateBytes);
    if (!text) return std::unexpected(text.error());
    return text;
  }
  return error(Code::kNotFound, fmt::format("TemplateNotFound: '{}' not found in search path: {}",
                                            name, fmt::join(folders, ", ")));
}

/// Arguments of one instance: expanded, then rendered.
class Arguments {
 public:
  Arguments(const Workshop& workshop, const Attempt& attempt, const dags::Task& task,
            const dags::Operators::Signature* signature, jinja::Scope scope)
      : workshop_(workshop),
        attempt_(attempt),
        task_(task),
        signature_(signature),
        scope_(std::move(scope)) {}

  Result<Dict> all() {
    Dict raw = task_.arguments;
    Dict literal, pulled;  // values of other tasks are no templates
    if (task_.expansion && attempt_.id.map_index >= 0)
      TRY(expand(*task_.expansion, task_index(), literal, pulled));
    // A decorated function is expanded over its own arguments.
    const bool decorated = !task_.decorator_path.empty();
    const auto into = [&](Dict& arguments, const Dict& more) {
      Dict own;
      if (const Value* given = arguments.find(kOwnArguments); decorated && given && given->dict())
        own = *given->dict();
      for (const auto& [name, value] : more.items()) (decorated ? own : arguments).set(name, value);
      if (decorated) arguments.set(Value(std::string(kOwnArguments)), Value(std::move(own)));
    };
    if (literal.size() > 0) into(raw, literal);
    Dict done;
    for (const auto& [name, value] : raw.items()) {
      const bool is_template = signature_ != nullptr && name.string() != nullptr &&
                               std::ranges::find(signature_->template_fields, *name.string()) !=
                                   signature_->template_fields.end();
      auto rendered = is_template ? render(value, true) : resolve(value);
      if (!rendered) return std::unexpected(rendered.error().in(name.text()));
      done.set(name, std::move(*rendered));
    }
    if (pulled.size() > 0) into(done, pulled);
    return done;
  }

  /// Every text in it as a template; `files`: a text that ends as the operator's files do is a
  /// file's name, in the folder of the DAGs.
  Result<Value> render(const Value& value, bool files) {
    if (value.string() != nullptr) return render_text(*value.string(), files);
    return over(value, [&](const Value& part) { return render(part, files); });
  }

 private:
  /// The instance's place in its own expansion, where its group is expanded as well.
  std::int64_t task_index() const { return attempt_.id.map_index; }

  Result<Value> resolve(const Value& value) {
    return over(value, [&](const Value& part) { return resolve(part); });
  }

  /// Containers part by part; what stands for another task's value is that value.
  template <typename Each>
  Result<Value> over(const Value& value, const Each& each) {
    if (const auto* arg = value.as<dags::XComArg>()) return pull(*arg);
    if (const auto* arg = value.as<dags::MappedArgument>()) return of_group(*arg);
    const auto parts = [&](const List& list) -> Result<List> {
      List done;
      for (const auto& part : list) {
        ASSIGN(auto one, each(part));
        done.push_back(std::move(one));
      }
      return done;
    };
    if (value.list() != nullptr) {
      ASSIGN(auto done, parts(*value.list()));
      return Value(std::move(done));
    }
    if (value.tuple() != nullptr) {
      ASSIGN(auto done, parts(value.tuple()->items));
      return Value(jinja::Tuple{std::move(done)});
    }
    if (value.dict() != nullptr) {
      Dict done;
      for (const auto& [name, part] : value.dict()->items()) {
        ASSIGN(auto one, each(part));
        done.set(name, std::move(one));
      }
      return Value(std::move(done));
    }
    return value;
  }

  Result<Value> render_text(const std::string& text, bool files) {
    std::string source = text, name;
    if (files && signature_ != nullptr &&
        std::ranges::any_of(signature_->template_files,
                            [&](const auto& end) { return text.ends_with(end); })) {
      auto read = template_file(workshop_, *attempt_.dag, text);
      // Airflow's way out for a command that ends as a file does.
      if (!read && read.error().code == Code::kNotFound)
        read.error().what += "; a blank at its end makes it no file";
      if (!read) return std::unexpected(read.error());
      source = std::move(*read);
      name = text;
    }
    ASSIGN(const auto parsed, jinja::Template::parse(source, std::move(name)));
    if (parsed.is_plain()) return Value(std::move(source));
    auto options = template_options(workshop_.clock, *attempt_.dag);
    options.load = [this](const std::string& wanted) {
      return template_file(workshop_, *attempt_.dag, wanted);
    };
    if (attempt_.dag->render_native) return parsed.render_native(scope_, options);
    ASSIGN(auto rendered, parsed.render(scope_, options));
    return Value(std::move(rendered));
  }

  /// What another task left; of a task of the same expanded group that of the same index.
  Result<Value> pull(const dags::XComArg& arg) {
    sched::TaskId id{attempt_.id.run, arg.task_id, -1};
    const dags::Task* other = attempt_.dag->find(arg.task_id);
    if (other != nullptr && attempt_.id.map_index >= 0 && !expanded_group(task_.group).empty() &&
        expanded_group(task_.group) == expanded_group(other->group))
      id.map_index = attempt_.id.map_index;
    ASSIGN(auto value, workshop_.metadata.xcom(id, arg.key.empty() ? kReturnValue : arg.key));
    if (value) return std::move(*value);
    if (other != nullptr && id.map_index < 0 &&
        (other->expansion || !expanded_group(other->group).empty()))
      return Value(List{});
    return error(
        Code::kNotFound,
        fmt::format("XComArg result from {} at {} with key=\"{}\" is not found!", arg.task_id,
                    attempt_.id.run.dag, arg.key.empty() ? kReturnValue : arg.key));
  }

  /// The innermost group around `group`, or it, that is expanded; empty: none.
  std::string expanded_group(std::string id) const {
    while (!id.empty()) {
      const auto at = std::ranges::find(attempt_.dag->groups, id, &dags::Group::id);
      if (at == attempt_.dag->groups.end()) return {};
      if (at->expansion) return id;
      id = at->parent;
    }
    return {};
  }

  Result<Value> of_group(const dags::MappedArgument& arg) {
    const auto at = std::ranges::find(attempt_.dag->groups, arg.group_id, &dags::Group::id);
    if (at == attempt_.dag->groups.end() || !at->expansion)
      return error(Code::kNotFound, fmt::format("group {} is not expanded", arg.group_id));
    Dict raw, pulled;
    TRY(expand(*at->expansion, attempt_.id.map_index, raw, pulled));
    if (const Value* value = pulled.find(std::string_view(arg.key))) return *value;
    if (const Value* value = raw.find(std::string_view(arg.key))) return render(*value, false);
    return error(Code::kNotFound,
                 fmt::format("group {} is not expanded over {}", arg.group_id, arg.key));
  }

  /// Element `index` of the product, the last argument fastest, or of the zipped list.
  Status expand(const dags::Expansion& expansion, std::int64_t index, Dict& raw, Dict& pulled) {
    if (expansion.kind == dags::Expansion::Kind::kZip)
      return expand_kwargs(expansion, index, raw, pulled);
    for (auto at = expansion.arguments.rbegin(); at != expansion.arguments.rend(); ++at) {
      const auto& [name, given] = *at;
      ASSIGN(const Value all, resolve_top(given));
      const bool literal = given.object() == nullptr;
      const std::int64_t length = length_of(all);
      if (length == 0)
        return error(Code::kFailedPrecondition, fmt::format("expand: {} has no elements", name));
      (literal ? raw : pulled).set(Value(name), element(all, index % length));
      index /= length;
    }
    return {};
  }

  Status expand_kwargs(const dags::Expansion& expansion, std::int64_t index, Dict& raw,
                       Dict& pulled) {
    const Value& given = expansion.arguments.front().second;
    ASSIGN(const Value all, resolve_top(given));
    if (all.list() == nullptr || index >= static_cast<std::int64_t>(all.list()->size()))
      return error(Code::kFailedPrecondition, "expand_kwargs: not a list of mappings");
    const Value one = (*all.list())[static_cast<std::size_t>(index)];
    if (one.dict() == nullptr)
      return error(
          Code::kInvalidArgument,
          fmt::format("expand_kwargs: element {} is {}, not a mapping", index, one.type_name()));
    for (const auto& [name, value] : one.dict()->items())
      (given.object() == nullptr ? raw : pulled).set(name, value);
    return {};
  }

  /// An XComArg's value, or the value itself with its parts as they are.
  Result<Value> resolve_top(const Value& value) {
    if (const auto* arg = value.as<dags::XComArg>()) return pull(*arg);
    return value;
  }

  static std::int64_t length_of(const Value& value) {
    if (value.list() != nullptr) return static_cast<std::int64_t>(value.list()->size());
    if (value.tuple() != nullptr) return static_cast<std::int64_t>(value.tuple()->items.size());
    if (value.dict() != nullptr) return static_cast<std::int64_t>(value.dict()->size());
    return 0;
  }
  /// A dict's elements are pairs.
  static Value element(const Value& value, std::int64_t index) {
    const auto at = static_cast<std::size_t>(index);
    if (value.list() != nullptr) return (*value.list())[at];
    if (value.tuple() != nullptr) return value.tuple()->items[at];
    const auto& [name, one] = value.dict()->items()[at];
    return Value(jinja::Tuple{{name, one}});
  }

  const Workshop& workshop_;
  const Attempt& attempt_;
  const dags::Task& task_;
  const dags::Operators::Signature* signature_;
  jinja::Scope scope_;
};

/// A function of user_defined_macros: called in a process of Python, with the try's context, which
/// is there before anything is rendered.
class Macro final : public jinja::Object {
 public:
  Macro(std::string path, std::shared_ptr<tasks::Context*> context)
      : path_(std::move(path)), context_(std::move(context)) {}
  std::string type_name() const override { return "function"; }
  std::string text() const override { return "<function " + path_ + ">"; }
  Value attribute(std::string_view) const override { return {}; }
  bool callable() const override { return true; }

  Result<Value> call(const List& arguments, const Named& named) const override {
    if (*context_ == nullptr) return error(Code::kFailedPrecondition, path_ + " has no try");
    auto job = tasks::python_job(**context_);
    job["path"] = path_;
    for (const Value& one : arguments) job["args"].push_back(tasks::value_json(one));
    for (const auto& [name, value] : named) job["kwargs"][name] = tasks::value_json(value);
    ASSIGN(const tasks::Called called, tasks::call_python(**context_, std::move(job)));
    if (!called.outcome.how_is_success())
      return error(Code::kInvalidArgument, fmt::format("{}: {}", path_, called.outcome.why));
    return jinja::from_json(called.value.dump());
  }

 private:
  const std::string path_;
  const std::shared_ptr<tasks::Context*> context_;
};

/// The names of a scope, then the DAG's user_defined_macros.
jinja::Scope with_macros(jinja::Scope scope, const dags::Dag& dag,
                         const std::shared_ptr<tasks::Context*>& context) {
  if (dag.user_defined_macros.dict() == nullptr) return scope;
  Dict macros;
  for (const auto& [name, value] : dag.user_defined_macros.dict()->items()) {
    if (const std::string* path = value.string()) {
      const std::shared_ptr<const jinja::Object> macro = std::make_shared<Macro>(*path, context);
      macros.set(name, Value(macro));
    } else {
      macros.set(name, value);
    }
  }
  return [scope = std::move(scope), macros = std::move(macros)](std::string_view name) {
    Value found = scope(name);
    const Value* macro = found.is_undefined() ? macros.find(name) : nullptr;
    return macro == nullptr ? found : *macro;
  };
}

const std::string& path_of(const dags::Task& task) {
  return task.decorator_path.empty() ? task.operator_path : task.decorator_path;
}

/// A rendered value as it may be shown: texts without secrets, objects as texts, nothing of what
/// has a name that sounds secret.
Value shown(const Value& value, std::string_view name, const tasks::TaskLog& log) {
  const bool secret = metadata::sounds_secret(name);
  if (secret && value.string() != nullptr) return Value("***");
  if (const std::string* text = value.string()) return Value(log.masked(*text));
  const List* list = value.list() != nullptr    ? value.list()
                     : value.tuple() != nullptr ? &value.tuple()->items
                                                : nullptr;
  if (list != nullptr) {
    List parts;
    for (const Value& part : *list) parts.push_back(shown(part, secret ? name : "", log));
    return Value(std::move(parts));
  }
  if (value.dict() != nullptr) {
    Dict parts;
    for (const auto& [key, part] : value.dict()->items()) {
      const std::string text = key.text();
      parts.set(Value(text), shown(part, secret ? name : std::string_view(text), log));
    }
    return Value(std::move(parts));
  }
  if (value.is_none() || value.number()) return value;
  return Value(log.masked(value.text()));
}

/// What Airflow's Python operators have where nothing is given; None for all others.
Value default_of(std::string_view field) {
  if (field == "op_args") return Value(List());
  if (field == "op_kwargs") return Value(Dict());
  return {};
}

/// map_index_template, of the rendered task and of what its function has put into its context.
Result<std::string> map_name(const Workshop& workshop, const Attempt& attempt,
                             const tasks::Context& context, const std::string& text,
                             const Dict& said) {
  dags::Task rendered = context.task;
  rendered.arguments = context.arguments;
  const jinja::Scope scope =
      scope_of(workshop, attempt, rendered, context.connection, context.variable);
  ASSIGN(const auto parsed, jinja::Template::parse(text));
  return parsed.render(
      [&](std::string_view name) {
        const Value* own = said.find(name);
        return own == nullptr ? scope(name) : *own;
      },
      template_options(workshop.clock, *attempt.dag));
}

/// What the templates came to, for whoever asks later; without it a task goes on.
void keep_rendered(const Workshop& workshop, const Attempt& attempt, const tasks::Context& context,
                   const Dict& said) {
  metadata::Rendered rendered;
  const auto* signature = dags::airflow_operators().find(path_of(context.task));
  if (signature != nullptr) {
    for (const std::string& field : signature->template_fields) {
      const Value* value = context.arguments.find(std::string_view(field));
      rendered.fields.set(Value(field),
                          value == nullptr ? default_of(field) : shown(*value, field, context.log));
    }
  }
  const Value* name = context.task.arguments.find("map_index_template");
  if (context.id.map_index >= 0 && name != nullptr && name->string() != nullptr) {
    auto text = map_name(workshop, attempt, context, *name->string(), said);
    if (text) rendered.map_index = context.log.masked(std::move(*text));
  }
  if (auto kept = workshop.metadata.keep_rendered(context.id, rendered); !kept)
    context.log.line("its rendered fields are not kept: " + kept.error().what);
}

/// The operator's outcome; within the task's execution_timeout, which is about nothing but its
/// code, as in Airflow: callbacks have the time that they need. `together`: of all looks of a try.
tasks::Outcome in_time(tasks::Context& context, const tasks::Operator& code, bool together) {
  const sched::Micros now = context.clock.now().value * 1000;
  if (!context.first_started_at) context.first_started_at = now;
  const sched::Micros began = *context.first_started_at, counted = together ? began : now;
  std::optional<std::chrono::microseconds> most;
  const auto& given = context.task.execution_timeout;
  if (given && *given != 0) {  // 0 is none to Airflow
    most = std::chrono::microseconds(*given - (now - counted));
    // Between two looks: what a sensor makes of its own failure (soft_fail) is about looks.
    if (*most <= std::chrono::microseconds(0)) return tasks::out_of_time();
  }
  TimeLimit limit(context.stop, most);
  const std::stop_token outer = std::exchange(context.stop, limit.token());
  tasks::Outcome outcome = code.run(context);
  context.stop = outer;
  if (limit.end() && !outer.stop_requested()) return tasks::out_of_time_at_work(context);
  outcome.began = began;
  if (most && together && outcome.how == tasks::Outcome::How::kReschedule && outcome.at)
    outcome.at = std::min(*outcome.at, counted + *given);
  return outcome;
}

/// The operator on its arguments, and its value kept.
Result<tasks::Outcome> operate(const Workshop& workshop, const Attempt& attempt,
                               tasks::Context& context, Arguments& arguments) {
  const dags::Task& task = context.task;
  const std::string& path = path_of(task);
  const tasks::Operator* made = tasks::find_operator(path);
  if (made == nullptr)
    return error(
        Code::kUnimplemented,
        fmt::format("{} is not embedded: run this DAG on Airflow (tailrace airflow)", path));
  ASSIGN(context.arguments, arguments.all());
  keep_rendered(workshop, attempt, context, {});
  const bool together = tasks::sleeps_between_looks(*made, context);
  if (!together || !context.first_started_at)
    call_back(context, task.on_execute, {.name = "on_execute_callback"});
  tasks::Outcome outcome = in_time(context, *made, together);
  if (!outcome.context.items().empty()) keep_rendered(workshop, attempt, context, outcome.context);
  if (outcome.how_is_success() && task.do_xcom_push && !outcome.returned.is_none()) {
    TRY(workshop.metadata.put_xcom(attempt.id, kReturnValue, outcome.returned));
    if (task.multiple_outputs && outcome.returned.dict() != nullptr) {
      for (const auto& [name, value] : outcome.returned.dict()->items())
        TRY(workshop.metadata.put_xcom(attempt.id, name.text(), value));
    }
  }
  return outcome;
}

/// What a try and its callbacks use, for as long as `work` takes.
tasks::Outcome in_context(const Workshop& workshop, const Attempt& attempt, const dags::Task& task,
                          tasks::TaskLog& log, const std::stop_token& stop,
                          const std::function<void(int)>& started,
                          const std::function<tasks::Outcome(tasks::Context&, Arguments&)>& work) {
  const auto connection = [&](std::string_view id) { return find_connection(workshop, id, log); };
  const auto variable = [&](std::string_view name) { return find_variable(workshop, name, log); };
  const auto of_macros = std::make_shared<tasks::Context*>(nullptr);
  const jinja::Scope scope =
      with_macros(scope_of(workshop, attempt, task, connection, variable), *attempt.dag, of_macros);
  Arguments arguments(workshop, attempt, task, dags::airflow_operators().find(path_of(task)),
                      scope);
  tasks::Context context{
      .id = attempt.id,
      .try_number = attempt.try_number,
      .dag = *attempt.dag,
      .task = task,
      .run = attempt.run,
      .arguments = {},
      .scope = scope,
      .render = [&](const Value& value) { return arguments.render(value, false); },
      .log = log,
      .metadata = workshop.metadata,
      .connection = connection,
      .variable = variable,
      .project = workshop.project,
      .clock = workshop.clock,
      .trigger = workshop.trigger,
      .folder = workshop.folder,
      .dags_folder = workshop.dags_folder,
      .python = workshop.python,
      .limits = workshop.limits,
      .mark = workshop.mark,
      .environment = {},
      .stop = stop,
      .process_started = started,
      .first_started_at = attempt.instance.first_started_at,
  };
  *of_macros = &context;
  return work(context, arguments);
}

/// The task's author is told, as Airflow's task runner does it: of what the code did, never of what
/// somebody else made of the task meanwhile.
void tell(tasks::Context& context, const Attempt& attempt, const tasks::Outcome& outcome) {
  using How = tasks::Outcome::How;
  const dags::Task& task = context.task;
  if (outcome.how == How::kSuccess)
    call_back(context, task.on_success, {.name = "on_success_callback"});
  if (outcome.how == How::kSkipped)
    call_back(context, task.on_skipped, {.name = "on_skipped_callback"});
  const bool for_good = outcome.how == How::kFailedForGood;
  if (outcome.how != How::kFailed && !for_good) return;
  const bool again = !for_good && sched::has_another_try(attempt.instance);
  if (again) {
    call_back(context, task.on_retry, {.name = "on_retry_callback", .exception = outcome.why});
  } else {
    call_back(context, task.on_failure, {.name = "on_failure_callback", .exception = outcome.why});
  }
  const std::string_view name = again ? "email_on_retry" : "email_on_failure";
  const Value* wanted = task.arguments.find(name);
  if (wanted == nullptr || wanted->truth())
    send_mail(context, {.name = name, .exception = outcome.why});
}

}  // namespace

tasks::Outcome run_attempt(const Workshop& workshop, const Attempt& attempt, tasks::TaskLog& log,
                           std::stop_token stop, const std::function<void(int)>& started) {
  const dags::Task* task = attempt.dag->find(attempt.id.task);
  if (task == nullptr) {
    log.line(fmt::format("{} is no task of the DAG any more", attempt.id.task));
    return tasks::Outcome::failed(
        fmt::format("{} is no task of the DAG any more", attempt.id.task));
  }
  const auto work = [&](tasks::Context& context, Arguments& arguments) {
    auto outcome = operate(workshop, attempt, context, arguments);
    if (!outcome) outcome = tasks::Outcome::failed(outcome.error().what);
    if (!outcome->why.empty()) log.line(outcome->why);
    if (!stop.stop_requested()) tell(context, attempt, *outcome);
    return std::move(*outcome);
  };
  return in_context(workshop, attempt, *task, log, stop, started, work);
}

void run_callback(const Workshop& workshop, const Attempt& attempt, const Value& callback,
                  const Occasion& occasion, tasks::TaskLog& log, std::stop_token stop) {
  const dags::Task* task = attempt.dag->find(attempt.id.task);
  if (task == nullptr) {
    if (attempt.dag->tasks.empty()) return;
    task = &attempt.dag->tasks.front();
  }
  const auto work = [&](tasks::Context& context, Arguments&) {
    call_back(context, callback, occasion);
    return tasks::Outcome::success();
  };
  (void)in_context(workshop, attempt, *task, log, stop, {}, work);
}

sched::Finished finished(const Attempt& attempt, const tasks::Outcome& outcome) {
  using How = sched::Finished::How;
  using Told = tasks::Outcome::How;
  static const std::map<Told, How> kHow{
      {Told::kSuccess, How::kSuccess},       {Told::kFailed, How::kFailed},
      {Told::kSkipped, How::kSkipped},       {Told::kFailedForGood, How::kFailedForGood},
      {Told::kReschedule, How::kReschedule}, {Told::kDefer, How::kDefer}};
  sched::Finished end{.task = attempt.id,
                      .try_number = attempt.try_number,
                      .how = kHow.at(outcome.how),
                      .at = outcome.at,
                      .began = outcome.began,
                      .skip = outcome.skip,
                      .skip_all_downstream = outcome.skip_all_downstream,
                      .ignore_downstream_trigger_rules = outcome.ignore_downstream_trigger_rules,
                      .returned = !outcome.returned.is_none(),
                      .mapped_length = {},
                      .asset_extra = {},
                      .aliased = {}};
  if (outcome.returned.list() != nullptr)
    end.mapped_length = static_cast<std::int64_t>(outcome.returned.list()->size());
  if (outcome.returned.tuple() != nullptr)
    end.mapped_length = static_cast<std::int64_t>(outcome.returned.tuple()->items.size());
  if (outcome.returned.dict() != nullptr)
    end.mapped_length = static_cast<std::int64_t>(outcome.returned.dict()->size());
  for (const auto& event : outcome.events) {
    if (event.alias.empty()) {
      end.asset_extra.emplace_back(event.uri, event.extra);
    } else {
      end.aliased.push_back({event.alias, event.uri, event.extra});
    }
  }
  return end;
}

}  // namespace tailrace::workflows
