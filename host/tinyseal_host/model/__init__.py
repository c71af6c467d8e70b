"""From a `.tflite` to the body of a release: read, checked, planned, packed; and its arithmetic, for the self-test."""
