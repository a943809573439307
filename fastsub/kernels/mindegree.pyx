"""Minimum degree ordering of a symmetric pattern, and what a Cholesky factorisation by it costs.

Of an eliminated variable p the clique L_p of its neighbours is kept, as an element:

    L_p = (A_p and all L_e, e in E_p) less p      these elements are absorbed, as is any e with
                                                  L_e in L_p
    d_i = |A_i less i| + |L_p less i| + the sum of |L_e less L_p|      bounds the degree of i

    line of a variable i    E_i, elements[i] of them, then A_i: variables that no element has
    line of an element e    L_e

Variables with the same lines are merged: weight counts them, chain lists them. A negative weight
marks the members of L_p.

References
----------
Amestoy, Davis & Duff, An approximate minimum degree ordering algorithm, SIAM J. Matrix Anal. Appl.
17 (1996). George & Liu, The evolution of the minimum degree ordering algorithm, SIAM Review 31
(1989).
"""

from libc.stdlib cimport calloc, free, malloc

cdef int VARIABLE = 0
cdef int ELEMENT = 1
cdef int GONE = 2


cdef inline void file(Quotient* G, int i) noexcept nogil:
    """Put variable i into the bucket of its degree"""
    cdef int d = G.degree[i]
    G.previous[i] = -1
    G.next[i] = G.bucket[d]
    if G.bucket[d] >= 0:
        G.previous[G.bucket[d]] = i
    G.bucket[d] = i


cdef inline void unfile(Quotient* G, int i) noexcept nogil:
    """Take variable i out of the bucket of its degree"""
    if G.previous[i] >= 0:
        G.next[G.previous[i]] = G.next[i]
    else:
        G.bucket[G.degree[i]] = G.next[i]
    if G.next[i] >= 0:
        G.previous[G.next[i]] = G.previous[i]


cdef inline void absorb(Quotient* G, int e) noexcept nogil:
    """Give up element e"""
    free(G.line[e])
    G.line[e] = NULL
    G.kind[e] = GONE


cdef inline void merge(Quotient* G, int into, int i) noexcept nogil:
    """Variable i goes wherever another does"""
    G.weight[into] += G.weight[i]
    G.weight[i] = 0
    G.kind[i] = GONE
    G.chain[G.last[into]] = i
    G.last[into] = G.last[i]


cdef inline void join(Quotient* G, int i, int* clique, int* size) noexcept nogil:
    """Make variable i a member of the clique, unless it is one"""
    if G.weight[i] > 0:
        clique[size[0]] = i
        size[0] += 1
        unfile(G, i)
        G.weight[i] = -G.weight[i]


cdef int form(Quotient* G, int p) noexcept nogil:
    """Turn variable p into an element; -1: no memory"""
    cdef int t, s, e, size = 0
    cdef Py_ssize_t room = G.size[p] - G.elements[p]
    cdef int* clique
    cdef int* old = G.line[p]
    for t in range(G.elements[p]):
        if G.kind[old[t]] == ELEMENT:
            room += G.size[old[t]]
    clique = <int*>malloc((room + 1) * sizeof(int))
    if clique == NULL:
        return -1
    G.weight[p] = -G.weight[p]
    for t in range(G.elements[p]):
        e = old[t]
        if G.kind[e] == ELEMENT:
            for s in range(G.size[e]):
                join(G, G.line[e][s], clique, &size)
            absorb(G, e)
    for t in range(G.elements[p], G.size[p]):
        join(G, old[t], clique, &size)
    G.line[p] = clique
    G.size[p] = size
    G.kind[p] = ELEMENT
    return 0


