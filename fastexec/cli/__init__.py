"""The command line: its words, what it prints, and how it ends."""
