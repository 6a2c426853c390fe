"""Groups of the command `lifeline`, one file each. Everything heavy is imported inside the commands."""
