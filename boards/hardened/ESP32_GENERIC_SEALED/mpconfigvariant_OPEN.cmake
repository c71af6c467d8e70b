# The variant in which a board is provisioned: the REPL on, and flash encryption, which this chip cannot do without, in the
# mode that leaves the download mode open.
list(APPEND SDKCONFIG_DEFAULTS ${MICROPY_BOARD_DIR}/sdkconfig.open)
