"""The product shown offline: the real pipeline against the Hub stand-in and real local receivers."""
