"""Verbs of tags, segments and scores."""
