"""What the tasks of branches.yml call."""


def one():
    return "left"


def both():
    return ["left_too", "right_too"]


def none():
    return None


def group():
    return "lane"


def empty():
    return []


def full():
    return [1]
