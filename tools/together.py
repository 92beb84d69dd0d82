#!/usr/bin/env python3
"""Sources compiled together: `together.py FOLDER OUT NAME MOST FILE…` writes OUT/NAME_1.cc … which include the FILEs of
FOLDER, at most MOST each, and prints their paths, divided by `;`.

Three quarters of a compiler's time go into headers, so ten files that include the same ones are compiled in the time of
three. What one file names at the top (in an unnamed namespace, by `using`, by `#define`) the next one sees. What is its
own alone (`is_own`) gets another name while it is read, if the others mention it; all headers come before. Files go
together only when what is left disturbs none: none names what the other mentions.
"""
import functools
import pathlib
import re
import sys

NOISE = re.compile(r'R"(\w*)\(.*?\)\1"|//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])\'', re.S)
WORD = re.compile(r"[A-Za-z_]\w*")
# Not behind `.`, `->` and `::`, where a member is looked for.
PLAIN_WORD = re.compile(r"(?<![\w.:>])[A-Za-z_]\w*")
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)
MACRO = re.compile(r"^\s*#\s*define\s+(\w+)", re.M)
TEST = re.compile(r"^(?:TEST|TEST_F|TEST_P|TYPED_TEST)\s*\(\s*(\w+)\s*,\s*(\w+)", re.M)


ANY_INCLUDE = re.compile(r'^\s*#\s*include\s+([<"][^>"]+[>"])', re.M)
# Words that stand where a declared name may stand.
NO_NAMES = {"const", "default", "delete", "false", "true", "noexcept", "nullptr", "operator", "override", "requires",
            "static_assert"}
# Others call these by argument-dependent lookup.
CALLED_BY_OTHERS = {"begin", "end", "swap", "get", "size", "data", "hash", "main", "PrintTo", "format_as"}


def bare(text):
    """Without comments, texts and the preprocessor's lines."""
    text = NOISE.sub(" ", text)
    return re.sub(r"^\s*#(?:[^\n]*\\\n)*[^\n]*", "", text, flags=re.M)


def statements(text):
    """The heads of what stands at the top, within namespaces of any name: up to `{` or `;`."""
    head, depth, round_depth = [], 0, 0
    for at, one in enumerate(text):
        if depth == 0:
            if one == "(":
                round_depth += 1
            elif one == ")":
                round_depth -= 1
            if one == "{" and round_depth == 0:
                said = "".join(head).strip()
                if re.search(r"\bnamespace\b[\w:\s]*$", said) or re.search(r'\bextern\s*$', said):
                    head = []
                    continue
                yield said + " {"
                depth = 1
                continue
            if one == "}" and round_depth == 0:
                head = []
                continue
            if one == ";" and round_depth == 0:
                yield "".join(head).strip()
                head = []
                continue
            head.append(one)
        elif one == "{":
            depth += 1
        elif one == "}":
            depth -= 1
            if depth == 0:
                head = ["="] if text[at + 1:at + 2] in (";", ",") else []


def names_of(statement):
    """What a statement at the top declares; too many rather than too few."""
    if re.match(r"using\s+namespace\b", statement):
        return set()
    said = re.sub(r"^\s*template\s*<.*?>\s*(?=\b(?:struct|class|using|constexpr|inline|static|auto|bool|void|std|[A-Z])"
                  r")", "", statement, flags=re.S)
    if found := re.match(r"using\s+(\w+)\s*=", said):
        return {found[1]}
    if found := re.match(r"using\s+(?!namespace)([\w:\s,]+)$", said):
        return {part.split("::")[-1].strip() for part in found[1].split(",")}
    if found := re.match(r"(?:struct|class|union|enum(?:\s+class|\s+struct)?)\s+(?:\[\[.*?\]\]\s*)?(\w+)", said):
        return {found[1]}
    while (without := re.sub(r"<[^<>()=]*>", "", said)) != said:
        said = without
    before, call, _ = said.partition("(")
    if call and "=" not in before:
        found = re.search(r"([\w:~]+)\s*$", before)
        return {found[1]} - NO_NAMES if found and "::" not in found[1] and not is_of_tests(found[1]) else set()
    named = set(re.findall(r"\b(\w+)\s*(?:=|\[|\{|,|$)", said))
    return {one for one in named - NO_NAMES if not one[0].isdigit()}


def is_of_tests(name):
    """GoogleTest's macros, whose tests have names of their own."""
    return re.fullmatch(r"(TYPED_)?TEST(_\w+)?|INSTANTIATE_\w+", name)


