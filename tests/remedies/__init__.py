"""Every remedy that a message gives is applied, and shown to keep its promise and to open no door."""
