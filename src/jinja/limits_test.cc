// No template crashes, hangs or fills the memory: limits, and random templates.
// TAILRACE_FUZZ_ROUNDS makes it longer; a failure prints the seed and the template.
#include <gtest/gtest.h>

#include <cstdlib>
#include <iterator>
#include <random>

#include "jinja/airflow_context.h"
#include "jinja/python.h"
#include "jinja/template.h"

namespace tailrace::jinja {
namespace {

using calendar::Moment;

Value names() {
  Dict out;
  out.set("x", 5);
  out.set("text", "some text");
  out.set("list", List{1, 2, 3});
  Dict inner;
  inner.set("a", List{"b"});
  out.set("d", inner);
  out.set("when", Moment{1767323045123456, calendar::Zone::utc()});
  out.set("macros", macros_value());
  return Value(std::move(out));
}

Scope scope() {
  return [held = names()](std::string_view name) -> Value {
    const Value* found = held.dict()->find(name);
    return found ? *found : Value(Undefined{std::string(name)});
  };
}

Result<std::string> render(const std::string& source, const Template::Options& options = {}) {
  ASSIGN(const Template parsed, Template::parse(source));
  return parsed.render(scope(), options);
}

TEST(Limits, what_would_take_all_memory_or_time_is_an_error) {
  const std::string deep(5000, '('), brackets(5000, '['), minuses(5000, '-');
  std::string chain = "x", filters = "x", comparisons = "x", ifs, dots = "x";
  for (int i = 0; i < 20000; ++i)
    chain += " + x", filters += "|abs", dots += ".y", comparisons += " or x";
  for (int i = 0; i < 2000; ++i) ifs += "{% if 1 %}";
  const std::string greedy[] = {
      "{{ range(10**9) }}",
      "{{ 'a' * 10**9 }}",
      "{{ [1] * 10**10 }}",
      "{{ 'a'.center(10**9) }}",
      "{{ 'a'.ljust(10**10) }}",
      "{{ 'a'.zfill(10**9) }}",
      "{{ '%1000000000d' % 1 }}",
      "{{ '%.1000000000d' % 1 }}",
      "{{ '{:1000000000}'.format(1) }}",
      "{{ '{:.1000000000f}'.format(1.5) }}",
      "{{ 'a\\n'|indent(10**9) }}",
      "{{ ('a' * 10000)|replace('a', 'b' * 10000) }}",
      "{{ ('a' * 10000).replace('', 'b' * 10000) }}",
      "{{ ('a' * 10000)|list|join('b' * 10000) }}",
      "{{ [1]|batch(10**9, 0)|list }}",
      "{{ [1]|slice(10**9)|list }}",
      "{{ '\\t'.expandtabs(10**9) }}",
      "{{ {'a': 1}|tojson(10**9) }}",
      "{% set s = namespace(v='ab') %}{% for i in range(100) %}{% set s.v = s.v ~ s.v %}{% endfor "
      "%}",
      "{% set s = namespace(v=[1]) %}{% for i in range(100) %}{% set s.v = s.v + s.v %}{% endfor "
      "%}",
      "{% set s = namespace(v=[1]) %}{% for i in range(60) %}{% set s.v = [s.v, s.v] %}{% endfor "
      "%}{{ s.v }}",
      "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
      "{% for i in range(99999) %}{{ 'a' * 10000 }}{% endfor %}",
      "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
      "{% macro m(n) %}{% for i in [1] %}{{ m(n + 1) }}{{ m(n + 1) }}{% endfor %}{% endmacro %}{{ "
      "m(0) }}",
      "{% for i in [[1]] recursive %}{{ loop([i]) }}{% endfor %}",
      "{% set l = [] %}{% do l.append(l) %}{{ l }}",
      "{% set l = [] %}{% set d = {'l': l} %}{% do l.append(d) %}{{ l }}",
      "{% set d = {} %}{% do d.update(a=d) %}{{ d }}",
      "{{ 10 ** 10 ** 10 }}",
      "{{ " + deep + " }}",
      "{{ " + brackets + " }}",
      "{{ " + minuses + "1 }}",
      "{{ " + chain + " }}",
      "{{ " + comparisons + " }}",
      "{{ " + filters + " }}",
      "{{ " + dots + " }}",
      ifs,
  };
  for (const std::string& source : greedy) {
    const auto made = render(source);
    EXPECT_FALSE(made) << source.substr(0, 200);
  }
}

TEST(Limits, what_nests_deep_is_taken_apart_without_a_deep_stack) {
  const auto made = render(
      "{% set s = namespace(v=[1]) %}{% for i in range(90000) %}{% set s.v = [s.v] %}{% endfor %}"
      "{{ s.v|length }}");
  ASSERT_TRUE(made) << made.error().what;
  EXPECT_EQ(*made, "1");
  const auto shown = render(
      "{% set s = namespace(v=[1]) %}{% for i in range(90000) %}{% set s.v = [s.v] %}{% endfor %}"
      "{{ s.v }}{{ s.v == s.v }}{{ s.v|tojson }}");
  EXPECT_FALSE(shown) << "JSON of 90,000 levels";
}

TEST(Limits, what_the_template_was_given_stays_as_it_was) {
  const Scope given = scope();
  const auto parsed =
      Template::parse("{% do list.append(4) %}{% do d.update(b=1) %}{{ list }}{{ d }}");
  ASSERT_TRUE(parsed);
  for (int i = 0; i < 2; ++i) {
    const auto made = parsed->render(given, {});
    ASSERT_TRUE(made) << made.error().what;
    EXPECT_EQ(*made, "[1, 2, 3, 4]{'a': ['b'], 'b': 1}");
  }
  EXPECT_EQ(given("list").repr(), "[1, 2, 3]");
}

TEST(Limits, a_macro_that_outlives_its_rendering_fails_when_called) {
  const auto parsed = Template::parse("{% macro m() %}x{% endmacro %}{{ m }}");
  ASSERT_TRUE(parsed);
  const auto macro = parsed->render_native(scope(), {});
  ASSERT_TRUE(macro) << macro.error().what;
  EXPECT_FALSE(call(*macro, {}, {}));
}

TEST(Lenient, an_undefined_name_prints_nothing_and_loops_over_nothing) {
  Template::Options lenient;
  lenient.strict_undefined = false;
  const auto made = render(
      "[{{ missing }}]{% for i in missing %}x{% endfor %}{{ missing == other }}{{ missing|length }}"
      "{{ 'y' if missing else 'n' }}",
      lenient);
  ASSERT_TRUE(made) << made.error().what;
  EXPECT_EQ(*made, "[]True0n");
  EXPECT_FALSE(render("{{ missing.x }}", lenient));
  EXPECT_FALSE(render("{{ missing + 1 }}", lenient));
}

// --- random templates ----------------------------------------------------------------------------

using Random = std::mt19937;

template <typename Items>
std::string one_of(Random& random, const Items& items) {
  return std::string(
      items[std::uniform_int_distribution<std::size_t>(0, std::size(items) - 1)(random)]);
}

constexpr const char* kPieces[] = {"{{ ",
                                   " }}",
                                   "{% ",
                                   " %}",
                                   "{#",
                                   "#}",
                                   "-",
                                   "+",
                                   "x",
                                   "text",
                                   "list",
                                   "d",
                                   "when",
                                   "macros",
                                   "missing",
                                   ".",
                                   "[",
                                   "]",
                                   "(",
                                   ")",
                                   "{",
                                   "}",
                                   ":",
                                   ",",
                                   "|",
                                   " is ",
                                   " in ",
                                   " not ",
                                   " and ",
                                   " or ",
                                   " if ",
                                   " else ",
                                   "~",
                                   "*",
                                   "**",
                                   "//",
                                   "/",
                                   "%",
                                   "==",
                                   "<",
                                   ">=",
                                   "=",
                                   "1",
                                   "0",
                                   "-1",
                                   "2.5",
                                   "'a'",
                                   "\"%s\"",
                                   "'{}'",
                                   "none",
                                   "true",
                                   "for ",
                                   "endfor",
                                   "i",
                                   "if ",
                                   "endif",
                                   "elif ",
                                   "set ",
                                   "endset",
                                   "macro ",
                                   "endmacro",
                                   "call ",
                                   "endcall",
                                   "filter ",
                                   "endfilter",
                                   "with ",
                                   "endwith",
                                   "raw",
                                   "endraw",
                                   "block ",
                                   "endblock",
                                   "do ",
                                   "print ",
                                   "loop",
                                   "recursive",
                                   "namespace()",
                                   "range(5)",
                                   "upper",
                                   "int",
                                   "join",
                                   "map",
                                   "select",
                                   "sort",
                                   "batch(2)",
                                   "default",
                                   "tojson",
                                   "append",
                                   "items()",
                                   "format",
                                   "split()",
                                   "add(days=1)",
                                   "start_of('week')",
                                   "strftime('%Y')",
                                   "datetime",
                                   "ds_add",
                                   "a",
                                   "é",
                                   "\\",
                                   "'",
                                   "\"",
                                   "\n",
                                   " ",
                                   "9223372036854775807"};

std::string soup(Random& random) {
  std::string out;
  const int count = std::uniform_int_distribution<int>(1, 30)(random);
  for (int i = 0; i < count; ++i) out += one_of(random, kPieces);
  return out;
}

constexpr const char* kLeaves[] = {"x",
                                   "text",
                                   "list",
                                   "d",
                                   "when",
                                   "missing",
                                   "1",
                                   "0",
                                   "-3",
                                   "2.5",
                                   "'a'",
                                   "''",
                                   "'%d %s'",
                                   "'{:>5} {}'",
                                   "none",
                                   "true",
                                   "[]",
                                   "{}",
                                   "(1,)",
                                   "range(4)",
                                   "macros.timedelta(days=3)",
                                   "macros.datetime(2024, 2, 29)",
                                   "'2024-02-29'",
                                   "1e308",
                                   "9223372036854775807",
                                   "'<b>'|safe",
                                   "list|map('string')",
                                   "dict(a=1)",
                                   "'\\u00e9x'"};
constexpr const char* kOperators[] = {" + ",   " - ",  " * ",  " / ",  " // ",
                                      " % ",   " ~ ",  " == ", " < ",  " in ",
                                      " and ", " or ", " ** ", " >= ", " not in "};
constexpr const char* kFilters[] = {"abs",
                                    "batch(2)",
                                    "capitalize",
                                    "center",
                                    "count",
                                    "default(1)",
                                    "dictsort",
                                    "escape",
                                    "filesizeformat",
                                    "first",
                                    "float",
                                    "format(1)",
                                    "groupby(0)",
                                    "indent",
                                    "int",
                                    "items",
                                    "join(',')",
                                    "last",
                                    "list",
                                    "lower",
                                    "map('int')",
                                    "max",
                                    "min",
                                    "pprint",
                                    "reject",
                                    "replace('a', 'b')",
                                    "reverse",
                                    "round(1)",
                                    "select",
                                    "slice(2)",
                                    "sort",
                                    "string",
                                    "striptags",
                                    "sum",
                                    "title",
                                    "tojson",
                                    "trim",
                                    "truncate(3)",
                                    "unique",
                                    "upper",
                                    "urlencode",
                                    "urlize",
                                    "wordcount",
                                    "wordwrap(3)",
                                    "xmlattr",
                                    "ds",
                                    "ts",
                                    "ts_nodash_with_tz",
                                    "attr('a')"};
constexpr const char* kMethods[] = {".upper()",
                                    ".split()",
                                    ".split('a')",
                                    ".replace('', 'b')",
                                    ".format(1, 2)",
                                    ".items()",
                                    ".keys()",
                                    ".get('a')",
                                    ".strftime('%Y-%j %Q %')",
                                    ".add(months=1)",
                                    ".subtract(years=9999)",
                                    ".isoformat()",
                                    ".format('YYYY [x] Do')",
                                    ".end_of('month')",
                                    ".diff(when)",
                                    ".a",
                                    "[0]",
                                    "['a']",
                                    "[1:]",
                                    "[::-1]",
                                    "()",
                                    ".date()",
                                    ".append(1)",
                                    ".pop()",
                                    ".in_timezone('Europe/Berlin')",
                                    ".days",
                                    ".total_seconds()",
                                    ".zfill(5)",
                                    ".replace(day=31)",
                                    ".center(9)",
                                    ".join(['a', 'b'])",
                                    ".index(1)",
                                    ".timestamp()",
                                    ".in_words()",
                                    ".diff_for_humans(when)"};
constexpr const char* kTests[] = {"defined", "even",     "none",          "string",
                                  "in [1]",  "sameas x", "divisibleby 2", "iterable",
                                  "mapping", "upper",    "eq 1"};

/// An expression that parses, of any types.
std::string expression(Random& random, int depth) {
  if (depth == 0) return one_of(random, kLeaves);
  switch (std::uniform_int_distribution<int>(0, 6)(random)) {
    case 0:
      return "(" + expression(random, depth - 1) + one_of(random, kOperators) +
             expression(random, depth - 1) + ")";
    case 1:
    case 2:
      return "(" + expression(random, depth - 1) + ")|" + one_of(random, kFilters);
    case 3:
    case 4:
      return "(" + expression(random, depth - 1) + ")" + one_of(random, kMethods);
    case 5:
      return "(" + expression(random, depth - 1) + ") is " + one_of(random, kTests);
    default:
      return "[" + expression(random, depth - 1) + ", " + expression(random, depth - 1) + "]";
  }
}

std::string statement(Random& random, int depth) {
  const std::string value = expression(random, 2);
  if (depth == 0) return "{{ " + value + " }}";
  const std::string inner = statement(random, depth - 1);
  switch (std::uniform_int_distribution<int>(0, 5)(random)) {
    case 0:
      return "{% for i in " + value + " %}{{ i }}" + inner + "{% else %}e{% endfor %}";
    case 1:
      return "{% if " + value + " %}" + inner + "{% else %}n{% endif %}";
    case 2:
      return "{% set v %}" + inner + "{% endset %}{{ v }}";
    case 3:
      return "{% macro m(a=" + value + ") %}{{ a }}" + inner + "{% endmacro %}{{ m() }}";
    case 4:
      return "{% filter upper %}" + inner + "{% endfilter %}";
    default:
      return "{% with v = " + value + " %}{{ v }}" + inner + "{% endwith %}";
  }
}

TEST(Fuzz, no_template_crashes_or_runs_for_ever) {
  const char* text = std::getenv("TAILRACE_FUZZ_ROUNDS");
  const int rounds = text ? std::atoi(text) : 20000;
  Template::Options small;
  small.max_steps = 20000;
  small.max_output = 1 << 16;
  small.random = [] { return 0.5; };
  small.clock = [] { return std::int64_t{1767323045123456}; };
  int rendered = 0;
  for (int seed = 0; seed < rounds; ++seed) {
    Random random(static_cast<unsigned>(seed));
    const std::string source = seed % 3 == 0 ? soup(random) : statement(random, seed % 4);
    SCOPED_TRACE("seed " + std::to_string(seed) + ": " + source);
    const auto parsed = Template::parse(source);
    if (!parsed) {
      EXPECT_NE(parsed.error().what.find("(line "), std::string::npos) << parsed.error().what;
      continue;
    }
    const auto made = parsed->render(scope(), small);
    rendered += made.has_value();
    if (made) {
      EXPECT_LE(made->size(), small.max_output);
    } else {
      EXPECT_NE(made.error().what.find(": "), std::string::npos) << made.error().what;
    }
    (void)parsed->render_native(scope(), small);
  }
  EXPECT_GT(rendered, rounds / 20);
}

}  // namespace
}  // namespace tailrace::jinja
