"""What an application on a board says of its frames: read, counted, drawn; the board is only listened to."""
