"""Prints how many rows the served hops of a `tailrace status --json` file count."""
import json
import sys


def served(status):
    """The sum over hops of kind "served", wherever the list of hops lies."""
    hops = status if isinstance(status, list) else status.get("hops", [])
    return sum(int(hop.get("count", 0)) for hop in hops if hop.get("kind") == "served")


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        print(served(json.load(file)))
