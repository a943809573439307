"""From a Python object to a rank or a basis of a small matrix in one compiled call."""
