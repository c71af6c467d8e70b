include(boards/mpconfigboard_esp32_common.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/../common/sealed.cmake)
