"""The archive as a static site: a gallery of every report and baseline that works from a file, without a server."""
