"""The pictures: their style, how each is drawn, and which a board has."""
