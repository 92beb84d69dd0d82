"""CQL is taken and refused as Cassandra's own parser does, the kept statements and damaged ones nobody chose."""
import os
import pathlib
import random
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
KEPT = ROOT / "src/cql_syntax/testing/cassandra_5_0_9.tsv"
TOKEN = re.compile(r"\s+|\w+|'(?:[^']|'')*'|\"[^\"]*\"|.")


def ask(statements, folder):
    """Cassandra's verdicts; a statement is escaped already."""
    asked, answers = folder / "statements.txt", folder / "answers.txt"
    asked.write_text("".join(one + "\n" for one in statements), encoding="utf-8")
    subprocess.run([ROOT / "tests/real/cassandra/ask.sh", "CqlVerdicts", asked, answers], check=True)
    return answers.read_text(encoding="utf-8").split("\n")[:-1]


def damaged(statement, other, chance):
    """With a token or two left out, doubled, exchanged, or taken from another statement."""
    tokens, others = TOKEN.findall(statement), TOKEN.findall(other)
    for _ in range(chance.choice([1, 1, 2])):
        at, to = chance.randrange(len(tokens)), chance.randrange(len(tokens))
        kind = chance.randrange(4)
        if kind == 0 and len(tokens) > 1:
            del tokens[at]
        elif kind == 1:
            tokens.insert(at, tokens[at])
        elif kind == 2:
            tokens[at], tokens[to] = tokens[to], tokens[at]
        else:
            tokens[at] = chance.choice(others)
    return "".join(tokens)


def test_statements_are_judged_as_by_cassandras_own_parser(tmp_path):
    rows = [line.split("\t") for line in KEPT.read_text(encoding="utf-8").split("\n") if line]
    assert ask([row[1] for row in rows], tmp_path) == [row[2] for row in rows]

    seed = os.environ.get("TAILRACE_SEED", "20")
    chance = random.Random(seed)
    sound = [row[1] for row in rows if row[2] == "ok" and "\\" not in row[1]]
    fresh = [damaged(chance.choice(sound), chance.choice(sound), chance) for _ in range(5000)]
    judged = tmp_path / "verdicts.tsv"
    lines = [f"*\t{one}\t{told}\n" for one, told in zip(fresh, ask(fresh, tmp_path), strict=True)
             if one and not told.startswith("crash")]
    assert len(lines) > 4500, f"few verdicts with seed {seed}"
    judged.write_text("".join(lines), encoding="utf-8")
    subprocess.run([ROOT / "build/src/cql_syntax/cql_syntax_test", "--gtest_filter=Verdicts.fresh*"], cwd=ROOT,
                   check=True, env={**os.environ, "TAILRACE_CQL_VERDICTS": str(judged)})
