"""Checks of compose/ and kubernetes/ that need no engine. Each is a sentence and a function that yields what is wrong."""
