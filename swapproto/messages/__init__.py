"""Message families, and the catalogue that finds the class of an identifier."""
