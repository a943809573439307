"""What the command line says no with."""


class InputError(ValueError):
    """What the user gave cannot be used; the message is one line that names it and says why."""
