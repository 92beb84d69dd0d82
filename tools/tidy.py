"""The style check: floors, library fences, sizes, names, words. `tools/tidy.py [--stats] [ROOT]`.

One finding a line, `file:line: rule: what`. Known offenders stand in tools/tidy_ratchet.txt as `file: rule`; one
that no longer offends is a finding too, so the list only shrinks. Exit 0 without findings. Standard library only.
"""
import pathlib
import re
import statistics
import subprocess
import sys

FLOORS = {
    "base": 0, "rt": 1, "calendar": 1, "yaml": 1, "doctor": 2,
    "net": 2, "kv": 2, "sqlite": 2, "postgres": 2, "columns": 2, "cql_types": 2, "cql_syntax": 2, "jinja": 2,
    "log": 3, "schema": 3, "table": 3, "lake": 3, "auth": 3, "dags": 3, "s3": 3, "telemetry": 3,
    "cql_protocol": 3, "cql_schema": 3, "cql_store": 3, "cql_terms": 4, "cql_client": 4, "cql_roles": 4, "cql_query": 5,
    "groups": 4, "share": 4, "transactions": 4, "subjects": 4, "engine": 4, "kafka_log": 4, "sched": 4, "staging": 4,
    "sql": 5, "connect": 5, "metadata": 5, "pipeline": 6, "served": 6, "tasks": 6, "workflows": 7, "alerts": 7,
    "compose": 7, "lambda": 7,
    "kafka": 8, "cql": 8, "registry": 8, "cassandra": 8, "spark": 8, "hooks": 8, "console": 8, "airflow": 8, "app": 9,
}

# Which rooms may include a library: the part of an include before the first "/" or the whole name, as a pattern.
ARROW_ROOMS = {"columns", "engine", "schema", "lake", "table", "sql", "connect", "pipeline", "served", "cassandra",
               "spark", "console", "app"}
FENCES = [
    (r"boost/(asio|beast)", {"net"}),
    (r"rocksdb/", {"kv"}),
    (r"(arrow|parquet)/", ARROW_ROOMS),
    (r"spdlog/", {"base"}),
    (r"CLI/", {"app"}),
    (r"curl/", {"net"}),
    (r"pugixml", {"s3"}),
    (r"utf8proc", {"cql_query"}),
    (r"sqlite3\.h", {"sqlite"}),
    (r"libpq", {"postgres"}),
    (r"openssl/", {"net", "auth", "engine", "subjects", "cql_terms", "sched", "dags"}),
    (r"boost/multiprecision", {"cql_terms"}),
    (r"simdjson\.h", {"engine", "connect", "lake", "pipeline", "schema", "staging", "workflows"}),
    (r"google/protobuf/", {"schema"}),
    (r"yaml-cpp/", {"yaml", "dags", "doctor", "pipeline", "compose", "app"}),
    (r"re2/", {"alerts", "auth", "engine", "groups", "schema", "transactions"}),
    (r"crypt\.h", {"cql_roles"}),
    (r"isa-l", {"log", "cql_protocol"}),
    (r"lz4", {"log", "cql_protocol"}),
    (r"snappy", {"log", "cql_protocol", "connect"}),
    (r"(bzlib|lzma)\.h", {"connect"}),
    (r"librdkafka/", {"kafka_log"}),
    (r"minizip/", {"lambda"}),
]

MAX_LINES = 800
MAX_COLUMNS = 100
MAX_TABLE_COLUMNS = 120
MAX_FUNCTION_LINES = 120
BANNED_NAMES = {"utils", "util", "common", "helpers", "helper", "manager", "misc"}
BANNED_WORDS = re.compile(
    r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "X" + "XX", "[Hh]a" + "ck", "HA" + "CK"]) + r")\b")
COMMENTED_CODE = re.compile(
    r"^\s*(//|#) ?(if \(|for \(|while \(|return [\w(].*;$|[\w:<>*&]+ [\w.]+ = .*;$|[\w.]+(->[\w]+)?\(.*\);$|#include)")
CODE = (".h", ".cc")
PROSE = (".py", ".sh", ".ts", ".md", ".cmake", ".yml", ".sql", ".css", ".html", ".txt")
# Distributions whose modules have another name.
IMPORTED_AS = {"kafka_python": "kafka", "pyyaml": "yaml"}
INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]')


