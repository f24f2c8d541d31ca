"""HTTP/1.1 as bytes: heads read and written, bodies delimited, targets and methods read, codings undone."""