cdef void measure(Quotient* G, int p) noexcept nogil:
    """outside[e] - tag = |L_e less L_p| for all elements e next to L_p; degree[p] = |L_p|"""
    cdef int t, s, i, e
    cdef Py_ssize_t columns = 0
    for t in range(G.size[p]):
        i = G.line[p][t]
        columns -= G.weight[i]
        for s in range(G.elements[i]):
            e = G.line[i][s]
            if G.kind[e] == ELEMENT:
                if G.outside[e] < G.tag:
                    G.outside[e] = G.tag + G.degree[e]
                G.outside[e] += G.weight[i]
    G.degree[p] = <int>columns


cdef void shorten(Quotient* G, int p, int i) noexcept nogil:
    """Clear the line of i in L_p, and add p to its elements; bound its degree outside of L_p"""
    cdef int t, e, j, kept = 0
    cdef int* line = G.line[i]
    cdef Py_ssize_t degree = 0, hash = p
    # Where no element makes room for p, p itself does, as a variable: first of all.
    for t in range(G.elements[i], G.size[i]):
        if line[t] == p:
            line[t] = line[G.elements[i]]
            line[G.elements[i]] = p
            break
    for t in range(G.elements[i]):
        e = line[t]
        if G.kind[e] != ELEMENT:
            continue
        if G.outside[e] == G.tag:
            absorb(G, e)
            continue
        degree += G.outside[e] - G.tag
        hash += e
        line[kept] = e
        kept += 1
    t = G.elements[i]
    G.elements[i] = kept + 1
    if t < G.size[i] and line[t] == p:
        t += 1
    # Never beyond what is read next: p took the place of itself or of an element.
    line[kept] = p
    kept += 1
    for t in range(t, G.size[i]):
        j = line[t]
        if G.weight[j] > 0:
            degree += G.weight[j]
            hash += j
            line[kept] = j
            kept += 1
    G.size[i] = kept
    G.degree[i] = <int>min(degree, <Py_ssize_t>G.degree[i])
    G.hash[i] = <int>(hash % G.n)


cdef bint is_same(Quotient* G, int i, int j) noexcept nogil:
    """Whether the lines of i, whose members are marked, and of j have the same members"""
    cdef int t
    if G.size[i] != G.size[j] or G.elements[i] != G.elements[j]:
        return False
    for t in range(G.size[j]):
        if G.mark[G.line[j][t]] != G.stamp:
            return False
    return True


cdef void merge_same(Quotient* G, int p) noexcept nogil:
    """Merge what cannot be told apart in L_p; `head` is empty before and after"""
    cdef int t, s, i, j, following, before
    for t in range(G.size[p]):
        i = G.line[p][t]
        if G.kind[i] == VARIABLE:
            G.next[i] = G.head[G.hash[i]]
            G.head[G.hash[i]] = i
    for t in range(G.size[p]):
        i = G.line[p][t]
        if G.kind[i] != VARIABLE or G.head[G.hash[i]] < 0:
            continue
        i = G.head[G.hash[i]]
        G.head[G.hash[i]] = -1
        while i >= 0 and G.next[i] >= 0:
            G.stamp += 1
            for s in range(G.size[i]):
                G.mark[G.line[i][s]] = G.stamp
            before, j = i, G.next[i]
            while j >= 0:
                following = G.next[j]
                if is_same(G, i, j):
                    merge(G, i, j)
                    G.next[before] = following
                else:
                    before = j
                j = following
            i = G.next[i]


