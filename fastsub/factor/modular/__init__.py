"""Elimination modulo a prime p < 2^63, and over GF(2)."""
