"""The verbs of the command line, one function a verb; they parse, call and print, and hold no logic."""
