# The variant in which a board is provisioned: the same keys and partitions, the REPL on, nothing burned.
