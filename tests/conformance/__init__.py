"""Whether host and board compute TensorFlow Lite Micro's bytes: `python -m conformance`, in stages.

* models: every file in the folder that TINYSEAL_MODELS names, or the example;
* operators: random files of one operator, every operator that is supported;
* graphs: random networks, chains and branches;
* boundaries: multipliers, shifts and sums where rounding turns;
* machine-code: some of all these by the code for RV32 and Xtensa, in emulation;
* plain: some of all these by the firmware of boards without the native emitter, on the VM.

A value that is compared is one output of one frame by one engine: the host's reference, the firmware on the VM, or its
machine code. What TensorFlow Lite Micro gives is taken from the pinned wheel.
"""
