"""Sparse elimination with threshold rook pivoting, cheapest pivots first; what is left is the core.

    P A Q + E = ( L11  0 ) ( U11  U12 )      pivots u_kk with |u_kk| >= threshold * the largest
                ( L21  I ) (  0    C  )      of what is left of their row, and of their column

Of the shortest lines the entry with the smallest (row count - 1)(column count - 1) that passes is
taken. Every entry is a node, in the list of its row and in that of its column, found through a hash
table: a step costs its updates and no more, however long the lines are. Nodes stay where they are:
of an eliminated column the list holds L, of an eliminated row U.

    nodes (6, capacity)   row | column | left | right | up | down        links, -1 at the ends
    lines (6, count)      head | count | next | previous | filed | step  for rows, and for columns

The rounding of every update is measured (two-sum), its squares added up by rows: E is known. What
a cancellation leaves is dropped, and added up by rows and by columns.

References
----------
Markowitz, The elimination form of the inverse, Management Science 3 (1957). Zlatev, On some pivotal
strategies in Gaussian elimination by sparse technique, SIAM J. Numer. Anal. 17 (1980). Gill, Murray
& Saunders, SNOPT, SIAM Review 47 (2005), section 5.3: threshold rook pivoting reveals rank.
Knuth, The Art of Computer Programming 1 (1997), section 2.2.6: lists of both ways.
"""

from libc.math cimport INFINITY, fabs, sqrt
from libc.stdint cimport uint64_t

from fastsub.kernels.blas cimport complex64, complex128, scalar
from fastsub.kernels.scalars cimport abs2, eps

# Lines that are searched before the best entry so far is taken (Zlatev 1980 has 3).
cdef int SEARCHED = 4
# An update that leaves at most this times u of its terms is a cancellation: nothing is left.
cdef double DROP = 8.0
# Steps between two looks at the signals.
cdef Py_ssize_t STEPS = 4096
# Up to so many lines even a dense core is eliminated here.
cdef Py_ssize_t SMALL = 16
# The link of a node that is in no list.
cdef int DEAD = -2


# ---- entries ----

cdef inline int find(const Graph* G, int i, int j, Py_ssize_t* slot) noexcept nogil:
    """The node of entry (i, j), in a list or not; or -1, and the slot for it"""
    cdef uint64_t key = <uint64_t>i * 0x9E3779B97F4A7C15ULL
    key ^= <uint64_t>j * 0xC2B2AE3D27D4EB4FULL
    key ^= key >> 32
    key *= 0xD6E8FEB86659FD93ULL
    cdef Py_ssize_t s = <Py_ssize_t>((key ^ (key >> 29)) & <uint64_t>G.mask)
    cdef int e = G.table[s]
    while e >= 0 and not (G.row[e] == i and G.col[e] == j):
        s = (s + 1) & G.mask
        e = G.table[s]
    slot[0] = s
    return e


cdef inline void insert(Lines* lines, int k, int* before, int* after, int e) noexcept nogil:
    """Put node e at the head of line k"""
    cdef int first = lines.head[k]
    before[e] = -1
    after[e] = first
    if first >= 0:
        before[first] = e
    lines.head[k] = e
    lines.count[k] += 1


cdef inline void remove(Lines* lines, int k, int* before, int* after, int e) noexcept nogil:
    """Take node e out of line k"""
    if before[e] >= 0:
        after[before[e]] = after[e]
    else:
        lines.head[k] = after[e]
    if after[e] >= 0:
        before[after[e]] = before[e]
    lines.count[k] -= 1


cdef inline double rounding(scalar c, scalar t, scalar s) noexcept nogil:
    """|c - t - s|^2 for s = fl(c - t), exactly but for its own rounding (Knuth 1969: two-sum)"""
    cdef double x, y, z, back, total
    cdef int _part
    if scalar is complex64 or scalar is complex128:
        x, y, z = c.real, -t.real, s.real
        back = z - x
        total = (x - (z - back)) + (y - back)
        total *= total
        x, y, z = c.imag, -t.imag, s.imag
        back = z - x
        back = (x - (z - back)) + (y - back)
        return total + back * back
    else:
        x, y, z = c, -t, s
        back = z - x
        total = (x - (z - back)) + (y - back)
        return total * total


