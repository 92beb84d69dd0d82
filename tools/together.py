#!/usr/bin/env python3
"""Sources compiled together: `together.py FOLDER OUT NAME MOST FILE…` writes OUT/NAME_1.cc … which include the FILEs of
FOLDER, at most MOST each, and prints their paths, divided by `;`.

Half of a compiler's time and more goes into headers, so files that include the same ones are compiled in the time of a
few. What one file names at the top (in an unnamed namespace, by `using`, by `#define`) the next one sees. What is its
own alone (`is_own`) gets another name while it is read, if the others mention it; all headers come before. Files go
together only when what is left disturbs none: none names what another one calls, or mentions where a header has a
thing of that name. Other mentions are of locals and members, which come before what is at the top.
"""
import functools
import itertools
import pathlib
import re
import sys

NOISE = re.compile(r'R"(\w*)\(.*?\)\1"|//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])\'', re.S)
WORD = re.compile(r"[A-Za-z_]\w*")
# Not behind `.`, `->` and `::`, where a member is looked for.
PLAIN_WORD = re.compile(r"(?<![\w.:>])[A-Za-z_]\w*")
CALL = re.compile(r"(?<![\w.:>])([A-Za-z_]\w*)\s*[(<{]")
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)
MACRO = re.compile(r"^\s*#\s*define\s+(\w+)", re.M)
# A function of a class that is defined outside of it, and a class that has a base.
MEMBER_OUTSIDE = re.compile(r"[^(=]*[\w>]\s*::\s*~?\w+\s*\(.*\{", re.S)
DERIVED = re.compile(r"\b(?:struct|class)\s+\w+(?:\s+final)?\s*:(?!:)")
SAME = re.compile(r"using\s+(?:[\w:]+::(\w+)|(\w+)\s*=\s*[\w:]+)|namespace\s+(\w+)\s*=\s*[\w:]+")
TEST = re.compile(r"^(?:TEST|TEST_F|TEST_P|TYPED_TEST)\s*\(\s*(\w+)\s*,\s*(\w+)", re.M)


ANY_INCLUDE = re.compile(r'^\s*#\s*include\s+([<"][^>"]+[>"])', re.M)
# Words that stand where a declared name may stand.
NO_NAMES = set("""
    auto bool break case catch char class const constexpr continue default delete do double else enum explicit extern
    false final float for friend if inline int long mutable namespace new noexcept nullptr operator override private
    protected public requires return short signed sizeof static static_assert struct switch template this throw true
    try typedef typename union unsigned using virtual void volatile while __extension__ __int128
    """.split())
# Others call these by argument-dependent lookup.
CALLED_BY_OTHERS = {"begin", "end", "swap", "get", "size", "data", "hash", "main", "PrintTo", "format_as"}
# <filesystem> and <iomanip> bring one that takes a std::string better.
ALSO_OF_STD = {"quoted"}


def bare(text):
    """Without comments, texts and the preprocessor's lines."""
    text = NOISE.sub(" ", text)
    return re.sub(r"^\s*#(?:[^\n]*\\\n)*[^\n]*", "", text, flags=re.M)


def statements(text):
    """What stands at the top, within namespaces of any name: whether one of them has none, and its head, up to `{` or
    `;`."""
    head, depth, round_depth, unnamed, after = "", 0, 0, [], 0
    for found in re.finditer("[(){};]", text):
        at, one = found.start(), found[0]
        if depth:
            depth += {"{": 1, "}": -1}.get(one, 0)
            if depth == 0:
                head, after = "=" if text[at + 1:at + 2] in (";", ",") else "", at + 1
            continue
        head += text[after:at]
        after = at + 1
        round_depth += {"(": 1, ")": -1}.get(one, 0)
        if one in "()" or round_depth:
            head += one
        elif one == "{":
            said = head.strip()
            if re.search(r"\bnamespace\b[\w:\s]*$", said) or re.search(r'\bextern\s*$', said):
                unnamed.append(said.endswith("namespace"))
                head = ""
            else:
                yield any(unnamed), said + " {"
                depth = 1
        elif one == "}":
            unnamed.pop()
            head = ""
        else:
            yield any(unnamed), head.strip()
            head = ""


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
    declared, _, value = said.partition("=")
    named = set(re.findall(r"\b(\w+)\s*(?:\[|\{|,|$)", declared.strip()) + re.findall(r",\s*(\w+)\s*(?==)", value))
    return {one for one in named - NO_NAMES if not one[0].isdigit()}


def is_of_tests(name):
    """GoogleTest's macros, whose tests have names of their own."""
    return re.fullmatch(r"(TYPED_)?TEST(_\w+)?|INSTANTIATE_\w+", name)