class Findings:
    """Findings in order; `add` is the only way in."""

    def __init__(self, root):
        self.root = root
        self.list = []

    def add(self, path, line, rule, what):
        self.list.append((str(path), line, rule, what))


def room_of(path):
    """The room of src/ROOM/…, or None."""
    parts = pathlib.PurePath(path).parts
    return parts[1] if len(parts) > 2 and parts[0] == "src" else None


def check_include(findings, path, number, quote, target):
    room = room_of(path)
    if room is None:
        return
    if quote == '"':
        other = target.split("/")[0]
        if "/" not in target or other not in FLOORS:
            findings.add(path, number, "floor", f'"{target}" names no room: write "room/file.h"')
        elif other != room and FLOORS[other] >= FLOORS.get(room, -1):
            findings.add(path, number, "floor",
                         f"{room} (floor {FLOORS.get(room)}) includes {other} (floor {FLOORS[other]})")
    for pattern, rooms in FENCES:
        if quote == "<" and re.match(pattern, target) and room not in rooms:
            findings.add(path, number, "fence", f"<{target}> belongs to {', '.join(sorted(rooms))}")


def check_lines(findings, path, lines):
    """Columns, words, commented-out code, includes."""
    suffix = pathlib.PurePath(path).suffix
    in_docs = suffix == ".md"
    for number, line in enumerate(lines, 1):
        comment = re.match(r"\s*(//|#|\*|--|\")", line) or suffix not in CODE
        limit = MAX_TABLE_COLUMNS if comment else MAX_COLUMNS
        if len(line) > limit and suffix in CODE + (".py",):
            findings.add(path, number, "columns", f"{len(line)} columns, at most {limit}")
        if not in_docs and BANNED_WORDS.search(line):
            findings.add(path, number, "word", f'"{BANNED_WORDS.search(line).group(1)}"')
        if suffix in CODE and COMMENTED_CODE.match(line) and not re.match(r"^\s*// .*: ", line):
            findings.add(path, number, "commented-out", line.strip()[:60])
        include = INCLUDE.match(line)
        if suffix in CODE and include:
            check_include(findings, path, number, *include.groups())


def check_file(findings, path, text):
    name = pathlib.PurePath(path)
    lines = text.splitlines()
    if len(lines) > MAX_LINES and name.suffix in CODE + (".py", ".ts", ".sh"):
        findings.add(path, len(lines), "size", f"{len(lines)} lines, at most {MAX_LINES}")
    if set(re.split(r"[._-]", name.name.lower())) & BANNED_NAMES:
        findings.add(path, 1, "name", "says nothing: name the file after its one class or verb")
    if name.suffix in CODE:
        twin = name.suffix == ".cc" and (findings.root / name.with_suffix(".h")).exists()  # its header says what it is
        if not twin and (not lines or not re.match(r"// \S.*", lines[0])):
            findings.add(path, 1, "opening", "opens with a sentence on what the file is")
        if name.suffix == ".h" and "#pragma once" not in lines:
            findings.add(path, 1, "once", "#pragma once is missing")
        check_functions(findings, path, lines)
    if name.suffix == ".py" and lines and not re.match(r'(#!|""")', lines[0]):
        findings.add(path, 1, "opening", "opens with a sentence on what the file is")
    check_lines(findings, path, lines)


def functions(lines):
    """(first line, length) of each function body, by Google's layout: a signature at depth 0 or in a class ends in `{`.

    A scan of braces: strings, characters and comments are blanked first. Namespaces, types, lambdas and
    initialisers are not functions; a function inside a function counts with the outer one.
    """
    found, stack = [], []
    head = ""
    for number, line in enumerate(blank(lines), 1):
        for char in line:
            if char == "{":
                kind = "scope" if re.search(r"\b(namespace|class|struct|union|enum|extern)\b", head) and \
                    not re.search(r"\)\s*(const|noexcept|override|final|->.*)*\s*$", head) else "block"
                inside = any(kind_of == "function" for kind_of, _ in stack)
                if kind == "block" and not inside and ")" in head and "=" not in head.split("(")[0]:
                    kind = "function"
                stack.append((kind, number))
                head = ""
            elif char == "}":
                if stack:
                    kind, start = stack.pop()
                    if kind == "function":
                        found.append((start, number - start + 1))
                head = ""
            elif char == ";":
                head = ""
            else:
                head += char
        head += " "
    return found


