"""Types of the compiled module small."""