cdef int order(Quotient* G, double budget, int dense, int* permutation,
               double* cost) noexcept nogil:
    """permutation (n,), and cost: entries of the factor, multiplications

    Variables of more neighbours than `dense` are the last. Returns 0; 1 beyond the budget of
    multiplications; -1 without memory.
    """
    cdef int i, p, t, kept, lowest = 0, done = 0, late = 0, place = 0, n = G.n
    cdef double d, w
    for i in range(n):
        if G.degree[i] > dense:
            late += 1
            G.kind[i] = GONE
            G.weight[i] = 0
            G.last[i] = -1
        else:
            file(G, i)
    cost[0] = 0.5 * late * (late + 1.0)
    cost[1] = late / 3.0 * late * late
    while done < n - late:
        while G.bucket[lowest] < 0:
            lowest += 1
        p = G.bucket[lowest]
        unfile(G, p)
        if form(G, p) != 0:
            return -1
        measure(G, p)
        for t in range(G.size[p]):
            i = G.line[p][t]
            shorten(G, p, i)
            if G.size[i] == 1:
                # Nothing but p: it may as well be next.
                G.degree[p] += G.weight[i]
                merge(G, p, i)
        # Above all values of outside.
        G.tag += n + 1
        merge_same(G, p)
        w = -G.weight[p]
        done -= G.weight[p]
        kept = 0
        for t in range(G.size[p]):
            i = G.line[p][t]
            if G.kind[i] == VARIABLE:
                G.weight[i] = -G.weight[i]
                G.degree[i] += G.degree[p] - G.weight[i]
                G.degree[i] = max(0, min(G.degree[i], n - done - G.weight[i]))
                file(G, i)
                lowest = min(lowest, G.degree[i])
                G.line[p][kept] = i
                kept += 1
        G.size[p] = kept
        d = G.degree[p] + late
        cost[0] += w * d + 0.5 * w * (w + 1)
        cost[1] += w * (d * d + d * w + w * w / 3)
        if cost[1] > budget:
            return 1
        i = p
        while i >= 0:
            permutation[place] = i
            place += 1
            i = G.chain[i]
    for i in range(n):
        if G.last[i] < 0:
            permutation[place] = i
            place += 1
    return 0


# ---- Python shim ----

def py_order(const Py_ssize_t[::1] start, int[::1] index, double budget, int dense,
             int[:, ::1] work, long long[::1] outside, int[::1] permutation, double[::1] cost):
    """Order a symmetric pattern without its diagonal; return 0, or 1 beyond the budget.

    Of the pattern both triangles; index and work (13, n + 1) are overwritten, outside (n,) is zero.
    cost (2,): entries of the triangular factor, multiplications.
    """
    cdef Quotient G
    cdef int i, n = <int>permutation.shape[0], info
    if (start.shape[0] != n + 1 or index.shape[0] < start[n] or work.shape[0] != 13
            or work.shape[1] != n + 1 or outside.shape[0] != n or cost.shape[0] != 2):
        raise ValueError("the shapes of the arguments do not fit together")
    if n == 0 or start[n] == 0:
        for i in range(n):
            permutation[i] = i
        cost[0] = cost[1] = n
        return 0
    G.n, G.tag, G.stamp = n, 1, 0
    G.size, G.elements, G.weight = &work[0, 0], &work[1, 0], &work[2, 0]
    G.degree, G.bucket, G.next = &work[3, 0], &work[4, 0], &work[5, 0]
    G.previous, G.kind, G.chain = &work[6, 0], &work[7, 0], &work[8, 0]
    G.last, G.mark, G.hash = &work[9, 0], &work[10, 0], &work[11, 0]
    G.head, G.outside = &work[12, 0], &outside[0]
    G.line = <int**>calloc(n, sizeof(int*))
    if G.line == NULL:
        raise MemoryError("no memory for an ordering")
    with nogil:
        for i in range(n):
            # An empty line is never read.
            G.line[i] = &index[0] + start[i]
            G.size[i] = G.degree[i] = <int>(start[i + 1] - start[i])
            G.weight[i] = 1
            G.elements[i] = G.mark[i] = 0
            G.kind[i] = VARIABLE
            G.bucket[i] = G.head[i] = G.chain[i] = -1
            G.last[i] = i
        G.bucket[n] = -1
        info = order(&G, budget, dense, &permutation[0], &cost[0])
        for i in range(n):
            if G.kind[i] == ELEMENT:
                free(G.line[i])
        free(G.line)
    if info < 0:
        raise MemoryError("no memory for an ordering")
    return info