# ---- lines by their number of entries ----

cdef inline void unfile(Lines* lines, int k) noexcept nogil:
    """Take line k out of its bucket, if it is in one"""
    if lines.filed[k] == 0:
        return
    if lines.prev[k] >= 0:
        lines.next[lines.prev[k]] = lines.next[k]
    else:
        lines.bucket[lines.filed[k]] = lines.next[k]
    if lines.next[k] >= 0:
        lines.prev[lines.next[k]] = lines.prev[k]
    lines.filed[k] = 0


cdef inline void refile(Lines* lines, int k) noexcept nogil:
    """Put line k into the bucket of its count"""
    cdef int count = lines.count[k]
    unfile(lines, k)
    if count == 0:
        return
    lines.filed[k] = count
    lines.prev[k] = -1
    lines.next[k] = lines.bucket[count]
    if lines.bucket[count] >= 0:
        lines.prev[lines.bucket[count]] = k
    lines.bucket[count] = k


cdef inline double magnitude(const scalar* value, int e) noexcept nogil:
    if scalar is float or scalar is double:
        return fabs(<double>value[e])
    else:
        return sqrt(abs2(value[e]))


cdef inline bint is_large(Lines* lines, int k, const int* after, const scalar* value,
                          double size, double threshold) noexcept nogil:
    """Whether size >= threshold * the largest of line k: that is known, bounded (< 0) or scanned"""
    cdef double largest = fabs(lines.largest[k])
    cdef int e
    if size >= threshold * largest:
        return True
    if lines.largest[k] >= 0:
        return False
    largest = 0
    e = lines.head[k]
    while e >= 0:
        largest = max(largest, magnitude(value, e))
        e = after[e]
    lines.largest[k] = largest
    return size >= threshold * largest


cdef int best_of_line(Lines* lines, int k, const int* after, Lines* others, const int* other,
                      const int* after_other, const scalar* value, double threshold, double cut,
                      double* lowest, bint* passes) noexcept nogil:
    """The cheapest entry of line k that may be a pivot, if its cost is below lowest, else -1

    passes: whether any may be. The cheapest is tried first: long lines are rarely looked at.
    """
    cdef int e, round, cheapest = -1, best = -1
    cdef double size, cost, least = INFINITY
    passes[0] = False
    for round in range(2):
        e = lines.head[k]
        while e >= 0:
            size = magnitude(value, e)
            if size > cut and is_large(lines, k, after, value, size, threshold):
                cost = <double>(others.count[other[e]] - 1) * (lines.count[k] - 1)
                if round == 0:
                    if cost < least:
                        least = cost
                        cheapest = e
                elif cost < lowest[0] or not passes[0]:
                    if is_large(others, other[e], after_other, value, size, threshold):
                        passes[0] = True
                        if cost < lowest[0]:
                            lowest[0] = cost
                            best = e
            e = after[e]
        if cheapest < 0:
            return -1
        if round == 0:
            size = magnitude(value, cheapest)
            if is_large(others, other[cheapest], after_other, value, size, threshold):
                passes[0] = True
                if least < lowest[0]:
                    lowest[0] = least
                    return cheapest
                return -1
    return best


