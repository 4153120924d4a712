"""What a command is as a process: its streams, its log, and how it is stopped."""
