#include "boards/ESP32_GENERIC/mpconfigboard.h"
#include "../common/mpconfigboard_sealed.h"