class Source:
    """What a file names at its top, and what it mentions anywhere."""

    def __init__(self, path, folder):
        text = path.read_text(encoding="utf-8")
        plain = bare(text)
        self.path, self.folder = path, folder
        # What is included under a condition stays where it is: None.
        self.includes = None if re.search(r"^\s*#\s*if", text, re.M) else ANY_INCLUDE.findall(text)
        self.qualified = set(WORD.findall(plain))
        self.words = set(PLAIN_WORD.findall(plain)) | set(MACRO.findall(text))
        self.usings = frozenset(re.findall(r"\busing\s+namespace\s+[\w:]+", plain))
        self.names = set(MACRO.findall(text)) | {f"{suite}_{name}_Test" for suite, name in TEST.findall(plain)}
        # The same name for the same thing disturbs nobody.
        self.shared = set()
        for statement in statements(plain):
            same = re.fullmatch(r"using\s+(?:[\w:]+::(\w+)|(\w+)\s*=\s*[\w:]+)", statement)
            if same:
                self.shared.add((same[1] or same[2], re.sub(r"\s+", " ", statement)))
            self.names |= names_of(statement)
        self.headers = functools.reduce(set.union, (headers(folder, one) for one in INCLUDE.findall(text)), set())
        self.spaces = spaces(plain).union(*(header_spaces(folder, one) for one in self.headers))
        self.own = {name for name in self.names if self.is_own(name, plain, MACRO.findall(text))}

    def is_own(self, name, plain, macros):
        """Whether each mention of the name in this file is of what it declares at its top."""
        may_be_a_macro = name in macros or re.fullmatch("[A-Z][A-Z0-9_]+", name) or name.endswith("_Test")
        if self.includes is None or may_be_a_macro or name in CALLED_BY_OTHERS | NO_NAMES:
            return False
        of_another = re.search(r"(?:\.|->|::)\s*" + name + r"\b", plain)
        return not of_another and not any(name in header_words(self.folder, one) for one in self.headers)

    def renamed(self, other):
        """What is this file's own and the other one mentions, or a header that only the other one includes."""
        headers = (header_words(self.folder, one) for one in other.headers - self.headers)
        return self.own & other.words.union(other.names, *headers)

    def disturbs(self, other):
        if self.spaces & other.qualified - other.spaces or self.spaces and self.usings:
            return True
        # The headers of a file without conditions come before this one, so only what they declare can disturb.
        of_header = header_words if other.includes is None else header_names
        headers = (of_header(self.folder, one) for one in other.headers - self.headers)
        names = self.names if other.includes is None else self.names - self.own
        taken = names & other.words.union(other.names, *headers)
        return bool(taken - {name for name, _ in self.shared & other.shared})


def spaces(plain):
    """The namespaces within a room's, such as tailrace::schema::testing: they hide others of their name."""
    return {name.split("::")[-1] for name in re.findall(r"\bnamespace\s+(\w+::\w+::[\w:]+)\s*\{", plain)}


@functools.cache
def header_spaces(folder, path):
    return spaces(bare(path.read_text(encoding="utf-8")))


@functools.cache
def headers(folder, name):
    """A header and what it includes, all below the folder."""
    path = folder / name
    found, waiting = set(), [path]
    while waiting:
        one = waiting.pop()
        if one in found or not one.exists():
            continue
        found.add(one)
        waiting += [folder / name for name in INCLUDE.findall(one.read_text(encoding="utf-8"))]
    return found


@functools.cache
def header_words(folder, path):
    return set(WORD.findall(bare(path.read_text(encoding="utf-8"))))


@functools.cache
def header_names(folder, path):
    text = path.read_text(encoding="utf-8")
    return set(MACRO.findall(text)).union(*map(names_of, statements(bare(text))))


def batches(sources, most):
    made = []
    for one in sources:
        for batch in made:
            if len(batch) < most and batch[0].usings == one.usings and \
                    not any(one.disturbs(other) or other.disturbs(one) for other in batch):
                batch.append(one)
                break
        else:
            made.append([one])
    return made


def text_of(batch, folder):
    headers = dict.fromkeys(one for source in batch for one in source.includes or ())
    lines = [f"#include {one}\n" for one in sorted(headers, reverse=True)]
    for source in batch:
        path = source.path.relative_to(folder)
        others = [other for other in batch if other is not source]
        renamed = sorted(set().union(*map(source.renamed, others)))
        unique = re.sub(r"\W", "_", str(path))
        lines += [f"#define {name} {name}_of_{unique}\n" for name in renamed]
        lines += [f'#include "{path}"\n'] + [f"#undef {name}\n" for name in renamed]
    return "".join(lines)


def main():
    folder, out, name, most = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
    sources = [Source(pathlib.Path(path), folder) for path in sorted(sys.argv[5:])]
    out.mkdir(parents=True, exist_ok=True)
    written = []
    for number, batch in enumerate(batches(sources, most), 1):
        if len(batch) == 1:
            written.append(batch[0].path)
            continue
        path = out / f"{name}_{number}.cc"
        text = text_of(batch, folder)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
        written.append(path)
    print(";".join(map(str, written)), end="")


if __name__ == "__main__":
    main()
