include("../common/manifest.py", architecture="rv32imc", application=options.application)
