"""What the slowest compiled files and tests of a build folder cost: reads .ninja_log and the last test results."""
import pathlib
import sys
import xml.etree.ElementTree as xml


def compiled(folder):
    """{output: seconds} of the last build of each object."""
    seconds = {}
    for line in (folder / ".ninja_log").read_text(encoding="utf-8").splitlines()[1:]:
        start, end, _, output = line.split("\t")[:4]
        if output.endswith((".o", "tailrace", "_test")):
            seconds[output] = (int(end) - int(start)) / 1000
    return seconds


def tested(folder):
    """{test: seconds} of every result file."""
    seconds = {}
    for path in sorted((folder / "results").glob("*.xml")):
        for case in xml.parse(path).getroot().iter("testcase"):
            seconds[f"{path.stem}: {case.get('name')}"] = float(case.get("time") or 0)
    return seconds


def show(title, seconds):
    print(f"{title}: {sum(seconds.values()):.0f} s in all")
    for name, cost in sorted(seconds.items(), key=lambda item: -item[1])[:15]:
        print(f"  {cost:8.1f} s  {name}")


if __name__ == "__main__":
    build = pathlib.Path(sys.argv[1])
    show("compiled", compiled(build))
    show("tests", tested(build))
