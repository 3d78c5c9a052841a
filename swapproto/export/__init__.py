"""One declaration, every tool: what other programs read, generated from the message classes of a profile."""
