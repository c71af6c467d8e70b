"""What a board takes for all that tinyseal does there, in microseconds and bytes: measured, saved and compared."""
