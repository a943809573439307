"""Principal angles of a stack of pairs of subspaces."""
