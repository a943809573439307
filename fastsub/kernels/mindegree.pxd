"""Minimum degree ordering of a symmetric pattern."""

cdef struct Quotient:
    int n
    int** line
    int* size
    int* elements
    int* weight
    int* degree
    int* bucket
    int* next
    int* previous
    int* kind
    int* chain
    int* last
    int* mark
    int* hash
    int* head
    int stamp
    long long* outside
    long long tag

cdef int order(Quotient* G, double budget, int dense, int* permutation,
               double* cost) noexcept nogil
