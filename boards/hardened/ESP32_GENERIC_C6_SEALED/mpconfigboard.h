#include "boards/ESP32_GENERIC_C6/mpconfigboard.h"
#include "../common/mpconfigboard_sealed.h"
