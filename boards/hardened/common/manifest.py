"""What is frozen into every hardened board; a board's manifest includes this with its `architecture`.

Another application than `firmware/main.py` is a folder with a `main.py`, whole. A manifest of one's own names it, and
adds what it needs of micropython-lib:

    include("$(BOARD_DIR)/manifest.py", application="/path/of/the/folder")
    require("umqtt.simple")
"""

import os
import sys

_FIRMWARE = os.path.abspath("../../../firmware")  # a manifest is run in its own folder

sys.path.insert(0, _FIRMWARE)
from frozen import write

# What mounts the filesystem. Of what else stock boards freeze, WebREPL among it, nothing is needed.
freeze("$(PORT_DIR)/modules", ("_boot.py", "flashbdev.py", "inisetup.py"))

freeze("modules", "boot.py")
package("tinyseal", base_path=str(write(options.architecture)), opt=3)
if options.application:
    freeze(options.application)
else:
    freeze(_FIRMWARE, "main.py")
    package("app", base_path=_FIRMWARE)
