include(boards/mpconfigboard_esp32s3_common.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/../common/sealed.cmake)
