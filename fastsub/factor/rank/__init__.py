"""The rank decision: a cutoff, bounds on either side of it that prove, and the certificate."""