def blank(lines):
    """The lines without comments, strings, characters and preprocessor lines."""
    text = "\n".join("" if re.match(r"\s*#", line) or (i and lines[i - 1].endswith("\\")) else line
                     for i, line in enumerate(lines))
    pattern = r'R"(\w*)\((?:.|\n)*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'|//[^\n]*|/\*(?:.|\n)*?\*/'
    return re.sub(pattern, lambda match: "\n" * match.group(0).count("\n"), text).split("\n")


def check_functions(findings, path, lines):
    for start, length in functions(lines):
        if length > MAX_FUNCTION_LINES:
            findings.add(path, start, "function", f"{length} lines, at most {MAX_FUNCTION_LINES}")


def check_tests(findings, path, lines):
    """Names of tests say a promise: several words in snake_case."""
    for number, line in enumerate(lines, 1):
        test = re.match(r"TEST(?:_F|_P)?\((\w+), (\w+)\)", line)
        if test and test.group(2).count("_") < 1 and re.fullmatch(r"[A-Z][A-Za-z0-9]*|[a-z0-9]+", test.group(2)):
            findings.add(path, number, "test-name", f"{test.group(2)}: say the promise, in_several_words")
        python = re.match(r"def test_(\w+)\(", line)
        if python and python.group(1).count("_") < 1:
            findings.add(path, number, "test-name", f"test_{python.group(1)}: say the promise, in_several_words")


def check_rooms(findings, root, paths):
    """Each room has a README and a CMakeLists that globs it; no folder of src is without a floor."""
    rooms = sorted({room_of(path) for path in paths if room_of(path)})
    for room in rooms:
        folder = root / "src" / room
        if room not in FLOORS:
            findings.add(f"src/{room}", 1, "floor", "has no floor: add it to FLOORS in tools/tidy.py")
            continue
        if not (folder / "README.md").exists():
            findings.add(f"src/{room}", 1, "readme", "README.md is missing")
        cmake = folder / "CMakeLists.txt"
        text = cmake.read_text(encoding="utf-8") if cmake.exists() else ""
        if not re.search(rf"\broom\({room}\b", text):
            findings.add(f"src/{room}", 1, "cmake",
                         f"CMakeLists.txt with room({room} …), which names every .cc, is missing")
        declared = re.search(r"DEPS\s+([a-z_ \n]+?)(?:\s+[A-Z]|\))", text)
        for other in (declared.group(1).split() if declared else []):
            if other in FLOORS and FLOORS[other] >= FLOORS[room]:
                findings.add(f"src/{room}/CMakeLists.txt", 1, "floor", f"DEPS {other} is not strictly lower")


def check_cycles(findings, root, paths):
    """No file includes itself by way of others (within a room; between rooms the floors forbid it)."""
    graph = {}
    for path in paths:
        if room_of(path) and path.endswith(CODE):
            text = (root / path).read_text(encoding="utf-8", errors="replace")
            graph[path] = ["src/" + target for quote, target in
                           (match.groups() for match in map(INCLUDE.match, text.splitlines()) if match) if quote == '"']
    for cycle in cycles(graph):
        findings.add(cycle[0], 1, "cycle", " → ".join(cycle + cycle[:1]))


def cycles(graph):
    """Each include cycle once, as the list of its files, found depth first."""
    found, done = [], set()

    def visit(node, trail):
        if node in trail:
            found.append(trail[trail.index(node):])
            return
        if node in done or node not in graph:
            return
        for other in graph[node]:
            visit(other, trail + [node])
        done.add(node)

    for node in sorted(graph):
        visit(node, [])
    return found


def python_imports(text):
    """The modules that a Python file needs to be read: those named at the start of a line."""
    for line in text.splitlines():
        if one := re.match(r"from (\w+)[\w.]* import ", line):
            yield one.group(1)
        elif many := re.match(r"import (.+?)(?:  #.*)?$", line):
            yield from (name.split()[0].split(".")[0] for name in many.group(1).split(","))


