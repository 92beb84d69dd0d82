"""What scheduling costs on one core: 10,000 runs an hour, events, years of catch-up: `./dev bench sched`."""
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[1]


def main():
    subprocess.run(["ninja", "-C", ROOT / "build", "scheduler_bench"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([ROOT / "build" / "src" / "sched" / "scheduler_bench"], check=True)


if __name__ == "__main__":
    main()
