"""Factorisations that decide the rank, and what is made of them.

arrays memory products parallel     what is validated, allocated, multiplied, done on threads
choose                              which path a matrix takes
rank/           cutoff, bounds, proofs, certificate
orthogonal/     QR, URV and COD of dense matrices, rank-revealing
tall/           sketches of tall matrices
least_squares/  the paths of lstsq, from the fastest to the one that proves every answer
rows/           triangles of rows that come block by block
sparse/         elimination down to a dense core
modular/        elimination modulo a prime
echelon small stacked               reduced row echelon form, small matrices, stacks of them
"""
