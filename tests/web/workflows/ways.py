"""The way that a branch goes."""


def left():
    return "load.big"
