"""All of a map at once: its four subspaces, and every solution of A x = b."""
