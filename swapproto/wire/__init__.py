"""The wire layer: one declaration a message, and everything that is made out of it."""
