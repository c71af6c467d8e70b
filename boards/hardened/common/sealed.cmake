# What every hardened board has. A board's mpconfigboard.cmake includes the common file of its chip first, which is
# MicroPython's and sets IDF_TARGET and SDKCONFIG_DEFAULTS. Of two settings of an option the later one counts.

if(IDF_TARGET STREQUAL "esp32c2")
    message(FATAL_ERROR "tinyseal: the ESP32-C2 has no AES engine and no HMAC peripheral, wanted another chip")
endif()

list(APPEND SDKCONFIG_DEFAULTS ${CMAKE_CURRENT_LIST_DIR}/sdkconfig.sealed)
if(NOT IDF_TARGET STREQUAL "esp32")
    list(APPEND SDKCONFIG_DEFAULTS ${CMAKE_CURRENT_LIST_DIR}/sdkconfig.hmac)
endif()

# Closed unless somebody asks for the variant OPEN, in which a board is provisioned.
if(MICROPY_BOARD_VARIANT STREQUAL "OPEN")
    list(APPEND MICROPY_DEF_BOARD TINYSEAL_OPEN=1)
else()
    list(APPEND SDKCONFIG_DEFAULTS ${CMAKE_CURRENT_LIST_DIR}/sdkconfig.closed)
    if(IDF_TARGET MATCHES "^esp32(s3|c3|c6)$")
        list(APPEND SDKCONFIG_DEFAULTS ${CMAKE_CURRENT_LIST_DIR}/sdkconfig.closed_usb)
    endif()
    list(APPEND MICROPY_DEF_BOARD MP_CONFIGFILE=\"${CMAKE_CURRENT_LIST_DIR}/mpconfigport_closed.h\")
endif()

list(APPEND SDKCONFIG_DEFAULTS ${MICROPY_BOARD_DIR}/sdkconfig.board)

# What only this machine knows: paths. A relative one would be taken from MicroPython's ports/esp32.
set(TINYSEAL_SDKCONFIG ${CMAKE_BINARY_DIR}/sdkconfig.tinyseal)
file(WRITE ${TINYSEAL_SDKCONFIG} "CONFIG_PARTITION_TABLE_CUSTOM_FILENAME=\"${CMAKE_CURRENT_LIST_DIR}/partitions.csv\"\n")
if(DEFINED ENV{TINYSEAL_SIGNING_KEY} AND NOT MICROPY_BOARD_VARIANT STREQUAL "OPEN")
    file(APPEND ${TINYSEAL_SDKCONFIG} "CONFIG_SECURE_BOOT_BUILD_SIGNED_BINARIES=y\n")
    file(APPEND ${TINYSEAL_SDKCONFIG} "CONFIG_SECURE_BOOT_SIGNING_KEY=\"$ENV{TINYSEAL_SIGNING_KEY}\"\n")
endif()
list(APPEND SDKCONFIG_DEFAULTS ${TINYSEAL_SDKCONFIG})

set(MICROPY_FROZEN_MANIFEST ${MICROPY_BOARD_DIR}/manifest.py)
