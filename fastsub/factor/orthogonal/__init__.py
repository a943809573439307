"""Orthogonal factorisations of dense matrices: rank-revealing QR, RZ, URV and COD."""