def check_imports(findings, root, paths):
    """The tests of real systems are all read by one Python: what they import is in its requirements, or one of them
    stops all."""
    file = root / "tests" / "real" / "requirements.txt"
    if not file.exists():
        return
    lines = file.read_text(encoding="utf-8").splitlines()
    named = {re.split(r"[\[=]", line)[0].lower().replace("-", "_") for line in lines}
    known = {IMPORTED_AS.get(name, name) for name in named} | sys.stdlib_module_names
    local = {pathlib.Path(path).stem: path for path in paths if path.endswith(".py")}
    to_read = [path for path in paths if re.fullmatch(r"tests/real/(test_\w+|conftest)\.py", path)]
    seen = set(to_read)
    for path in to_read:
        for name in python_imports((root / path).read_text(encoding="utf-8")):
            other = local.get(name)
            if not other and name not in known:
                findings.add(path, 1, "import", f"{name} is not in tests/real/requirements.txt")
            elif other and other not in seen:
                seen.add(other)
                to_read.append(other)


def source_paths(root):
    """What git knows or would add; every file when there is no git."""
    try:
        out = subprocess.run(["git", "-C", str(root), "ls-files", "-co", "--exclude-standard"],
                             check=True, capture_output=True, text=True).stdout.splitlines()
        return sorted(path for path in set(out) if (root / path).is_file())
    except (subprocess.CalledProcessError, FileNotFoundError):
        return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def checked(path):
    skipped = ("web/package-lock.json", "LICENSE", "build/", "tests/real/golden/")
    return path.endswith(CODE + PROSE) and not path.startswith(skipped) and "node_modules/" not in path


def apply_ratchet(findings, root):
    """Takes known offenders out; adds a finding for each that no longer offends."""
    file = root / "tools" / "tidy_ratchet.txt"
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    known = {line.strip() for line in lines if line.strip() and not line.startswith("#")}
    seen = set()
    left = []
    for path, line, rule, what in findings.list:
        if f"{path}: {rule}" in known:
            seen.add(f"{path}: {rule}")
        else:
            left.append((path, line, rule, what))
    for entry in sorted(known - seen):
        left.append(("tools/tidy_ratchet.txt", 1, "ratchet", f"no longer offends, take it out: {entry}"))
    findings.list = left


def check(root):
    """All findings of the tree at `root`."""
    findings = Findings(root)
    paths = [path for path in source_paths(root) if checked(path)]
    for path in paths:
        text = (root / path).read_text(encoding="utf-8", errors="replace")
        check_file(findings, path, text)
        check_tests(findings, path, text.splitlines())
    check_rooms(findings, root, paths)
    check_cycles(findings, root, paths)
    check_imports(findings, root, paths)
    apply_ratchet(findings, root)
    return findings.list


def quantile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def stats(root):
    """Sizes of files and functions against style.md's figures."""
    paths = [path for path in source_paths(root) if room_of(path) and path.endswith(CODE)]
    paths = [path for path in paths if not path.endswith(("_test.cc", "_bench.cc"))]
    texts = [(root / path).read_text(encoding="utf-8", errors="replace").splitlines() for path in paths]
    sizes = [len(lines) for lines in texts] or [0]
    lengths = [length for lines in texts for _, length in functions(lines)] or [0]
    comments = sum(1 for lines in texts for line in lines if re.match(r"\s*//", line))
    print(f"files      {len(paths)}, lines median {statistics.median(sizes):.0f}, p90 {quantile(sizes, .9)}, "
          f"most {max(sizes)}, all {sum(sizes)}")
    print(f"functions  {len(lengths)}, lines median {statistics.median(lengths):.0f}, p90 {quantile(lengths, .9)}, "
          f"p99 {quantile(lengths, .99)}, most {max(lengths)}")
    print(f"comments   {100 * comments / max(1, sum(sizes)):.0f} % of lines")


def main(arguments):
    folders = [argument for argument in arguments if not argument.startswith("-")]
    root = pathlib.Path(folders[0] if folders else pathlib.Path(__file__).parent.parent).resolve()
    if "--stats" in arguments:
        stats(root)
    found = check(root)
    for path, line, rule, what in found:
        print(f"{path}:{line}: {rule}: {what}")
    print(f"tidy: {len(found)} findings")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
