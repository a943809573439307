/* Panels of packed rows, and the tiles of X^T Y that are multiplied from them.

   Rows of a matrix are packed into panels of one cache line (LINE bytes) a row, so that all that a
   tile reads lies in the order in which it is read:

        panel 0    row 0   x x x x x x x x        8 columns of double, 16 of float
                   row 1   x x x x x x x x
                   ...
        panel 1    row 0   ...                    `depth` rows later; what is left over is zero

   A tile is 1 to 3 panels high and some columns wide, and stays in the registers while the rows go
   by: 24 accumulators of AVX-512, 8 of AVX2 or SSE2, 16 of NEON. target_clones compiles every tile
   for the widest vectors of the machine; fastsub_vector() says which tiles suit them. */

#ifndef FASTSUB_PACKED_H
#define FASTSUB_PACKED_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__)
#define FASTSUB_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#define FASTSUB_HAS_WIDE 1
#else
#define FASTSUB_CLONES
#define FASTSUB_HAS_WIDE 0
#endif

/* Bytes of a row of a panel; rows of a product's factors that stay in the first cache. */
enum { FASTSUB_LINE = 64, FASTSUB_CHUNK = 192 };

/* Bytes of the vectors of this machine. */
static inline int fastsub_vector(void)
{
#if FASTSUB_HAS_WIDE
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl")
        && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq")
        && __builtin_cpu_supports("avx512cd")) return 64;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return 32;
#endif
    return 16;
}

/* Columns of a tile of short vectors, as registers allow. */
#if defined(__aarch64__)
#define FASTSUB_FEW 4
#else
#define FASTSUB_FEW 2
#endif

/* C := or += X^T Y: X one panel or more, NV vectors of BYTES, Y the first NR columns of a panel.
   Entry (i, j) of lane i%LANES of panel i/LANES stands at C[i/LANES*up + i%LANES + j*right], which
   needs no alignment. */
#define FASTSUB_TILE(NAME, T, BYTES, NV, NR)                                                    \
    FASTSUB_CLONES static void NAME(ptrdiff_t rows, const T *X, ptrdiff_t panel, const T *Y, T *C,\
                                    ptrdiff_t up, ptrdiff_t right, int add)                     \
    {                                                                                           \
        typedef T vec __attribute__((vector_size(BYTES)));                                      \
        typedef T loose __attribute__((vector_size(BYTES), aligned(sizeof(T))));                \
        enum { LANES = FASTSUB_LINE / sizeof(T), V = BYTES / sizeof(T), PER = LANES / V };      \
        vec c[NR][NV], x[NV];                                                                   \
        _Pragma("GCC unroll 8")                                                                 \
        for (int j = 0; j < NR; j++)                                                            \
            _Pragma("GCC unroll 8")                                                             \
            for (int i = 0; i < NV; i++) c[j][i] = (vec){0};                                    \
        for (ptrdiff_t k = 0; k < rows; k++, X += LANES, Y += LANES) {                          \
            _Pragma("GCC unroll 8")                                                             \
            for (int i = 0; i < NV; i++) x[i] = *(const vec *)(X + i / PER * panel + i % PER * V);\
            _Pragma("GCC unroll 8")                                                             \
            for (int j = 0; j < NR; j++) {                                                      \
                const vec y = Y[j] - (vec){0};                                                  \
                _Pragma("GCC unroll 8")                                                         \
                for (int i = 0; i < NV; i++) c[j][i] += x[i] * y;                               \
            }                                                                                   \
        }                                                                                       \
        _Pragma("GCC unroll 8")                                                                 \
        for (int j = 0; j < NR; j++)                                                            \
            _Pragma("GCC unroll 8")                                                             \
            for (int i = 0; i < NV; i++) {                                                      \
                loose *to = (loose *)(C + j * right + i / PER * up + i % PER * V);              \
                *to = add ? *to + c[j][i] : c[j][i];                                            \
            }                                                                                   \
    }

