"""Types of the compiled module small_lstsq, which has only C functions."""
