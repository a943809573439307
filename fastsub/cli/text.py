"""Text from outside, made safe to print."""


def printable(text: str) -> str:
    """Return ``text`` with every unprintable character escaped, as ``repr`` would.

    File names may hold newlines, escape sequences that a terminal obeys, and bytes that are no
    text at all.
    """
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