/* The tiles of a type, the panels that they are high and the columns that they are wide.

   gram:    G += P^T P in its upper triangle, P `panels` panels of `rows` rows.
   product: C (rows, panels) := Y X, X (k, panels) packed by its rows, Y (rows, k) packed by its
            columns, C by its rows, in panels of `height` rows. X is upper triangular, or full. */
#define FASTSUB_PACKED(NAME, T)                                                                 \
    FASTSUB_TILE(NAME##_tile1, T, 64, 1, 8)                                                     \
    FASTSUB_TILE(NAME##_tile2, T, 64, 2, 8)                                                     \
    FASTSUB_TILE(NAME##_tile3, T, 64, 3, 8)                                                     \
    FASTSUB_TILE(NAME##_avx2, T, 32, 2, 4)                                                      \
    FASTSUB_TILE(NAME##_short, T, 16, 4, FASTSUB_FEW)                                           \
    typedef void NAME##_tile(ptrdiff_t, const T *, ptrdiff_t, const T *, T *, ptrdiff_t, ptrdiff_t,\
                             int);                                                              \
    static inline NAME##_tile *NAME##_tiles(ptrdiff_t count, ptrdiff_t *high, ptrdiff_t *across)       \
    {                                                                                           \
        NAME##_tile *const wide[] = {NAME##_tile1, NAME##_tile2, NAME##_tile3};                 \
        const int vector = fastsub_vector();                                                    \
        *high = vector < 64 ? 1 : count < 3 ? count : 3;                                        \
        *across = vector == 64 ? 8 : vector == 32 ? 4 : FASTSUB_FEW;                            \
        return vector == 64 ? wide[*high - 1] : vector == 32 ? NAME##_avx2 : NAME##_short;      \
    }                                                                                           \
    static inline void NAME##_gram(ptrdiff_t rows, ptrdiff_t panels, const T *P, ptrdiff_t depth, T *G,\
                            ptrdiff_t ldg)                                                      \
    {                                                                                           \
        const ptrdiff_t lanes = FASTSUB_LINE / (ptrdiff_t)sizeof(T), panel = lanes * depth;     \
        ptrdiff_t step, high, across;                                                           \
        NAME##_tiles(3, &step, &across);                                                        \
        for (ptrdiff_t i = 0; i < panels; i += step)                                            \
            for (ptrdiff_t j = i; j < panels; j++) {                                            \
                NAME##_tile *tile = NAME##_tiles(j - i + 1, &high, &across);                    \
                for (ptrdiff_t h = 0; h < lanes; h += across)                                   \
                    tile(rows, P + i * panel, panel, P + j * panel + h,                         \
                         G + i * lanes + (j * lanes + h) * ldg, lanes, ldg, 1);                 \
            }                                                                                   \
    }                                                                                           \
    static inline void NAME##_product(ptrdiff_t rows, ptrdiff_t k, ptrdiff_t panels, const T *X,       \
                               int is_upper, const T *Y, T *C, ptrdiff_t height)                \
    {                                                                                           \
        const ptrdiff_t lanes = FASTSUB_LINE / (ptrdiff_t)sizeof(T);                            \
        ptrdiff_t high, across, last;                                                           \
        for (ptrdiff_t first = 0; first < k; first += FASTSUB_CHUNK)                            \
            for (ptrdiff_t i = 0; i < panels; i += high) {                                      \
                NAME##_tile *tile = NAME##_tiles(panels - i, &high, &across);                   \
                last = is_upper && (i + high) * lanes < k ? (i + high) * lanes : k;             \
                if (last > first + FASTSUB_CHUNK) last = first + FASTSUB_CHUNK;                 \
                if (last <= first) continue;                                                    \
                for (ptrdiff_t j = 0; j < rows; j += across)                                    \
                    tile(last - first, X + (i * k + first) * lanes, k * lanes,                  \
                         Y + (j / lanes * k + first) * lanes + j % lanes,                       \
                         C + (i * height + j) * lanes, height * lanes, lanes, first > 0);       \
            }                                                                                   \
    }

FASTSUB_PACKED(fastsub_f32, float)
FASTSUB_PACKED(fastsub_f64, double)

/* Entries as they are moved: nobody calculates with them here. */
typedef uint32_t __attribute__((may_alias)) fastsub_unit4;
typedef uint64_t __attribute__((may_alias, aligned(4))) fastsub_unit8;
typedef uint64_t __attribute__((vector_size(16), may_alias, aligned(8))) fastsub_unit16;

/* N rows of N numbers, transposed: lg N times rows i and i + N/2 are merged like two halves of a
   pack of cards. */
#define FASTSUB_TRANSPOSE(NAME, T, N, STAGES, LOW, HIGH)                                        \
    FASTSUB_CLONES static void NAME(const void *from, ptrdiff_t stride, void *to)               \
    {                                                                                           \
        typedef T vec __attribute__((vector_size(N * sizeof(T)), may_alias));                   \
        typedef T loose __attribute__((vector_size(N * sizeof(T)), may_alias, aligned(4)));     \
        vec a[N], b[N];                                                                         \
        _Pragma("GCC unroll 16")                                                                \
        for (int i = 0; i < N; i++) a[i] = *(const loose *)((const char *)from + i * stride);   \
        _Pragma("GCC unroll 4")                                                                 \
        for (int s = 0; s < STAGES; s++) {                                                      \
            _Pragma("GCC unroll 8")                                                             \
            for (int i = 0; i < N / 2; i++) {                                                   \
                b[2 * i] = __builtin_shuffle(a[i], a[i + N / 2], (vec)LOW);                     \
                b[2 * i + 1] = __builtin_shuffle(a[i], a[i + N / 2], (vec)HIGH);                \
            }                                                                                   \
            _Pragma("GCC unroll 16")                                                            \
            for (int i = 0; i < N; i++) a[i] = b[i];                                            \
        }                                                                                       \
        _Pragma("GCC unroll 16")                                                                \
        for (int i = 0; i < N; i++) ((vec *)to)[i] = a[i];                                      \
    }
#define FASTSUB_LIST(...) {__VA_ARGS__}
FASTSUB_TRANSPOSE(fastsub_transpose8, int64_t, 8, 3, FASTSUB_LIST(0, 8, 1, 9, 2, 10, 3, 11),
                  FASTSUB_LIST(4, 12, 5, 13, 6, 14, 7, 15))
FASTSUB_TRANSPOSE(fastsub_transpose4, int32_t, 16, 4,
                  FASTSUB_LIST(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23),
                  FASTSUB_LIST(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31))

/* Columns first, first + 1, ... of the panels := A (rows, n), entry (i, j) at A[i*row + j*col]. Where
   rows are contiguous they are read one after the other, else a panel of columns is. */
#define FASTSUB_PACK(NAME, UNIT, TRANSPOSE)                                                     \
    static inline void NAME(ptrdiff_t rows, ptrdiff_t n, const void *A, ptrdiff_t row, ptrdiff_t col,  \
                     ptrdiff_t first, void *P, ptrdiff_t depth)                                 \
    {                                                                                           \
        enum { WIDTH = FASTSUB_LINE / sizeof(UNIT) };                                           \
        const UNIT *a = A;                                                                      \
        ptrdiff_t whole = 0;                                                                    \
        if (col == 1 && first == 0)                                                             \
            for (ptrdiff_t i = 0; i < rows; i++) {                                              \
                UNIT *p = (UNIT *)P + i * WIDTH;                                                \
                for (whole = 0; whole + WIDTH <= n; whole += WIDTH, p += WIDTH * depth)         \
                    memcpy(p, a + i * row + whole, FASTSUB_LINE);                               \
            }                                                                                   \
        for (ptrdiff_t j = whole, count; j < n; j += count) {                                   \
            const ptrdiff_t lane = (first + j) % WIDTH;                                         \
            UNIT *p = (UNIT *)P + (first + j) / WIDTH * WIDTH * depth + lane;                   \
            ptrdiff_t i = 0;                                                                    \
            count = n - j < WIDTH - lane ? n - j : WIDTH - lane;                                \
            if (count == WIDTH && row == 1 && TRANSPOSE)                                        \
                for (; i + WIDTH <= rows; i += WIDTH)                                           \
                    FASTSUB_TRANSPOSER(UNIT)(a + i + j * col, col * (ptrdiff_t)sizeof(UNIT),    \
                                             p + i * WIDTH);                                    \
            for (; i < rows; i++)                                                               \
                for (ptrdiff_t l = 0; l < count; l++)                                           \
                    p[i * WIDTH + l] = a[i * row + (j + l) * col];                              \
        }                                                                                       \
    }
#define FASTSUB_TRANSPOSER(UNIT) (sizeof(UNIT) == 8 ? fastsub_transpose8 : fastsub_transpose4)
FASTSUB_PACK(fastsub_pack4, fastsub_unit4, fastsub_vector() == 64)
FASTSUB_PACK(fastsub_pack8, fastsub_unit8, fastsub_vector() == 64)
FASTSUB_PACK(fastsub_pack16, fastsub_unit16, 0)

/* Panels whose columns are rows of A (rows, n), of `parts` numbers an entry, (i, k) at
   A[parts*(i*row + k*col)]: part s of column k goes to row parts*place[k] + s of every panel. */
#define FASTSUB_SPREAD(NAME, T, TRANSPOSER)                                                     \
    static inline void NAME(ptrdiff_t rows, ptrdiff_t n, ptrdiff_t parts, const T *A, ptrdiff_t row,   \
                     ptrdiff_t col, const int *place, T *P, ptrdiff_t depth)                    \
    {                                                                                           \
        enum { LANES = FASTSUB_LINE / sizeof(T) };                                              \
        const int transposes = parts == 1 && col == 1 && fastsub_vector() == 64;                \
        T square[LANES * LANES] __attribute__((aligned(64)));                                   \
        for (ptrdiff_t i = 0; i < rows; i += LANES, A += parts * LANES * row, P += LANES * depth) {\
            const ptrdiff_t count = rows - i < LANES ? rows - i : LANES;                        \
            ptrdiff_t k = 0;                                                                    \
            if (count == LANES && transposes)                                                   \
                for (; k + LANES <= n; k += LANES) {                                            \
                    TRANSPOSER(A + k, row * (ptrdiff_t)sizeof(T), square);                      \
                    for (int u = 0; u < LANES; u++)                                             \
                        memcpy(P + place[k + u] * LANES, square + u * LANES, FASTSUB_LINE);     \
                }                                                                               \
            if (count == LANES && parts == 1 && row == 1)                                       \
                for (; k < n; k++) memcpy(P + place[k] * LANES, A + k * col, FASTSUB_LINE);     \
            for (; k < n; k++)                                                                  \
                for (ptrdiff_t s = 0; s < parts; s++)                                           \
                    for (ptrdiff_t l = 0; l < count; l++)                                       \
                        P[(parts * place[k] + s) * LANES + l] = A[parts * (l * row + k * col) + s];\
        }                                                                                       \
    }
FASTSUB_SPREAD(fastsub_spread_f32, float, fastsub_transpose4)
FASTSUB_SPREAD(fastsub_spread_f64, double, fastsub_transpose8)

/* A (rows, bytes a row) := what panels of `depth` rows hold. */
static inline void fastsub_unpack(ptrdiff_t rows, ptrdiff_t bytes, const void *P, ptrdiff_t depth,
                                  void *A)
{
    char *a = A;
    for (ptrdiff_t i = 0; i < rows; i++, a += bytes) {
        const char *p = (const char *)P + i * FASTSUB_LINE;
        ptrdiff_t j = 0;
        for (; j + FASTSUB_LINE <= bytes; j += FASTSUB_LINE, p += depth * FASTSUB_LINE)
            memcpy(a + j, p, FASTSUB_LINE);
        if (j < bytes) memcpy(a + j, p, (size_t)(bytes - j));
    }
}

#endif
