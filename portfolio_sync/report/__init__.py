"""Figures become files: tables of text (pure), official forms, and one safe way to write them all."""