class Source:
    """What a file names at its top, and what it mentions anywhere."""

    def __init__(self, path, folder):
        text = path.read_text(encoding="utf-8")
        plain = bare(text)
        self.path = path
        # What is included under a condition stays where it is: None.
        self.includes = None if re.search(r"^\s*#\s*if", text, re.M) else ANY_INCLUDE.findall(text)
        self.qualified = set(WORD.findall(plain))
        self.words = set(PLAIN_WORD.findall(plain)) | set(MACRO.findall(text))
        self.calls = set(CALL.findall(plain))
        # Those of literals name nothing.
        self.usings = frozenset(re.findall(r"\busing\s+namespace\s+(?!std::\w*literals)[\w:]+", plain))
        self.names = set(MACRO.findall(text)) | {f"{suite}_{name}_Test" for suite, name in TEST.findall(plain)}
        said = list(statements(plain))
        self.has_members = bool(DERIVED.search(plain)) or any(MEMBER_OUTSIDE.match(statement) for _, statement in said)
        # The same name for the same thing disturbs nobody.
        self.shared = set(re.findall(r"^\s*#\s*define\s+(\w+)([^\\\n]*)$", text, re.M))
        hidden, seen = set(), set()
        for unnamed, statement in said:
            if same := SAME.fullmatch(statement):
                self.shared.add((same[1] or same[2] or same[3], re.sub(r"\s+", " ", statement)))
            (hidden if unnamed or re.match(r"(using|static)\b", statement) else seen).update(names_of(statement))
        self.names |= hidden | seen
        self.seen = seen - hidden
        self.headers = headers(folder, text)
        self.spaces = spaces(plain).union(*(header_spaces(one) for one in self.headers))
        self.own = {name for name in self.names if self.is_own(name, plain, MACRO.findall(text))}

    def is_own(self, name, plain, macros):
        """Whether each mention of the name in this file is of what it declares at its top."""
        may_be_a_macro = name in macros or re.fullmatch("[A-Z][A-Z0-9_]+", name) or name.endswith("_Test")
        if self.includes is None or may_be_a_macro or name in CALLED_BY_OTHERS | NO_NAMES:
            return False
        of_another = re.search(r"(?:\.|->|::)\s*" + name + r"\b", plain)
        # Where a header's class has members that are defined or inherited here, what the headers mention may be one.
        return not of_another and not (mentions if self.has_members else declares)(self.headers, name)

    def renamed(self, other):
        """What is this file's own and the other one mentions, or a header that only the other one includes."""
        headers = (header_words(one) for one in other.headers - self.headers)
        return self.own & other.words.union(other.names, ALSO_OF_STD, *headers)

    def disturbs(self, other):
        if self.spaces & other.qualified - other.spaces or self.spaces and self.usings:
            return True
        names = self.names if other.includes is None else self.names - self.own
        names = names - {name for name, _ in self.shared & other.shared}
        return any(self.takes(name, other) for name in names)

    def takes(self, name, other):
        # What a header of both declares is the same for both, wherever it is defined.
        if name in self.seen and declares(self.headers & other.headers, name):
            return False
        if name in other.calls or name in other.names or name in other.words and declares(other.headers, name):
            return True
        # The headers of a file without conditions come before this one, so only what they declare can disturb.
        return (mentions if other.includes is None else declares)(other.headers - self.headers, name)


def spaces(plain):
    """The namespaces within a room's, such as tailrace::schema::testing: they hide others of their name."""
    return {name.split("::")[-1] for name in re.findall(r"\bnamespace\s+(\w+::\w+::[\w:]+)\s*\{", plain)}


@functools.cache
def read_header(path):
    return pathlib.Path(path).read_text(encoding="utf-8")


@functools.cache
def header_spaces(path):
    return spaces(bare(read_header(path)))


@functools.cache
def included_headers(folder, path):
    """The headers below the folder that one of them includes."""
    named = (f"{folder}/{name}" for name in INCLUDE.findall(read_header(path)))
    return [one for one in named if pathlib.Path(one).exists()]


def headers(folder, text):
    """The headers below the folder that a source includes, and what they include, as paths."""
    waiting = [f"{folder}/{name}" for name in INCLUDE.findall(text)]
    found = set(waiting := [one for one in waiting if pathlib.Path(one).exists()])
    while waiting:
        for one in included_headers(folder, waiting.pop()):
            if one not in found:
                found.add(one)
                waiting.append(one)
    return found


@functools.cache
def header_words(path):
    return set(WORD.findall(bare(read_header(path))))


@functools.cache
def header_names(path):
    text = read_header(path)
    return set(MACRO.findall(text)).union(*(names_of(statement) for _, statement in statements(bare(text))))


def mentions(paths, name):
    return any(name in header_words(path) for path in paths)


def declares(paths, name):
    return any(name in header_names(path) for path in paths)


def batches(sources, most):
    """First those that many disturb, so that they do not remain alone."""
    apart = {one: set() for one in sources}
    for one, other in itertools.combinations(sources, 2):
        if one.usings != other.usings or one.disturbs(other) or other.disturbs(one):
            apart[one].add(other)
            apart[other].add(one)
    made = []
    for one in sorted(sources, key=lambda one: (-len(apart[one]), one.path)):
        for batch in made:
            if len(batch) < most and apart[one].isdisjoint(batch):
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
