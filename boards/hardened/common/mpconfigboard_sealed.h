// What differs from MicroPython's own board, which is included before this: its name and its pins stay.

#undef MICROPY_PY_BLUETOOTH
#define MICROPY_PY_BLUETOOTH (0)

#if !TINYSEAL_OPEN

// All four, for each is on by itself when the others are off.
#undef MICROPY_HW_ENABLE_UART_REPL
#define MICROPY_HW_ENABLE_UART_REPL (0)
#undef MICROPY_HW_ENABLE_USBDEV
#define MICROPY_HW_ENABLE_USBDEV (0)
#undef MICROPY_HW_USB_CDC
#define MICROPY_HW_USB_CDC (0)
#undef MICROPY_HW_ESP_USB_SERIAL_JTAG
#define MICROPY_HW_ESP_USB_SERIAL_JTAG (0)

#endif
