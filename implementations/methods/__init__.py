"""One file is one method; METHODS in `implementations` is their table of contents."""
