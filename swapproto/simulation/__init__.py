"""Whole scenes in virtual time: models and role machines on several buses."""
