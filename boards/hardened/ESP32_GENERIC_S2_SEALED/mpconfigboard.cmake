include(boards/mpconfigboard_esp32s2_common.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/../common/sealed.cmake)
