"""The folder of `./dev install`: the real program runs from it elsewhere, with nothing of this machine but glibc."""
import json
import os
import pathlib
import re
import shutil
import subprocess

import pytest
import tailrace

BUILD = tailrace.PROGRAM.parent
PLACE = "/opt/tailrace"
GLIBC = re.compile(r"(/\S*/(?:ld-linux\S*|lib(?:c|m|dl|rt|pthread|resolv)\.so\.\S+)) \(")
ENTER = 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"'  # the linker asks /proc where the program is


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A root folder that holds the installed folder, the glibc of this machine, and no more."""
    if not shutil.which("cmake") or not (BUILD / "cmake_install.cmake").exists():
        pytest.skip("cmake, or the build folder of the program, is not here")
    root = tmp_path_factory.mktemp("bare")
    done = subprocess.run(["cmake", "--install", BUILD, "--prefix", str(root) + PLACE], capture_output=True, text=True,
                          timeout=300)
    assert done.returncode == 0, done.stderr
    needed = subprocess.run(["ldd", tailrace.PROGRAM], check=True, capture_output=True, text=True).stdout
    for path in GLIBC.findall(needed):
        copy = root / path.lstrip("/")
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    for name in ("proc", "tmp"):
        (root / name).mkdir()
    yield root
    shutil.rmtree(root)


def the_example_runs(run, folder, data):
    """`run` starts the installed program with the words it is given."""
    example, data = f"{folder}/examples/random_users", ("--data", data)
    assert run("version").stdout.startswith("tailrace ")
    done = run("run", example, *data, "--once")
    assert done.returncode == 0, done.stderr
    count = "SELECT count(*) AS users, count(DISTINCT id) AS different FROM users"
    (users,) = map(json.loads, run("sql", example, *data, "--json", "-c", count).stdout.splitlines())
    assert users["users"] == users["different"] >= 1000


def test_the_installed_folder_runs_elsewhere_with_an_empty_environment(root, tmp_path):
    moved = tmp_path / "moved"
    shutil.move(str(root) + PLACE, moved)  # a folder that nothing was built for
    try:
        libraries = subprocess.run(["ldd", moved / "bin" / "tailrace"], check=True, capture_output=True, text=True,
                                   env={}).stdout
        elsewhere = [path for path in re.findall(r"=> (/\S+)", libraries)
                     if not pathlib.Path(path).resolve().is_relative_to(moved) and not GLIBC.search(path + " (")]
        assert elsewhere == []

        def run(*words):
            return subprocess.run([moved / "bin" / "tailrace", *words], capture_output=True, text=True, timeout=120,
                                  env={}, cwd="/")
        the_example_runs(run, moved, tmp_path / "data")
    finally:
        shutil.move(moved, str(root) + PLACE)


@pytest.mark.skipif(os.getuid() != 0, reason="only root may change the root")
def test_the_installed_folder_runs_on_a_bare_machine(root):
    if subprocess.run(["unshare", "--mount", "mount", "-t", "proc", "proc", root / "proc"]).returncode != 0:
        pytest.skip("/proc may not be mounted here")

    def run(*words):
        enter = ["unshare", "--mount", "sh", "-c", ENTER, root]
        return subprocess.run([*enter, f"{PLACE}/bin/tailrace", *words], capture_output=True, text=True, timeout=120,
                              env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
    the_example_runs(run, PLACE, "/tmp/data")
    spark = run("spark", f"{PLACE}/examples/random_users", "--data", "/tmp/data", "--out", "/tmp/spark")
    assert "set TAILRACE_PYTHON to a Python with pyspark" in spark.stderr  # its script is there, Python is not
