include("../common/manifest.py", architecture="xtensawin", application=options.application)
