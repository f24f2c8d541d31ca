"""The format in which a config is published, known to those who publish it and to those who follow it."""
