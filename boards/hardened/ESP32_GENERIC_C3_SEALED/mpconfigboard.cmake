include(boards/mpconfigboard_esp32c3_common.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/../common/sealed.cmake)