cdef int find_pivot(Graph* G, const scalar* value, double threshold, double cut) noexcept nogil:
    """The cheapest pivot of the first lines that have one; -1 if there is none

    A line without one is put aside until an update changes it.
    """
    cdef int count, k, following, e, best = -1, searched = 0
    cdef double lowest = INFINITY
    cdef bint passes
    for count in range(1, <int>max(G.m, G.n) + 1):
        if best >= 0 and lowest <= <double>(count - 1) * (count - 1):
            return best
        k = G.cols.bucket[count] if count <= G.m else -1
        while k >= 0:
            following = G.cols.next[k]
            passes = False
            if not G.frozen[G.block[G.row[G.cols.head[k]]]]:
                e = best_of_line(&G.cols, k, G.down, &G.rows, G.row, G.right, value, threshold,
                                 cut, &lowest, &passes)
                if e >= 0:
                    best = e
            if not passes:
                unfile(&G.cols, k)
            searched += passes
            if best >= 0 and searched >= SEARCHED:
                return best
            k = following
        if best >= 0 and lowest <= <double>(count - 1) * count:
            return best
        k = G.rows.bucket[count] if count <= G.n else -1
        while k >= 0:
            following = G.rows.next[k]
            passes = False
            if not G.frozen[G.block[k]]:
                e = best_of_line(&G.rows, k, G.right, &G.cols, G.col, G.down, value, threshold,
                                 cut, &lowest, &passes)
                if e >= 0:
                    best = e
            if not passes:
                unfile(&G.rows, k)
            searched += passes
            if best >= 0 and searched >= SEARCHED:
                return best
            k = following
    return best


# ---- elimination ----

cdef inline void update(Graph* G, scalar* value, int i, int c, scalar factor, scalar u, bint exact,
                        double unit) noexcept nogil:
    """a_ic -= factor u; an entry that is not there is zero"""
    cdef Py_ssize_t slot
    cdef scalar t = factor * u, old, new
    cdef int e = find(G, i, c, &slot)
    cdef double size = abs2(t), square
    if not exact:
        G.squares[i] += unit * unit * size
    if e >= 0 and G.up[e] != DEAD:
        old = value[e]
        new = old - t
        square = abs2(new)
        if square <= DROP * DROP * unit * unit * max(abs2(old), size):
            remove(&G.rows, i, G.left, G.right, e)
            remove(&G.cols, c, G.up, G.down, e)
            G.up[e] = DEAD
            G.entries[G.block[i]] -= 1
            G.rows.dropped[i] += sqrt(square)
            G.cols.dropped[c] += sqrt(square)
            return
        G.squares[i] += rounding(old, t, new)
    else:
        if e < 0:
            e = <int>G.used
            G.used += 1
            G.row[e] = i
            G.col[e] = c
            G.table[slot] = e
        new = -t
        insert(&G.rows, i, G.left, G.right, e)
        insert(&G.cols, c, G.up, G.down, e)
        G.entries[G.block[i]] += 1
    value[e] = new
    # Bounds now: what was the largest may be so no more.
    size = magnitude(value, e)
    G.rows.largest[i] = -max(size, fabs(G.rows.largest[i]))
    G.cols.largest[c] = -max(size, fabs(G.cols.largest[c]))


cdef void step(Graph* G, scalar* value, int d) noexcept nogil:
    """Eliminate with node d as the pivot; there is room for what fills in"""
    cdef int p = G.row[d], q = G.col[d], b = G.block[G.row[d]], e, f, i, c
    cdef scalar pivot = value[d], factor, one = 1
    cdef double unit = eps(value) / 2
    cdef bint unity = pivot == one or pivot == -one, exact
    if scalar is complex64 or scalar is complex128:
        # Of a product: Brent, Percival & Zimmermann 2007, theorem 1.
        unit = 2.24 * unit
    unfile(&G.rows, p)
    unfile(&G.cols, q)
    G.entries[b] -= G.rows.count[p] + G.cols.count[q] - 1
    # The row of the pivot leaves the columns, its column the rows.
    e = G.rows.head[p]
    while e >= 0:
        if e != d:
            remove(&G.cols, G.col[e], G.up, G.down, e)
            G.cols.largest[G.col[e]] = -fabs(G.cols.largest[G.col[e]])
        e = G.right[e]
    e = G.cols.head[q]
    while e >= 0:
        if e != d:
            i = G.row[e]
            factor = value[e] if unity else value[e] / pivot
            if unity and pivot != one:
                factor = -factor
            if not unity:
                # |a - f p| <= u |a|; a quotient of complex numbers has a few u.
                G.squares[i] += 16 * unit * unit * abs2(value[e])
            value[e] = factor
            remove(&G.rows, i, G.left, G.right, e)
            G.rows.largest[i] = -fabs(G.rows.largest[i])
            exact = factor == one or factor == -one
            f = G.rows.head[p]
            while f >= 0:
                if f != d:
                    update(G, value, i, G.col[f], factor, value[f], exact, unit)
                f = G.right[f]
            refile(&G.rows, i)
            if G.rows.count[i] == 0:
                G.height[b] -= 1
        e = G.down[e]
    e = G.rows.head[p]
    while e >= 0:
        c = G.col[e]
        if e != d:
            refile(&G.cols, c)
            if G.cols.count[c] == 0:
                G.width[b] -= 1
        e = G.right[e]
    G.height[b] -= 1
    G.width[b] -= 1
    G.rows.step[p] = <int>G.steps
    G.cols.step[q] = <int>G.steps
    G.steps += 1


