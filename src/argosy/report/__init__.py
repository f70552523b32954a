"""Results for people: one HTML file, Markdown for a request, tables for a terminal."""
