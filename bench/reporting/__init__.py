"""From tables to pages: board, figures, HTML, method pages, reproduction page."""