cdef int eliminate(Graph* G, scalar* value, double threshold, double cut,
                   double density) noexcept nogil:
    """Eliminate until no pivot is left (0), there is no room for the next step (1), or a while (2)

    Pivots are larger than cut. A block of the matrix of which that share is nonzero is frozen.
    """
    cdef int d, b
    cdef Py_ssize_t fill, last = G.steps + STEPS
    while G.steps < last:
        d = find_pivot(G, value, threshold, cut)
        if d < 0:
            return 0
        b = G.block[G.row[d]]
        if (min(G.height[b], G.width[b]) > SMALL
                and G.entries[b] > density * G.height[b] * G.width[b]):
            G.frozen[b] = 1
            continue
        fill = <Py_ssize_t>(G.rows.count[G.row[d]] - 1) * (G.cols.count[G.col[d]] - 1)
        if G.used + fill > G.capacity:
            return 1
        step(G, value, d)
    return 2


cdef void rehash(Graph* G) noexcept nogil:
    """Fill the empty table (mask + 1,) with the nodes"""
    cdef Py_ssize_t slot
    cdef int e
    for e in range(<int>G.used):
        find(G, G.row[e], G.col[e], &slot)
        G.table[slot] = e


cdef void load(Graph* G, const Py_ssize_t* start, const int* index) noexcept nogil:
    """Make nodes of the entries of compressed rows, none of them zero"""
    cdef Py_ssize_t i, e
    cdef int k
    for i in range(G.m):
        for e in range(start[i], start[i + 1]):
            G.row[e] = <int>i
            G.col[e] = index[e]
            insert(&G.rows, <int>i, G.left, G.right, <int>e)
            insert(&G.cols, index[e], G.up, G.down, <int>e)
            # Unknown, and larger than all.
            G.rows.largest[i] = -INFINITY
            G.cols.largest[index[e]] = -INFINITY
        k = G.block[i]
        G.entries[k] += start[i + 1] - start[i]
        G.height[k] += start[i + 1] > start[i]
    for k in range(<int>G.n):
        if G.cols.count[k]:
            G.width[G.block[G.row[G.cols.head[k]]]] += 1
        refile(&G.cols, k)
    for k in range(<int>G.m):
        refile(&G.rows, k)
    G.used = start[G.m]


# ---- Python shims ----

cdef void take_lines(Lines* lines, int[:, ::1] array, int[::1] bucket, double[:, ::1] size):
    cdef int* base = &array[0, 0]
    cdef Py_ssize_t count = array.shape[1]
    lines.head = base
    lines.count = base + count
    lines.next = base + 2 * count
    lines.prev = base + 3 * count
    lines.filed = base + 4 * count
    lines.step = base + 5 * count
    lines.bucket = &bucket[0]
    lines.largest = &size[0, 0]
    lines.dropped = &size[0, 0] + count


