// A closed board's MP_CONFIGFILE, which stands for mpconfigport.h: that defines these whatever the board says.

#include "mpconfigport.h"

// Nothing can be put in the place of the REPL's serial port, WebREPL included.
#undef MICROPY_PY_OS_DUPTERM
#define MICROPY_PY_OS_DUPTERM (0)
#undef MICROPY_PY_OS_DUPTERM_NOTIFY
#define MICROPY_PY_OS_DUPTERM_NOTIFY (0)
