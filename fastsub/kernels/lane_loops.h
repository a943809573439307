/* The functions of lanes.h for one dtype; T, BITS, CPLX (0 or 1), NAME,
   ZIP_LOW and ZIP_HIGH are the includer's. */

#include "lane_memory.h"
#include "lane_qr.h"
#include "lane_proof.h"
#include "lane_solve.h"

static const fastsub_lanes NAME(table) = {
    64 / sizeof(T), 64 * P,
    NAME(load),  NAME(store), NAME(sumsq), NAME(factor),   NAME(reduce),  NAME(triangle), NAME(unit),
    NAME(apply), NAME(scale), NAME(solve), NAME(subtract), NAME(adjoint), NAME(augment),
};

#undef P
#undef WHERE
#undef ABS
#undef MAX
#undef MIN
#undef SIZE
#undef DOUBT
#undef LANES
#undef VEC
#undef MASK
#undef BLOCK
#undef INDICES
#undef Q
#undef ZIP_LOW
#undef ZIP_HIGH
#undef T
#undef BITS
#undef CPLX
#undef NAME