cdef Graph take(int[:, ::1] nodes, int[::1] table, int[:, ::1] rows, int[:, ::1] cols,
                int[::1] row_buckets, int[::1] col_buckets, double[:, ::1] row_sizes,
                double[:, ::1] col_sizes, const int[::1] block, Py_ssize_t[:, ::1] blocks,
                unsigned char[::1] frozen, Py_ssize_t[::1] state) except *:
    cdef Graph G
    cdef Py_ssize_t m = rows.shape[1], n = cols.shape[1], count = blocks.shape[1]
    if (rows.shape[0] != 6 or cols.shape[0] != 6 or nodes.shape[0] != 6 or not m or not n
            or row_buckets.shape[0] <= n or col_buckets.shape[0] <= m or row_sizes.shape[0] != 3
            or row_sizes.shape[1] != m or col_sizes.shape[0] != 2 or col_sizes.shape[1] != n
            or block.shape[0] != m or blocks.shape[0] != 3 or frozen.shape[0] != count
            or state.shape[0] != 2 or table.shape[0] <= nodes.shape[1]
            or table.shape[0] & (table.shape[0] - 1)):
        raise ValueError("the shapes of the arguments do not fit together")
    take_lines(&G.rows, rows, row_buckets, row_sizes)
    take_lines(&G.cols, cols, col_buckets, col_sizes)
    G.squares = &row_sizes[2, 0]
    G.m, G.n, G.capacity = m, n, nodes.shape[1]
    G.row = &nodes[0, 0]
    G.col = G.row + G.capacity
    G.left = G.row + 2 * G.capacity
    G.right = G.row + 3 * G.capacity
    G.up = G.row + 4 * G.capacity
    G.down = G.row + 5 * G.capacity
    G.table, G.mask = &table[0], table.shape[0] - 1
    G.block, G.entries = &block[0], &blocks[0, 0]
    G.height, G.width = G.entries + count, G.entries + 2 * count
    G.frozen = &frozen[0]
    G.used, G.steps = state[0], state[1]
    return G


def py_load(const Py_ssize_t[::1] start, const int[::1] index, int[:, ::1] nodes,
            int[::1] table, int[:, ::1] rows, int[:, ::1] cols, int[::1] row_buckets,
            int[::1] col_buckets, double[:, ::1] row_sizes, double[:, ::1] col_sizes,
            const int[::1] block, Py_ssize_t[:, ::1] blocks, unsigned char[::1] frozen,
            Py_ssize_t[::1] state):
    """Make nodes of compressed rows; `block` labels the connected blocks by rows."""
    cdef Graph G = take(nodes, table, rows, cols, row_buckets, col_buckets, row_sizes, col_sizes,
                        block, blocks, frozen, state)
    if start.shape[0] != G.m + 1 or index.shape[0] < start[G.m] or G.capacity < start[G.m]:
        raise ValueError("the shapes of the arguments do not fit together")
    if start[G.m] == 0:
        return
    with nogil:
        load(&G, &start[0], &index[0])
        rehash(&G)
    state[0] = G.used


def py_rehash(int[:, ::1] nodes, int[::1] table, int[:, ::1] rows, int[:, ::1] cols,
              int[::1] row_buckets, int[::1] col_buckets, double[:, ::1] row_sizes,
              double[:, ::1] col_sizes, const int[::1] block, Py_ssize_t[:, ::1] blocks,
              unsigned char[::1] frozen, Py_ssize_t[::1] state):
    """Fill a new, empty table."""
    cdef Graph G = take(nodes, table, rows, cols, row_buckets, col_buckets, row_sizes, col_sizes,
                        block, blocks, frozen, state)
    with nogil:
        rehash(&G)


def py_eliminate(scalar[::1] value, double threshold, double cut, double density,
                 int[:, ::1] nodes, int[::1] table, int[:, ::1] rows, int[:, ::1] cols,
                 int[::1] row_buckets, int[::1] col_buckets, double[:, ::1] row_sizes,
                 double[:, ::1] col_sizes, const int[::1] block, Py_ssize_t[:, ::1] blocks,
                 unsigned char[::1] frozen, Py_ssize_t[::1] state):
    """Eliminate; return 0 at the end, 1 where arrays must grow first, 2 in between."""
    cdef int info
    cdef Graph G = take(nodes, table, rows, cols, row_buckets, col_buckets, row_sizes, col_sizes,
                        block, blocks, frozen, state)
    if value.shape[0] != G.capacity:
        raise ValueError("the shapes of the arguments do not fit together")
    with nogil:
        info = eliminate(&G, &value[0], threshold, cut, density)
    state[0], state[1] = G.used, G.steps
    return info
